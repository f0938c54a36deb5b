#include "lode/symbol/contract.h"

#include <gtest/gtest.h>

namespace lode::symbol {
namespace {

Day On(const char* text) { return ParseDay(text).value(); }

struct Case {
  const char* symbol;
  const char* as_of;
  Kind kind;
  const char* root;
  int month, year;
};

TEST(Contract, ReadsTheGrammarsAndTheirTraps) {
  const Case cases[] = {
      {"ZLZ4", "2024-11-01", Kind::kFuture, "ZL", 12, 2024},
      {"NQZ0", "2010-12-01", Kind::kFuture, "NQ", 12, 2010},
      {"NQZ0", "2020-03-01", Kind::kFuture, "NQ", 12, 2020},
      {"NQZ0", "2011-03-01", Kind::kFuture, "NQ", 12, 2020},
      {"6EZ5", "2025-01-02", Kind::kFuture, "6E", 12, 2025},
      {"10YF6", "2025-12-15", Kind::kFuture, "10Y", 1, 2026},
      {"2YYH5", "2025-01-02", Kind::kFuture, "2YY", 3, 2025},
      {"M6EM5", "2025-01-02", Kind::kFuture, "M6E", 6, 2025},
      {"SR3H5", "2024-01-02", Kind::kFuture, "SR3", 3, 2025},
      {"SR3H35", "2024-01-02", Kind::kFuture, "SR3", 3, 2035},
      {"CLK34", "2024-01-02", Kind::kFuture, "CL", 5, 2034},
      {"CLF5", "2024-12-19", Kind::kFuture, "CL", 1, 2025},
      {"ZQF5", "2025-02-03", Kind::kFuture, "ZQ", 1, 2025},
      {"BRN FMJ0024!", "2024-01-02", Kind::kFuture, "BRN", 4, 2024},
      {"NQZ0-NQZ1", "2010-12-01", Kind::kSpread, "NQ", 0, 0},
      {"HO:BF H6-M6-U6", "2025-12-01", Kind::kSpread, "HO", 0, 0},
      {"CL:SA 02M G5", "2025-01-02", Kind::kSpread, "CL", 0, 0},
      {"RB:HO G6-H6", "2025-12-01", Kind::kSpread, "RB", 0, 0},
      {"CSX:C1 RB-CSX J3", "2023-01-02", Kind::kSpread, "CSX", 0, 0},
      {"UD:CL: GN 2540925", "2025-09-25", Kind::kSpread, "CL", 0, 0},
      {"ESM4 C4250", "2024-01-02", Kind::kOption, "ES", 6, 2024},
      {"OHF5 P20500", "2024-12-02", Kind::kOption, "OH", 1, 2025},
      {"E1AF5 C5000", "2025-01-02", Kind::kOption, "E1A", 1, 2025},
      {"AAPL  250221C00250000", "2025-01-02", Kind::kOption, "AAPL", 2, 2025},
      {"ES.v.0", "2025-01-02", Kind::kOther, "ES", 0, 0},
      {"ES.FUT", "2025-01-02", Kind::kOther, "ES", 0, 0},
      {"BRK.A", "2025-01-02", Kind::kOther, "BRK.A", 0, 0},
      {"BRK-B", "2025-01-02", Kind::kOther, "BRK-B", 0, 0},
      {"AAPL", "2025-01-02", Kind::kOther, "AAPL", 0, 0},
      {"../../etc", "2025-01-02", Kind::kOther, "../../etc", 0, 0},
      {"", "2025-01-02", Kind::kOther, "", 0, 0},
      {"Z5", "2025-01-02", Kind::kOther, "Z5", 0, 0},
  };
  for (const Case& c : cases) {
    const Contract contract = ParseContract(c.symbol, On(c.as_of));
    EXPECT_EQ(contract.kind, c.kind) << c.symbol;
    EXPECT_EQ(contract.root, c.root) << c.symbol;
    EXPECT_EQ(contract.month, c.month) << c.symbol;
    EXPECT_EQ(contract.year, c.year) << c.symbol << " on " << c.as_of;
    EXPECT_EQ(IsSpread(c.symbol), contract.is_spread()) << c.symbol;
  }
}

TEST(Contract, KeepsOptionTerms) {
  const Contract option = ParseContract("AAPL  250221P00250000", On("2025-01-02"));
  EXPECT_EQ(option.put_call, 'P');
  EXPECT_EQ(option.strike, "00250000");
  EXPECT_EQ(option.day, 21);
  EXPECT_EQ(ParseContract("ESM4 C4250", On("2024-01-02")).strike, "4250");
}

}  // namespace
}  // namespace lode::symbol
