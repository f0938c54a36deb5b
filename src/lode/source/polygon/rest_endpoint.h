// The tables of Polygon's (Massive's) REST API: where each is, and the names of the files its answers are kept in.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lode/source/file_name.h"

namespace lode::source::polygon {

// One table, described; there is no code of its own.
struct Endpoint {
  std::string_view name;  // `rest` in lode.toml; "polygon/" and it is the schema
  // Path and parameters; {ticker}, {first}, {last} and {end}, the day after it, are the request's.
  std::string_view url;
  // Member of a row that says its day: text, or milliseconds, whose day is New York's. Empty: a snapshot, which can be
  // asked for today alone.
  std::string_view day = {};
  int days = 1;                      // of a request, at most
  int ready_after_days = 0;          // a day is asked for that many days later
  bool sessions = false;             // days of the dataset's calendar; else every day
  std::string_view second_url = {};  // of a second chain of pages, which must come to its end too
  bool is_bare = false;              // the answer is the list itself

  bool is_snapshot() const { return day.empty(); }
  // Asked for ticker by ticker; else of the whole market at once.
  bool is_per_ticker() const { return url.contains("{ticker}"); }
};
std::span<const Endpoint> Endpoints();
// nullptr when there is none of that name.
const Endpoint* FindEndpoint(std::string_view name);

// "/v3/reference/dividends?…" of a request.
std::string ExpandUrl(std::string_view url, std::string_view ticker, Day first, Day last);

// "dividends-2024-01-01-2024-01-31.0123456789abcdef.json.zst", under which what was fetched is kept; of a ticker
// "aggregates_day-BRK%2FA-2024-01-01-…". `ticker` is empty, or kAllSymbols, for the whole market.
std::string RestFileName(const Endpoint& endpoint, std::string_view ticker, Day first, Day last, std::string_view id);
// nullopt: not such a name.
std::optional<FileNameFacts> ParseRestFileName(std::string_view name);

}  // namespace lode::source::polygon
