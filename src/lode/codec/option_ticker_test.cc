#include "lode/codec/option_ticker.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace lode::codec {
namespace {

std::string Parts(std::string_view ticker) {
  const auto parts = ParseOptionTicker(ticker);
  if (!parts) return "none";
  return fmt::format("{} {} {} {}", parts->underlying, FormatDay(parts->expiry), parts->type, parts->strike);
}

TEST(OptionTicker, SplitsFromTheRight) {
  EXPECT_EQ(Parts("O:SPY230327P00390000"), "SPY 2023-03-27 P 390");
  EXPECT_EQ(Parts("O:F240119C00012350"), "F 2024-01-19 C 12.35");
  EXPECT_EQ(Parts("O:SPX1230120C04000000"), "SPX1 2023-01-20 C 4000");
  EXPECT_EQ(Parts("O:NANOS1230327C00000500"), "NANOS1 2023-03-27 C 0.5");
  EXPECT_EQ(Parts("O:BRK.B250620C99999999"), "BRK.B 2025-06-20 C 99999.999");
  EXPECT_EQ(Parts("O:2SPY240229P00400000"), "2SPY 2024-02-29 P 400");
}

TEST(OptionTicker, OtherFormsHaveNoParts) {
  for (const char* ticker :
       {"", "O:", "SPY", "O:SPY", "SPY230327P00390000", "I:SPX", "O:230327P00390000", "O:SPY230327X00390000",
        "O:SPY231327P00390000", "O:SPY230230P00390000", "O:SPY230229P00390000", "O:SPY23032AP00390000",
        "O:SPY230327P0039000", "O:SPY230327P0039000x", "O:TOOLONG230327P00390000", "O:S/Y230327P00390000",
        "O:.SP230327P00390000", "O:SPY230327p00390000", "O:SPY230327P00390000 "}) {
    EXPECT_EQ(Parts(ticker), "none") << ticker;
  }
}

}  // namespace
}  // namespace lode::codec
