#include "lode/symbol/lists.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "lode/symbol/list_file_internal.h"

namespace lode::symbol {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Expanded(const std::vector<std::string>& specs, std::string_view stype_in = "parent") {
  Result<std::vector<std::string>> symbols = ExpandSymbols(specs, stype_in, "/nowhere");
  EXPECT_TRUE(symbols) << symbols.error().ToString();
  return symbols.value_or(std::vector<std::string>());
}

std::string Refusal(const std::vector<std::string>& specs, const fs::path& folder = "/nowhere") {
  Result<std::vector<std::string>> symbols = ExpandSymbols(specs, "parent", folder);
  if (symbols) return "accepted";
  EXPECT_EQ(symbols.error().kind, ErrorKind::kConfig);
  return symbols.error().ToString();
}

std::vector<ListMember> Members(std::string_view name) {
  Result<SymbolList> list = FindList(name);
  EXPECT_TRUE(list) << list.error().ToString();
  return list ? std::move(list->members) : std::vector<ListMember>();
}

TEST(SymbolLists, HoldWhatTheirNamesCount) {
  const std::vector<std::pair<std::string, size_t>> sizes = {
      {"cme_core_26", 26},   {"cme_daily_56", 56},  {"cme_daily_87", 87},     {"cme_fx", 7},
      {"cme_hourly_33", 33}, {"cme_hourly_37", 37}, {"cme_missing_31", 31},   {"cme_options_19", 19},
      {"cme_valid", 84},     {"fred", 235},         {"fred_agriculture", 34}, {"fred_credit", 25},
      {"fred_energy", 18},   {"fred_fx", 23},       {"fred_macro", 72},       {"fred_metals", 8},
      {"fred_money", 13},    {"fred_rates", 42}};
  std::vector<std::string> names;
  for (const auto& [name, size] : sizes) {
    names.push_back(name);
    Result<SymbolList> list = FindList(name);
    ASSERT_TRUE(list) << list.error().ToString();
    EXPECT_EQ(list->members.size(), size) << name;
    EXPECT_EQ(list->dataset, name.starts_with("fred") ? "FRED" : "GLBX.MDP3") << name;
    EXPECT_FALSE(list->title.empty()) << name;
    for (const ListMember& member : list->members) {
      EXPECT_FALSE(member.root.empty() || member.group.empty()) << name;
      EXPECT_TRUE(member.priority >= 1 && member.priority <= 3) << name << " " << member.root;
    }
    EXPECT_TRUE(std::ranges::is_sorted(list->members, {}, &ListMember::priority)) << name;
  }
  EXPECT_EQ(ListNames(), names);
}

TEST(SymbolLists, TheValidOneHoldsNothingKnownToBeAbsent) {
  for (const ListMember& member : Members("cme_valid")) {
    EXPECT_EQ(FindKnownAbsence("GLBX.MDP3", member.root), nullptr) << member.root;
  }
}

TEST(SymbolLists, FredsHoldWhatTheVendorHas) {
  std::set<std::string> all;
  for (const ListMember& member : Members("fred")) {
    EXPECT_EQ(FindKnownAbsence("FRED", member.root), nullptr) << member.root;
    EXPECT_EQ(member.root.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), std::string::npos) << member.root;
    all.insert(member.root);
  }
  EXPECT_GE(all.size(), 150u);
  for (const char* name : {"COPPER", "CORN", "SOYBEAN", "STLFSI", "STLFSI2", "DTWEXB"}) {
    const KnownAbsence* absence = FindKnownAbsence("FRED", name);
    ASSERT_NE(absence, nullptr) << name;
    ASSERT_FALSE(absence->replacements.empty()) << name;
    for (const std::string_view series : absence->replacements) EXPECT_TRUE(all.contains(std::string(series))) << name;
  }
  EXPECT_EQ(Explain(*FindKnownAbsence("FRED", "COPPER"), "COPPER"), "FRED's ids are not names (try PCOPPUSDM)");
}

TEST(SymbolLists, EveryMemberIsValidOrExplained) {
  std::set<std::string> valid;
  for (const ListMember& member : Members("cme_valid")) valid.insert(member.root);
  valid.insert("CNH");  // of cme_fx alone
  for (const std::string& name : ListNames()) {
    if (FindList(name)->dataset != "GLBX.MDP3" || FindList(name)->product_class != "FUT") continue;
    for (const ListMember& member : Members(name)) {
      EXPECT_TRUE(valid.contains(member.root) || FindKnownAbsence("GLBX.MDP3", member.root) != nullptr)
          << name << " " << member.root;
    }
  }
  for (const char* root :
       {"VX", "VXM", "Z3N", "FF", "GD", "LBS", "MSI", "ZE", "DA", "GE", "KC", "SB", "CC", "CT", "OJ", "DX"}) {
    const KnownAbsence* absence = FindKnownAbsence("GLBX.MDP3", root);
    ASSERT_NE(absence, nullptr) << root;
    for (const std::string_view replacement : absence->replacements) {
      EXPECT_TRUE(valid.contains(std::string(replacement))) << root;
    }
  }
}

