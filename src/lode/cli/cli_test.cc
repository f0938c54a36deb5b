#include <gtest/gtest.h>

#include <set>

#include "lode/cli/days.h"
#include "lode/cli/json.h"
#include "lode/cli/parse.h"
#include "lode/cli/progress.h"
#include "lode/cli/recipes.h"
#include "lode/cli/result_writers.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"
#include "lode/cli/zone.h"
#include "lode/codec/schema.h"
#include "lode/source/supply.h"

namespace lode::cli {
namespace {

const Day kToday = ToDay({2024, 3, 1});

std::string ReadDay(std::string_view text) {
  Result<DayArgument> day = ParseDayArgument(text, kToday);
  if (!day) return "refused";
  return FormatDay(day->day) + (day->notice.empty() ? "" : " with notice");
}

TEST(Days, AreReadAsPeopleWriteThem) {
  EXPECT_EQ(ReadDay("2024-01-31"), "2024-01-31");
  EXPECT_EQ(ReadDay("today"), "2024-03-01");
  EXPECT_EQ(ReadDay("yesterday"), "2024-02-29");
  EXPECT_EQ(ReadDay("-7d"), "2024-02-23");
  EXPECT_EQ(ReadDay("-0d"), "2024-03-01");
}

TEST(Days, PastTheMonthsEndAreClampedWithANotice) {
  EXPECT_EQ(ReadDay("2024-06-31"), "2024-06-30 with notice");
  EXPECT_EQ(ReadDay("2023-02-29"), "2023-02-28 with notice");
  EXPECT_EQ(ReadDay("2024-02-29"), "2024-02-29");
}

TEST(Days, OtherTextIsRefused) {
  for (const char* text : {"", "2024-1-1", "2024-13-01", "2024-00-10", "2024-01-32", "2024-01-00", "20240101", "-d",
                           "-7w", "--7d", "-7 d", "tomorrow", "2024-01-3x", "-99999999999d", "0000-01-01"}) {
    EXPECT_EQ(ReadDay(text), "refused") << text;
  }
}

TEST(Days, ARangeMustNotEndBeforeItStarts) {
  EXPECT_TRUE(ParseDayRange("2024-01-02", "2024-01-02", kToday));
  EXPECT_EQ(ParseDayRange("2024-01-02", "2024-01-01", kToday).error().kind, ErrorKind::kUsage);
  EXPECT_FALSE(ParseDayRange("", "", kToday)->first);
}

TEST(Json, EscapesWhatMustBe) {
  EXPECT_EQ(JsonText("a\"b\\c\n\x01"), R"("a\"b\\c\n\u0001")");
  EXPECT_EQ(JsonText("\xc3\xa9 \xe2\x82\xac"), "\"\xc3\xa9 \xe2\x82\xac\"");
  EXPECT_EQ(JsonText("\xff\xc3"), R"("\ufffd\ufffd")");
  EXPECT_EQ(JsonText("\xc0\x80"), R"("\ufffd\ufffd")");  // overlong
  EXPECT_EQ(JsonObject().Text("a", "b").Number("n", int64_t{-3}).Bool("t", true).Null("x").Take(),
            R"({"a":"b","n":-3,"t":true,"x":null})");
  EXPECT_EQ(JsonArray().Raw("1").Raw("2").Take(), "[1,2]");
}

TEST(Tables, AlignAndStayHarmless) {
  Table table({{"NAME"}, {"ROWS", Table::Align::kRight}});
  table.Add({"a", "1"});
  table.Add({"\x1b[31mred", "1,234"});
  table.Add({"\xc3\xa9\xc3\xa9", "22"});
  EXPECT_EQ(table.Render(),
            "NAME       ROWS\n"
            "a             1\n"
            "?[31mred  1,234\n"
            "\xc3\xa9\xc3\xa9           22\n");
}

TEST(Tables, FiguresAreReadable) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1234567), "1,234,567");
  EXPECT_EQ(Grouped(-123456), "-123,456");
  EXPECT_EQ(Bytes(1023), "1023 B");
  EXPECT_EQ(Bytes(1536), "1.5 KiB");
  EXPECT_EQ(Count(1, "file"), "1 file");
  EXPECT_EQ(Count(2000, "file"), "2,000 files");
}

TEST(Csv, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(CsvField("plain"), "plain");
  EXPECT_EQ(CsvField("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvField("say \"x\""), "\"say \"\"x\"\"\"");
  EXPECT_EQ(CsvField(""), "\"\"");  // unlike null, which is an empty field
}

