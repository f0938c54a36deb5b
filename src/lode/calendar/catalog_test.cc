#include "lode/calendar/catalog.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>

#include "lode/base/embedded.h"

namespace lode::calendar {
namespace {

namespace fs = std::filesystem;

TEST(Catalog, HoldsEveryShippedFile) {
  const Catalog catalog = Catalog::Read({}).value();
  std::vector<std::string> files, names;
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (!file.path.starts_with("calendars/")) continue;
    files.emplace_back(file.path.substr(10, file.path.size() - 15));
    const Result<Calendar> calendar = Calendar::Parse(file.text, "x", std::string(file.path));
    EXPECT_TRUE(calendar) << calendar.error().ToString();
  }
  for (const Calendar& calendar : catalog.calendars()) {
    names.push_back(calendar.name());
    EXPECT_FALSE(calendar.title().empty()) << calendar.name();
    EXPECT_FALSE(calendar.version().empty()) << calendar.name();
    for (Day day = ToDay({1990, 1, 1}); day < ToDay({2028, 1, 1}); day = day + 1) {
      const std::string name = calendar.NameOf(day);
      EXPECT_TRUE(name != "Closed" && name != "Early close") << calendar.name() << " " << FormatDay(day);
    }
  }
  EXPECT_EQ(names, files);
}

// Names, other names and roots mean one calendar each.
TEST(Catalog, IsUnambiguous) {
  const Catalog catalog = Catalog::Read({}).value();
  std::vector<std::string> words;
  for (const Calendar& calendar : catalog.calendars()) {
    words.push_back(calendar.name());
    std::ranges::copy(calendar.aliases(), std::back_inserter(words));
    std::ranges::copy(calendar.roots(), std::back_inserter(words));
  }
  std::ranges::sort(words);
  EXPECT_EQ(std::ranges::adjacent_find(words), words.end()) << *std::ranges::adjacent_find(words);
}

TEST(Catalog, FindsByNameVenueAndRoot) {
  const Catalog catalog = Catalog::Read({}).value();
  const auto name_of = [&](std::string_view word) {
    const Calendar* found = catalog.Find(word);
    return found == nullptr ? std::string() : found->name();
  };
  EXPECT_EQ(name_of("us_equities"), "XNYS");
  EXPECT_EQ(name_of("24/7"), "24_7");
  EXPECT_EQ(name_of("GLBX.MDP3"), "CMES");
  EXPECT_EQ(name_of("XNAS.ITCH"), "XNYS");
  EXPECT_EQ(name_of("OPRA.PILLAR"), "CBOE_Equity_Options");
  EXPECT_EQ(name_of("IFUS.IMPACT"), "ICEUS");
  EXPECT_EQ(name_of("CMEGlobex_NatGas"), "CMEGlobex_Energy");
  EXPECT_EQ(name_of("ES"), "CME_Equity");
  EXPECT_EQ(name_of("ZN.FUT"), "CMEGlobex_FixedIncome");
  EXPECT_EQ(name_of("CL.v.0"), "CMEGlobex_Energy");
  EXPECT_EQ(name_of("ZC"), "CMEGlobex_Grains");
  EXPECT_EQ(name_of("HE.OPT"), "CMEGlobex_Livestock");
  EXPECT_EQ(name_of("6E"), "CMEGlobex_FX");
  EXPECT_EQ(name_of("nothing"), "");
  EXPECT_EQ(name_of(""), "");
  EXPECT_TRUE(catalog.Get("XNYS"));
  const Result<const Calendar*> none = catalog.Get("XNYZ");
  EXPECT_EQ(none.error().kind, ErrorKind::kConfig);
  EXPECT_TRUE(none.error().message.starts_with("no calendar \"XNYZ\" (did you mean XNYS?) (known: 24_7, "))
      << none.error().message;
}

class OwnCalendars : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "lode_calendars_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }
  void Write(const char* name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  fs::path folder_;
};

TEST_F(OwnCalendars, ReplaceAndJoinTheShipped) {
  Write("XNYS.toml", "base = \"XNYS\"\n[holidays]\n2024-03-01 = \"own\"\n");
  Write("desk.toml", "base = \"CMES\"\nnames = [\"cme_globex\"]\n");
  Write("README.md", "not a calendar");
  const Result<Catalog> catalog = Catalog::Read(folder_);
  ASSERT_TRUE(catalog) << catalog.error().ToString();
  EXPECT_EQ(catalog->calendars().size(), Catalog::Read({}).value().calendars().size() + 1);
  EXPECT_EQ(catalog->Find("XNYS")->NameOf(ToDay({2024, 3, 1})), "own");
  EXPECT_EQ(catalog->Find("us_equities"), catalog->Find("XNYS"));  // other names go on
  EXPECT_EQ(catalog->Find("XNYS")->origin(), (folder_ / "XNYS.toml").string());
  EXPECT_EQ(catalog->Find("cme_globex")->name(), "desk");  // the user's first
  EXPECT_EQ(catalog->Find("GLBX.MDP3")->name(), "CMES");
}

TEST_F(OwnCalendars, NameFileAndLineThatAreWrong) {
  Write("desk.toml", "base = \"CMES\"\n\n[holidays]\n2024-03-02 = \"a Saturday\"\n");
  EXPECT_EQ(Catalog::Read(folder_).error().ToString(),
            folder_.string() + "/desk.toml:4: 2024-03-02 is an exception to nothing: it has no session");
  EXPECT_EQ(Catalog::Read(folder_ / "none").error().ToString(),
            "calendars.folder: " + folder_.string() + "/none: No such file or directory");
}

}  // namespace
}  // namespace lode::calendar
