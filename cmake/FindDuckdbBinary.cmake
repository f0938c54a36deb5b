# DuckDB's C API: a system libduckdb, else the library of the npm binding with the header of the PyPI source package.
# Loaded at run time with dlopen (70 MB that most commands never need), so only headers are a build dependency.
find_path(LODE_DUCKDB_INCLUDE duckdb.h PATHS ${LODE_THIRD_PARTY}/duckdb/include REQUIRED)
find_library(LODE_DUCKDB_LIBRARY duckdb PATHS ${LODE_THIRD_PARTY}/duckdb/lib REQUIRED)
add_library(lode_duckdb_api INTERFACE)
target_include_directories(lode_duckdb_api SYSTEM INTERFACE ${LODE_DUCKDB_INCLUDE})
target_compile_definitions(lode_duckdb_api INTERFACE LODE_DUCKDB_BUILD_PATH="${LODE_DUCKDB_LIBRARY}")
target_link_libraries(lode_duckdb_api INTERFACE ${CMAKE_DL_LIBS})
install(FILES ${LODE_THIRD_PARTY}/duckdb/lib/LICENSE DESTINATION share/licenses/duckdb OPTIONAL)
