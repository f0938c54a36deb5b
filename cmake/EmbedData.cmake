# Data files into one C++ file, so that the program needs none of them at run time.
#   lode_embed_data(OUTPUT FOLDER): every .toml and .csv below FOLDER, as lode/base/embedded.h gives them out.
# Run as a script (cmake -DFOLDER=… -DFILES=… -DOUTPUT=… -P) it writes OUTPUT.
if(CMAKE_SCRIPT_MODE_FILE)
  list(SORT FILES)
  set(text "// Made by cmake/EmbedData.cmake.\n#include \"lode/base/embedded.h\"\n\nnamespace lode {\nnamespace {\n\n")
  string(APPEND text "constexpr EmbeddedFile kFiles[] = {\n")
  foreach(name IN LISTS FILES)
    file(READ ${FOLDER}/${name} content)
    string(APPEND text "    {\"${name}\", R\"lode(${content})lode\"},\n")
  endforeach()
  string(APPEND text "};\n\n}  // namespace\n\nstd::span<const EmbeddedFile> EmbeddedFiles() { return kFiles; }\n\n}  // namespace lode\n")
  file(WRITE ${OUTPUT} "${text}")
  return()
endif()

set(LODE_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(lode_embed_data output folder)
  file(GLOB_RECURSE files RELATIVE ${folder} CONFIGURE_DEPENDS ${folder}/*.toml ${folder}/*.csv)
  list(TRANSFORM files PREPEND ${folder}/ OUTPUT_VARIABLE paths)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} "-DFILES=${files}" -DOUTPUT=${output} -P ${LODE_EMBED_SCRIPT}
    DEPENDS ${paths} ${LODE_EMBED_SCRIPT}
    COMMENT "Embedding data files" VERBATIM)
endfunction()
