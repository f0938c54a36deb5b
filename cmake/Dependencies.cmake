# Where each library comes from. ./setup puts the ones Debian lacks under third_party/ (pinned versions).
set(LODE_THIRD_PARTY ${CMAKE_SOURCE_DIR}/third_party CACHE PATH "folder that ./setup filled")

include(FindArrowWheel)   # Arrow::arrow, Arrow::parquet
include(FindDuckdbBinary) # DuckDB::duckdb
include(Simdjson)         # lode_simdjson: private copy, never exported

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL 7.88 REQUIRED)  # the header; loaded at run time: net/curl.h
find_package(SQLite3 REQUIRED)
find_package(date REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(isal REQUIRED IMPORTED_TARGET libisal)
if(LODE_TESTS)
  find_package(GTest REQUIRED)
endif()
