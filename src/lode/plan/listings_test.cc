#include "lode/plan/listings.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace lode::plan {
namespace {

TEST(Listings, GiveBackWhatWasAdded) {
  Listings listings;
  const Day some = ToDay({2024, 1, 2});
  for (int i = 0; i < 20'000; ++i) {  // several blocks of names
    Listing listing{.symbol = {}, .first = {}, .last = {}};
    const std::string symbol = fmt::format("{}{}", std::string(i % 30, 'S'), i);
    const std::string why = i % 7 == 0 ? fmt::format("reason {}", i / 14) : "";
    listing.symbol = symbol;
    if (i % 2 == 0) listing.first = some - i;
    if (i % 3 == 0) listing.last = some + i;
    listing.unresolved = why;
    listings.Add(listing);
  }
  ASSERT_EQ(listings.size(), 20'000u);
  int i = 0;
  for (const Listing& listing : listings.all()) {
    ASSERT_EQ(listing.symbol, fmt::format("{}{}", std::string(i % 30, 'S'), i));
    ASSERT_EQ(listing.first, i % 2 == 0 ? std::optional(some - i) : std::nullopt);
    ASSERT_EQ(listing.last, i % 3 == 0 ? std::optional(some + i) : std::nullopt);
    ASSERT_EQ(listing.unresolved, i % 7 == 0 ? fmt::format("reason {}", i / 14) : "");
    ++i;
  }
}

TEST(Listings, ANameMayBeEmptyOrLongerThanABlock) {
  const std::string huge(200'000, 'x');
  const Listings listings = {{.symbol = ""}, {.symbol = huge}, {.symbol = "A"}};
  EXPECT_EQ(listings.SymbolOf(0), "");
  EXPECT_EQ(listings.SymbolOf(1), huge);
  EXPECT_EQ(listings.SymbolOf(2), "A");
}

}  // namespace
}  // namespace lode::plan
