// The symbols that were asked for and when each exists, in little memory: an options exchange has millions.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <limits>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/time.h"
#include "lode/plan/pieces.h"

namespace lode::plan {

// One symbol, and when it exists. Owns no text: what Listings gives is valid as long as it is, and gets no more.
struct Listing {
  std::string_view symbol;
  std::optional<Day> first, last;    // inclusive; open where unknown
  std::string_view unresolved = {};  // why the dataset does not know the symbol at all; empty: it does
};

class Listings {
 public:
  Listings() = default;
  Listings(std::initializer_list<Listing> listings) {
    for (const Listing& listing : listings) Add(listing);
  }

  void Add(const Listing& listing);  // with a copy of its texts
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  Listing operator[](size_t index) const;
  std::string_view SymbolOf(size_t index) const;
  // All of them, in the order they were added.
  auto all() const {
    return std::views::iota(size_t{0}, size()) | std::views::transform([this](size_t i) { return (*this)[i]; });
  }

 private:
  static constexpr Day kOpenFirst{std::numeric_limits<int32_t>::min()}, kOpenLast{std::numeric_limits<int32_t>::max()};
  struct Entry {
    uint32_t symbol = 0, symbol_size = 0;
    Day first = kOpenFirst, last = kOpenLast;
    uint32_t reason = 0;  // index into reasons_
  };

  std::deque<Entry> entries_;
  Pieces<char> symbols_;
  std::vector<std::string> reasons_{""};
};

}  // namespace lode::plan
