// libduckdb, loaded on first use: 70 MB that most commands never need. Loading takes about 20 ms; the library stays for
// the life of the process.
#pragma once

#include <duckdb.h>

#include <string>

#include "lode/base/result.h"

namespace lode::sink {

// The functions lode calls, and no others.
#define LODE_DUCKDB_FUNCTIONS(X)      \
  X(library_version)                  \
  X(create_config)                    \
  X(set_config)                       \
  X(destroy_config)                   \
  X(open_ext)                         \
  X(close)                            \
  X(connect)                          \
  X(disconnect)                       \
  X(destroy_result)                   \
  X(result_error)                     \
  X(result_error_type)                \
  X(column_count)                     \
  X(column_name)                      \
  X(column_type)                      \
  X(column_logical_type)              \
  X(decimal_scale)                    \
  X(decimal_internal_type)            \
  X(destroy_logical_type)             \
  X(extract_statements)               \
  X(extract_statements_error)         \
  X(prepare_extracted_statement)      \
  X(destroy_extracted)                \
  X(prepare)                          \
  X(prepare_error)                    \
  X(destroy_prepare)                  \
  X(prepared_statement_column_count)  \
  X(prepared_statement_column_name)   \
  X(prepared_statement_column_type)   \
  X(pending_prepared_streaming)       \
  X(pending_execute_task)             \
  X(pending_execution_is_finished)    \
  X(pending_error)                    \
  X(execute_pending)                  \
  X(destroy_pending)                  \
  X(fetch_chunk)                      \
  X(interrupt)                        \
  X(destroy_data_chunk)               \
  X(data_chunk_get_size)              \
  X(data_chunk_get_vector)            \
  X(vector_get_data)                  \
  X(vector_get_validity)              \
  X(validity_row_is_valid)            \
  X(create_logical_type)              \
  X(create_scalar_function)           \
  X(destroy_scalar_function)          \
  X(scalar_function_set_name)         \
  X(scalar_function_add_parameter)    \
  X(scalar_function_set_return_type)  \
  X(scalar_function_set_function)     \
  X(register_scalar_function)         \
  X(string_t_data)                    \
  X(string_t_length)                  \
  X(vector_assign_string_element_len) \
  X(vector_ensure_validity_writable)  \
  X(validity_set_row_invalid)         \
  X(free)

struct DuckdbApi {
#define LODE_DECLARE(name) decltype(&::duckdb_##name) name = nullptr;
  LODE_DUCKDB_FUNCTIONS(LODE_DECLARE)
#undef LODE_DECLARE
  std::string path;  // where the library was found
};

// Looked for in ../lib beside the program, beside the program, where the build found it, and on the system's path, in
// this order. kUnsupported when there is none, or when it lacks a function.
Result<const DuckdbApi*> LoadDuckdb();

}  // namespace lode::sink
