// Polygon's (Massive's) REST tables: dividends, splits, short interest, short volume, news; rows made up from the seed.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "counts.h"
#include "http.h"
#include "lode/base/time.h"

namespace lode::vendor {

struct PolygonRestOptions {
  uint64_t seed = 1;
  std::string key;           // empty: any will do
  size_t page_limit = 1000;  // rows of a page, whatever is asked for
  std::function<Day()> today;
};

class PolygonRest {
 public:
  PolygonRest(PolygonRestOptions options, Counts& counts) : options_(std::move(options)), counts_(counts) {}

  static bool Owns(const std::string& path);
  Response Handle(const Request& request);
  // POST /_sim/polygon {"table", "days": [...]}: the days' rows change; {"next_host": URL}: where next_url leads;
  // {"expired": true}: cursors are not known any more.
  Response Control(const Json& body);

 private:
  struct Table;
  static const Table* TableOf(const std::string& path);
  Json RowsOf(const Table& table, Day day) const;

  const PolygonRestOptions options_;
  Counts& counts_;
  mutable std::mutex mutex_;
  std::set<std::pair<std::string, Day>> revised_;
  std::string next_host_;
  bool expired_ = false;
};

}  // namespace lode::vendor