TEST(ExpandSymbols, SpellsMembersForTheRequest) {
  EXPECT_EQ(Expanded({"@cme_fx"}).front(), "6E.FUT");
  EXPECT_EQ(Expanded({"@cme_options_19"}).front(), "OZL.OPT");
  EXPECT_EQ(Expanded({"@cme_core_26"}, "continuous").front(), "ZL.v.0");
  EXPECT_EQ(Expanded({"@cme_core_26"}, "raw_symbol").front(), "ZL");
  EXPECT_EQ(Expanded({"ES.FUT, NQ.FUT", "ZL", "OH.OPT", "ALL_SYMBOLS"}),
            (std::vector<std::string>{"ES.FUT", "NQ.FUT", "ZL.FUT", "OH.OPT", "ALL_SYMBOLS"}));
  EXPECT_EQ(Expanded({"ZL", "bCp"}, "continuous"), (std::vector<std::string>{"ZL", "bCp"}));
  EXPECT_EQ(Expanded({"AAPL  250221C00250000", "XBT/USD"}, "raw_symbol"),
            (std::vector<std::string>{"AAPL  250221C00250000", "XBT/USD"}));
}

TEST(ExpandSymbols, TakesEachOnceInOrder) {
  std::vector<std::string> symbols = Expanded({"NQ", "@cme_daily_56", "ZL.FUT,NQ.FUT,,"});
  EXPECT_EQ(symbols.size(), 56u);
  EXPECT_EQ(symbols[0], "NQ.FUT");
  EXPECT_EQ(symbols[1], "ZL.FUT");
  EXPECT_EQ(Expanded({"@cme_hourly_37"}).size(), 37u);
  EXPECT_TRUE(Expanded({}).empty());
}

TEST(ExpandSymbols, NamesTheNearestList) {
  EXPECT_TRUE(Refusal({"ES", "@cme_core26"}).starts_with("no symbol list @cme_core26 (did you mean cme_core_26?)"))
      << Refusal({"@cme_core26"});
  EXPECT_NE(Refusal({"@zzz"}).find("known: @cme_core_26, @cme_daily_56"), std::string::npos);
  EXPECT_TRUE(Refusal({"@known_replacements"}).starts_with("no symbol list"));
  EXPECT_TRUE(Refusal({"@../calendars/XNYS"}).starts_with("no symbol list"));
  EXPECT_TRUE(Refusal({"@"}).starts_with("no symbol list"));
}

TEST(ExpandSymbols, ReadsTheUsersFiles) {
  std::string pattern = (fs::temp_directory_path() / "lode-lists-XXXXXX").string();
  const fs::path folder = ::mkdtemp(pattern.data());
  std::ofstream(folder / "mine.txt") << "# mine\nZL\n\n  ES.FUT  # the big one\r\nZL.FUT\n";
  std::ofstream(folder / "table.csv") << "\xEF\xBB\xBFSymbol,name\nZL,\"Oil, soy\"\n\"A,\"\"B\",x\n";
  std::ofstream(folder / "empty.txt") << "# nothing\n";
  std::ofstream(folder / "bad.txt") << "ZL\nE\x01S\n";
  const auto read = [&](std::string spec) {
    return ExpandSymbols(std::vector{std::move(spec)}, "parent", folder).value_or(std::vector<std::string>());
  };
  EXPECT_EQ(read("mine.txt"), (std::vector<std::string>{"ZL.FUT", "ES.FUT"}));
  EXPECT_EQ(read("./mine.txt,NQ"), (std::vector<std::string>{"ZL.FUT", "ES.FUT", "NQ.FUT"}));
  EXPECT_EQ(read((folder / "table.csv").string()), (std::vector<std::string>{"ZL.FUT", "A,\"B.FUT"}));
  EXPECT_NE(Refusal({"none.txt"}, folder).find("none.txt"), std::string::npos);
  EXPECT_NE(Refusal({"empty.txt"}, folder).find("holds no symbol"), std::string::npos);
  EXPECT_NE(Refusal({"bad.txt"}, folder).find("bad.txt:2: not a symbol"), std::string::npos);
  fs::remove_all(folder);
}

TEST(ListFiles, AHeadingIsOneOnlyOnTheFirstLineOfACsv) {
  EXPECT_EQ(*ParseListFile("ROOT\nroot\n", true, "x"), (std::vector<std::string>{"root"}));
  EXPECT_EQ(*ParseListFile("ROOT\nroot", false, "x"), (std::vector<std::string>{"ROOT", "root"}));
  EXPECT_FALSE(ParseListFile(std::string(257, 'A'), false, "x"));
  EXPECT_EQ(*ParseListFile("\"A", true, "x"), (std::vector<std::string>{"A"}));
}

TEST(KnownAbsences, AreExplainedInTheSymbolsOwnTerms) {
  const auto explain = [](const char* symbol) {
    const KnownAbsence* absence = FindKnownAbsence("GLBX.MDP3", symbol);
    return absence == nullptr ? "" : Explain(*absence, symbol);
  };
  EXPECT_EQ(explain("VX.FUT"), "Cboe futures are not traded on CME (XCBF.PITCH has it)");
  EXPECT_EQ(explain("DA.FUT"),
            "does not resolve; Globex calls class III milk DC and dry whey DY (try DC.FUT or DY.FUT)");
  EXPECT_EQ(explain("MSI.v.0"), "does not resolve; Globex calls 1,000-ounce silver SIL (try SIL.v.0)");
  EXPECT_EQ(explain("ES.FUT"), "");
  EXPECT_EQ(FindKnownAbsence("XCBF.PITCH", "VX.FUT"), nullptr);
}

}  // namespace
}  // namespace lode::symbol
