// Polygon's (Massive's) REST API: the tables of polygon_rows.h in pages, their cursors, their refusals.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "counts.h"
#include "http.h"
#include "lode/base/time.h"
#include "polygon_rows.h"
#include "query.h"

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
  // POST /_sim/polygon {"table", "days": [...]}: the days' rows change (of what is told as of today: the rows, whatever
  // the days); {"next_host": URL}: where next_url leads; {"expired": true}: cursors are not known any more;
  // {"added": true}: rows have a member more.
  Response Control(const Json& body);

 private:
  struct Question;
  Response Answer(const Request& request, const PolygonTable& table, const std::vector<std::string>& parts);
  // What a request asks for: its parameters, or those that its cursor holds.
  Checked<Question> Read(const Request& request, const PolygonTable& table,
                         const std::vector<std::string>& parts) const;
  // All rows, whatever the page; null: no such ticker.
  Json RowsOf(const PolygonTable& table, const Question& question) const;
  bool IsRevised(const PolygonTable& table, Day day) const;

  const PolygonRestOptions options_;
  Counts& counts_;
  mutable std::mutex mutex_;
  std::set<std::pair<std::string, Day>> revised_;
  std::string next_host_;
  bool expired_ = false, added_ = false;
};

}  // namespace lode::vendor
