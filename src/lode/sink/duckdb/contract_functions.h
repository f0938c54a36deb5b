// symbol::ParseContract as SQL functions, so that tables and lake read symbols by one rule.
//
//   lode_contract_kind(symbol VARCHAR, day DATE) -> VARCHAR   F future, C call, P put, S spread, O other
//   lode_contract_month(symbol VARCHAR, day DATE) -> DATE     first day of the contract month, for OSI options the
//                                                             expiry itself; null where the symbol has none
#pragma once

#include "lode/sink/duckdb/connection.h"

namespace lode::sink {

Status DefineContractFunctions(Connection& connection);

}  // namespace lode::sink
