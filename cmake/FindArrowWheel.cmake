# Arrow C++ and Parquet: a system package with a CMake config if there is one, else the libraries inside the
# pyarrow wheel. The wheel ships no CMake config and only versioned file names (libarrow.so.2600).
find_package(Arrow CONFIG QUIET)
find_package(Parquet CONFIG QUIET)
if(Arrow_FOUND AND Parquet_FOUND)
  add_library(Arrow::arrow ALIAS Arrow::arrow_shared)
  add_library(Arrow::parquet ALIAS Parquet::parquet_shared)
  return()
endif()

set(LODE_ARROW_DIR ${LODE_THIRD_PARTY}/pyarrow/pyarrow)
if(NOT EXISTS ${LODE_ARROW_DIR}/include/arrow/util/config.h)
  message(FATAL_ERROR "Arrow not found under ${LODE_ARROW_DIR}: run ./setup")
endif()
file(STRINGS ${LODE_ARROW_DIR}/include/arrow/util/config.h so_line REGEX "define ARROW_SO_VERSION")
string(REGEX REPLACE ".*\"([0-9]+)\".*" "\\1" LODE_ARROW_SO "${so_line}")
foreach(lib arrow parquet)
  add_library(Arrow::${lib} SHARED IMPORTED)
  set_target_properties(Arrow::${lib} PROPERTIES
    IMPORTED_LOCATION ${LODE_ARROW_DIR}/lib${lib}.so.${LODE_ARROW_SO}
    INTERFACE_INCLUDE_DIRECTORIES ${LODE_ARROW_DIR}/include)
endforeach()
target_link_libraries(Arrow::parquet INTERFACE Arrow::arrow)
# What `cmake --install` copies next to the program.
set(LODE_ARROW_RUNTIME ${LODE_ARROW_DIR}/libarrow.so.${LODE_ARROW_SO} ${LODE_ARROW_DIR}/libparquet.so.${LODE_ARROW_SO})
file(GLOB arrow_licences ${LODE_THIRD_PARTY}/pyarrow/pyarrow-*.dist-info/licenses/*.txt)
install(FILES ${arrow_licences} DESTINATION share/licenses/arrow)
