# Compiler settings common to every target, and lode_area(): one library and one test program an area.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

set(LODE_SANITIZE "" CACHE STRING "comma list for -fsanitize=, empty for none")
set(LODE_SANITIZED 0)
if(LODE_SANITIZE)
  set(LODE_SANITIZED 1)
  add_compile_options(-fsanitize=${LODE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${LODE_SANITIZE})
endif()
if(LODE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # coverage for libFuzzer; the targets in tests/fuzz link its main
endif()

add_library(lode_settings INTERFACE)
target_include_directories(lode_settings INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(lode_settings INTERFACE LODE_VERSION="${PROJECT_VERSION}"
  LODE_SANITIZED=${LODE_SANITIZED})
target_compile_options(lode_settings INTERFACE
  -Wall -Wextra -Wpedantic $<$<CXX_COMPILER_ID:GNU>:-Wshadow=local> -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wno-missing-field-initializers
  -Woverloaded-virtual $<$<CXX_COMPILER_ID:GNU>:-Werror>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-error=maybe-uninitialized -Wno-error=stringop-overflow -Wno-error=restrict -Wno-error=free-nonheap-object -Wno-error=array-bounds -Wno-error=stringop-overread -fpch-preprocess>)

# Parsed once instead of per file: light areas take the one of base, their tests that of base_test, HEAVY ones those of
# codec.
set(LODE_PCH ${CMAKE_SOURCE_DIR}/cmake/light_pch.h)
set(LODE_HEAVY_PCH ${CMAKE_SOURCE_DIR}/cmake/arrow_pch.h)
set(LODE_TEST_PCH <gtest/gtest.h> <gmock/gmock.h>)

function(lode_precompile target first headers)
  if(target STREQUAL first OR NOT TARGET ${first})
    target_precompile_headers(${target} PRIVATE ${headers})
  else()
    target_precompile_headers(${target} REUSE_FROM ${first})
  endif()
endfunction()

# lode_area(NAME [SOURCES a.cc …] [TESTS a_test.cc …] [LINK lib …] [HEAVY])
# HEAVY areas use Arrow headers.
function(lode_area name)
  cmake_parse_arguments(AREA "HEAVY" "" "SOURCES;TESTS;LINK" ${ARGN})
  set(first base)
  set(headers ${LODE_PCH})
  if(AREA_HEAVY)
    set(first codec)
    list(APPEND headers ${LODE_HEAVY_PCH})
  endif()
  add_library(lode_${name} STATIC ${AREA_SOURCES})
  target_link_libraries(lode_${name} PUBLIC lode_settings ${AREA_LINK})
  lode_precompile(lode_${name} lode_${first} "${headers}")
  if(LODE_TESTS AND AREA_TESTS)
    add_executable(${name}_test ${AREA_TESTS})
    target_compile_definitions(${name}_test PRIVATE LODE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    target_compile_options(${name}_test PRIVATE -O0)  # the code that is tested is in the libraries
    target_link_libraries(${name}_test PRIVATE lode_${name} GTest::gtest GTest::gmock GTest::gtest_main)
    lode_precompile(${name}_test ${first}_test "${headers};${LODE_TEST_PCH}")
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS unit)
  endif()
endfunction()
