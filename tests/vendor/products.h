// What the simulated vendor sells: data sets, and in each the products with their contract months and first days.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/time.h"

namespace lode::vendor {

enum class ProductKind {
  kFuture,  // outrights and calendar spreads; parent ROOT.FUT
  kOption,  // calls and puts on a future; parent ROOT.OPT
  kStock,   // one instrument without end; no parent
  kOsi,     // equity options with OSI symbols; parent ROOT.OPT
};

struct Product {
  std::string root;
  ProductKind kind = ProductKind::kFuture;
  std::string months;         // of futures: letters F … Z
  int64_t price, tick;        // 1e-9
  Day first;                  // no contract trades before
  Day last_exclusive;         // nor from here on
  std::string underlying;     // of options: the future's root
  bool early_expiry = false;  // a contract ends in the month before the one it is named after
  bool far_dated = false;     // December contracts ten years out, with two digits of the year at first
};

struct DatasetInfo {
  std::string code, description;
  Day first;
  std::vector<std::pair<uint16_t, std::string>> publishers;  // id, venue
  std::vector<Product> products;
};

const std::vector<DatasetInfo>& Datasets();

// Contract months by letter: F January … Z December.
inline constexpr std::string_view kMonthCodes = "FGHJKMNQUVXZ";

// What options on a future are called where that is another root: "LO" for "CL"; the root itself otherwise, empty
// when the future has none.
std::string OptionRootOf(std::string_view future_root);

}  // namespace lode::vendor
