// The parameters that timeseries, batch and metadata requests share, checked as the vendor checks them.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faults.h"
#include "http.h"
#include "lode/base/time.h"

namespace lode::vendor {

// An answer other than success: a text, or a case with message and payload.
struct ApiError {
  int status = 400;
  Json detail;
  Response ToResponse() const;
};
ApiError Plain(int status, std::string text);
ApiError Case(int status, std::string id, std::string message, Json payload = Json::object());

template <typename T>
using Checked = std::expected<T, ApiError>;

struct Query {
  std::string dataset, schema, stype_in, stype_out, encoding, compression;
  std::vector<std::string> symbols;  // without duplicates; or ALL_SYMBOLS alone
  int64_t start_ns = 0, end_ns = 0;
  uint64_t limit = 0;  // 0: none
  bool pretty_px = false, pretty_ts = false, map_symbols = false;

  // UTC days that hold the range.
  Day first_day() const { return DayOf(start_ns); }
  Day last_day_exclusive() const { return DayOf(end_ns - 1) + 1; }
};

// An instant as the vendor takes it (date, ISO time, ns since 1970) and how far a range reaches that gives no end.
struct Instant {
  int64_t ns = 0, resolution_ns = 0;
};
std::optional<Instant> ParseInstant(std::string_view text);
// "True", "true", "1".
bool IsTrue(const std::optional<std::string>& text);
std::vector<std::string> SplitList(std::string_view text);

// Everything but the dates against availability is checked.
Checked<Query> ReadQuery(const Request& request);
// Symbols without duplicates, each of the form its type has.
Checked<std::vector<std::string>> ReadSymbols(const Request& request, const std::string& stype_in);

}  // namespace lode::vendor
