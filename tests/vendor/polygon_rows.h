// Rows of Polygon's (Massive's) REST tables, made up from the seed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "faults.h"
#include "lode/base/time.h"

namespace lode::vendor {

struct PolygonTable {
  enum class Kind {
    kDays,      // asked for by a range of the member `day`, page by page
    kGrouped,   // all bars of the day in the path
    kBars,      // a ticker's, from and to in the path, page by page
    kList,      // as things are today, page by page
    kWhole,     // the same in one answer
    kOfTicker,  // the same, of the ticker in the path
  };
  std::string_view name;
  std::string_view path;  // '*' stands for a part
  Kind kind;
  std::string_view day = {};  // of kDays
};

// nullptr: none has that path. `parts`: what stands for its '*'.
const PolygonTable* FindPolygonTable(std::string_view path, std::vector<std::string>* parts);

// Tickers that trade, and those that did. Case matters, and some look like something else.
const std::vector<std::string>& PolygonTickers(bool active);

struct PolygonRows {
  uint64_t seed;
  bool revised = false;   // published again: the last row is gone, numbers differ
  bool adjusted = false;  // bars: for splits, at half the price

  // Of kDays: a day's rows.
  Json OfDay(const PolygonTable& table, Day day) const;
  // A bar has its time in milliseconds; of kGrouped the ticker too.
  Json Bars(const PolygonTable& table, const std::string& ticker, Day day) const;
  // Of kList, kWhole and kOfTicker. null: no such ticker.
  Json Today(const PolygonTable& table, const std::string& ticker, bool active, Day today) const;

 private:
  Json Bar(const std::string& ticker, int64_t ns, uint64_t draw) const;
};

}  // namespace lode::vendor