TEST(Progress, TellsShareRateAndTimeLeft) {
  EXPECT_EQ(ProgressLine(512, 1024, 2000, 2),
            "[==========>         ]  50 %  512 B / 1.0 KiB  2,000 rows  1,000 rows/s  ETA 0:02");
  EXPECT_EQ(ProgressLine(0, 0, 0, 0), "[>                   ]   0 %  0 B / 0 B  0 rows");
}

TEST(Zones, ShiftOnlyWhatIsShown) {
  EXPECT_EQ(InZone("2024-01-02T15:00:00.5Z", ""), "2024-01-02T15:00:00.5Z");
  EXPECT_EQ(InZone("2024-01-02T15:00:00.5Z", "America/New_York"), "2024-01-02 10:00:00.5 EST");
  EXPECT_EQ(InZone("1969-12-31T23:59:59.9Z", "UTC"), "1969-12-31 23:59:59.9 UTC");
  EXPECT_FALSE(CheckZone("Mars/Olympus"));
}

Result<ParsedLine> Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "lode");
  return ParseCommandLine(static_cast<int>(words.size()), words.data());
}

TEST(CommandLine, TakesGlobalOptionsOnEitherSide) {
  for (const auto& words : {std::vector<const char*>{"--lake", "/x", "--json", "gaps", "a", "-s", "-7d"},
                            std::vector<const char*>{"gaps", "a", "-s", "-7d", "--lake", "/x", "--json"}}) {
    Result<ParsedLine> line = Parse(words);
    ASSERT_TRUE(line) << line.error().ToString();
    EXPECT_EQ(line->entry->name, "gaps");
    EXPECT_EQ(line->options.lake, "/x");
    EXPECT_TRUE(line->options.json);
  }
}

std::string Refusal(std::vector<const char*> words) {
  Result<ParsedLine> line = Parse(std::move(words));
  if (line) return "accepted";
  EXPECT_EQ(line.error().kind, ErrorKind::kUsage);
  return line.error().message;
}

TEST(CommandLine, NamesTheNearestCommandOrFlag) {
  EXPECT_NE(Refusal({"staus"}).find("unknown command staus (did you mean status?)"), std::string::npos);
  EXPECT_NE(Refusal({"--lake", "/x", "gasp"}).find("did you mean gaps?"), std::string::npos);
  EXPECT_NE(Refusal({"config", "shwo"}).find("unknown command config shwo (did you mean show?)"), std::string::npos);
  EXPECT_NE(Refusal({"gaps", "--strat", "x"}).find("unknown flag --strat (did you mean --start?)"), std::string::npos);
  EXPECT_NE(Refusal({"status", "--jsn"}).find("did you mean --json?"), std::string::npos);
  EXPECT_NE(Refusal({"explain", "a", "b"}).find("explain"), std::string::npos);
  EXPECT_NE(Refusal({"ledger"}).find("rebuild"), std::string::npos);
  EXPECT_NE(Refusal({"gaps", "-s"}).find("--start"), std::string::npos);
}

TEST(CommandLine, HelpNamesEveryCommand) {
  std::string help = ProgramHelp();
  std::set<std::string_view> names;
  for (const CommandEntry& entry : Commands()) {
    EXPECT_NE(help.find(entry.name), std::string::npos);
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
  }
  EXPECT_EQ(Parse({})->text, help);
  EXPECT_EQ(Parse({"--version"})->text.substr(0, 5), "lode ");
}

TEST(Recipes, AreValidConfiguration) {
  ASSERT_TRUE(Config::Parse(ConfigTemplate(), "template"));
  std::string uncommented;  // what the template proposes must be accepted when somebody uncomments it
  for (size_t start = 0; start < ConfigTemplate().size();) {
    size_t end = ConfigTemplate().find('\n', start);
    std::string line = ConfigTemplate().substr(start, end - start);
    if (line.starts_with("# [") || (line.starts_with("# ") && line.find(" = ") != std::string::npos)) {
      uncommented += line.substr(2) + "\n";
    }
    start = end + 1;
  }
  Result<Config> config = Config::Parse(uncommented, "template");
  ASSERT_TRUE(config) << config.error().ToString() << "\n" << uncommented;
  EXPECT_NE(config->FindDataset("futures_1d"), nullptr);
  for (const std::string& name : RecipeNames()) {
    const Recipe* recipe = FindRecipe(name);
    ASSERT_NE(recipe, nullptr) << name;
    EXPECT_FALSE(recipe->datasets.empty()) << name;
    for (const DatasetConfig& dataset : recipe->datasets) {
      EXPECT_TRUE(CheckDatasetName(dataset.name));
      EXPECT_NE(codec::FindSchema(dataset.schema_name()), nullptr) << dataset.name;
      EXPECT_TRUE(dataset.start || dataset.source == "fred" || source::IsSnapshot(dataset)) << dataset.name;
    }
  }
}

}  // namespace
}  // namespace lode::cli
