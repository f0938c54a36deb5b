// FRED's API: /fred/series, series/observations and series/vintagedates, with series made up from the seed.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "counts.h"
#include "http.h"
#include "lode/base/time.h"

namespace lode::vendor {

struct FredOptions {
  uint64_t seed = 1;
  std::string key;              // empty: any key of the right form will do
  size_t page_limit = 100'000;  // rows of a page, whatever is asked for
  std::function<Day()> today;   // the vendor's clock
};

class Fred {
 public:
  Fred(FredOptions options, Counts& counts) : options_(std::move(options)), counts_(counts) {}

  static bool Owns(const std::string& path) { return path.starts_with("/fred/"); }
  Response Handle(const Request& request);
  // POST /_sim/fred: revises observations today.
  Response Revise(const Json& body);

 private:
  // A value and the first day it stood.
  struct Version {
    Day from;
    double value;
    bool missing = false;
  };
  struct Observation {
    Day date;
    std::vector<Version> versions;  // by day; the first one is the release
  };
  struct Series {
    std::string id, frequency, frequency_short;
    bool archived = true;  // vintages are kept
    std::vector<Observation> observations;
    std::vector<Day> vintages;
  };
  struct Answer {
    int status = 200;
    Json body;
  };
  // A page of observations as it was sent.
  struct Page {
    uint64_t rows = 0;
    Day first, last;    // days asked for
    bool ends = false;  // the last page of the newest real-time period
  };

  std::optional<Answer> CheckKey(const Request& request) const;
  // As known today; nullopt: there is no such series.
  std::optional<Series> Find(const std::string& id) const;
  Answer DescribeSeries(const Series& series) const;
  Answer Observations(const Request& request, const Series& series, Page* page) const;
  Answer VintageDates(const Request& request, const Series& series) const;

  const FredOptions options_;
  Counts& counts_;
  mutable std::mutex mutex_;
  std::map<std::string, std::map<Day, std::vector<Version>>> revisions_;  // of tests
  // By series: pages (start of the window, offset) of the chain in hand that did not go out whole.
  std::map<std::string, std::set<std::pair<std::string, std::string>>> harmed_;
};

}  // namespace lode::vendor
