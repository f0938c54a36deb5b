# simdjson compiled privately under another namespace: libparquet exports simdjson symbols of another version, and
# sharing them crashes. tests/simdjson_private_test.sh checks that none of ours is visible.
set(LODE_SIMDJSON_DIR ${LODE_THIRD_PARTY}/simdjson)
add_library(lode_simdjson STATIC ${LODE_SIMDJSON_DIR}/simdjson.cpp)
target_include_directories(lode_simdjson SYSTEM PUBLIC ${LODE_SIMDJSON_DIR})
target_compile_definitions(lode_simdjson PUBLIC simdjson=lode_simdjson SIMDJSON_EXCEPTIONS=0)
target_compile_options(lode_simdjson PRIVATE -O2 -fvisibility=hidden)
