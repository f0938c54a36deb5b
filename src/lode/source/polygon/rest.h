// Polygon's (Massive's) REST tables of the whole market, by day. What each is: docs/sources/polygon.md.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "lode/net/http.h"
#include "lode/source/file_name.h"
#include "lode/source/page_chain.h"
#include "lode/source/supply.h"

namespace lode::source::polygon {

// One table of the vendor, described; there is no code of its own.
struct Endpoint {
  std::string_view name;  // `rest` in lode.toml; "polygon/" and it is the schema
  std::string_view path;
  std::string_view day;       // member of a row, and parameter, that says its day
  std::string_view ordering;  // parameters that sort by that day, ascending
  int limit;                  // rows of a page
  int days;                   // of a request, at most
  int ready_after_days;       // a day is asked for that many days later
  bool sessions;              // days of XNYS; else every day
};
std::span<const Endpoint> Endpoints();
// nullptr when there is none of that name.
const Endpoint* FindEndpoint(std::string_view name);

// "dividends-2024-01-01-2024-01-31.0123456789abcdef.json.zst", under which what was fetched is kept. nullopt: not such
// a name.
std::optional<FileNameFacts> ParseRestFileName(std::string_view name);

// What follows a page; hosts that `next_url` may name, whose place the base URL takes.
class RestChain {
 public:
  RestChain(const Endpoint& endpoint, std::string base_url, std::string origin, std::string key, Day first, Day last);
  net::Request First() const;
  // Whether the page is one of the chain: rows of the days asked for, in order, none that came before. kBadInput says
  // what it is instead, and when its `next_url` leads to another host.
  Result<PageStep> Read(std::string_view page);

 private:
  net::Request Get(std::string url) const;
  Result<std::string> NextOf(std::string_view next_url);

  const Endpoint& endpoint_;
  const std::string base_url_, origin_, key_;
  const Day first_, last_;
  std::string previous_;        // day of the last row
  std::set<std::string> seen_;  // hashes of pages and cursors
};

// For datasets with `rest`. kConfig: not a table lode knows, no key.
Result<std::unique_ptr<Supply>> OpenRest(const Config& config, const DatasetConfig& dataset, net::Client& client);

}  // namespace lode::source::polygon
