#include "lode/sink/duckdb/contract_functions.h"

#include <algorithm>

#include "lode/symbol/contract.h"

namespace lode::sink {
namespace {

// Calls `write(row, contract)` for every row without a null; the others become null.
void ForEachContract(duckdb_data_chunk input, duckdb_vector output, const auto& write) {
  const DuckdbApi& api = **LoadDuckdb();
  duckdb_vector symbols = api.data_chunk_get_vector(input, 0), days = api.data_chunk_get_vector(input, 1);
  auto* texts = static_cast<duckdb_string_t*>(api.vector_get_data(symbols));
  auto* dates = static_cast<duckdb_date*>(api.vector_get_data(days));
  uint64_t *has_symbol = api.vector_get_validity(symbols), *has_day = api.vector_get_validity(days);
  api.vector_ensure_validity_writable(output);
  uint64_t* has_result = api.vector_get_validity(output);
  for (idx_t row = 0; row < api.data_chunk_get_size(input); ++row) {
    bool valid = (has_symbol == nullptr || api.validity_row_is_valid(has_symbol, row)) &&
                 (has_day == nullptr || api.validity_row_is_valid(has_day, row));
    if (valid) {
      std::string_view text(api.string_t_data(&texts[row]), api.string_t_length(texts[row]));
      valid = write(api, row, symbol::ParseContract(text, Day{dates[row].days}));
    }
    if (!valid) api.validity_set_row_invalid(has_result, row);
  }
}

char LetterOf(const symbol::Contract& contract) {
  switch (contract.kind) {
    case symbol::Kind::kFuture: return 'F';
    case symbol::Kind::kOption: return contract.put_call;
    case symbol::Kind::kSpread: return 'S';
    case symbol::Kind::kOther: return 'O';
  }
  return 'O';
}

void Kind(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
  ForEachContract(input, output, [&](const DuckdbApi& api, idx_t row, const symbol::Contract& contract) {
    char letter = LetterOf(contract);
    api.vector_assign_string_element_len(output, row, &letter, 1);
    return true;
  });
}

void Month(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
  ForEachContract(input, output, [&](const DuckdbApi& api, idx_t row, const symbol::Contract& contract) {
    if (contract.month < 1 || contract.month > 12 || contract.year == 0) return false;
    int day = std::clamp(contract.day, 1, DaysInMonth(contract.year, contract.month));
    auto* months = static_cast<duckdb_date*>(api.vector_get_data(output));
    months[row].days = ToDay({contract.year, contract.month, day}).since_epoch;
    return true;
  });
}

}  // namespace

Status DefineContractFunctions(Connection& connection) {
  std::vector<duckdb_type> parameters = {DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_DATE};
  LODE_TRY(connection.Define({"lode_contract_kind", parameters, DUCKDB_TYPE_VARCHAR, Kind}));
  return connection.Define({"lode_contract_month", parameters, DUCKDB_TYPE_DATE, Month});
}

}  // namespace lode::sink
