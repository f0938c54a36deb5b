// Sessions against other people's: those of exchange_calendars and pandas_market_calendars. testing/reference.csv holds
// a hash over all sessions of each list and year, opens and closes included.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "lode/base/hashing.h"
#include "lode/calendar/catalog.h"

namespace lode::calendar {
namespace {

using Row = std::map<std::string, std::string>;

std::vector<Row> ReadCsv(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::string> columns;
  std::vector<Row> rows;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::vector<std::string> texts;
    for (std::string field; std::getline(fields, field, ',');) texts.push_back(field);
    if (columns.empty()) {
      columns = texts;
      continue;
    }
    Row& row = rows.emplace_back();
    for (size_t i = 0; i < texts.size(); ++i) row[columns.at(i)] = texts[i];
  }
  return rows;
}

const Catalog& Shipped() {
  static const Catalog shipped = Catalog::Read({}).value();
  return shipped;
}

// "xc_CMES" is of a calendar CMES.
const Calendar* CalendarOf(const std::string& list) { return Shipped().Find(list.substr(list.find('_') + 1)); }

std::string Second(int64_t ns) { return FormatIsoNs(ns).substr(0, 19) + "Z"; }

std::string Line(const Session& session) {
  const auto moment = [](const std::optional<int64_t>& ns) { return ns ? Second(*ns) : "-"; };
  return fmt::format("{} {} {} {} {} {}", FormatDay(session.day), Second(session.open_ns), Second(session.close_ns),
                     moment(session.break_start_ns), moment(session.break_end_ns), session.early_close ? 1 : 0);
}

TEST(Sessions, EqualThePackagesByYear) {
  std::map<std::string, std::set<int>> years;
  for (Row& row : ReadCsv(LODE_SOURCE_DIR "/src/lode/calendar/testing/reference.csv")) {
    const std::string where = row["list"] + " " + row["year"];
    const Calendar* calendar = CalendarOf(row["list"]);
    ASSERT_NE(calendar, nullptr) << where;
    const int year = std::stoi(row["year"]);
    size_t early_closes = 0;
    Sha256 sha256;
    const std::vector<Session> sessions = calendar->Sessions(ToDay({year, 1, 1}), ToDay({year, 12, 31}));
    for (const Session& session : sessions) {
      sha256.Update(Line(session) + "\n");
      early_closes += session.early_close ? 1 : 0;
    }
    EXPECT_EQ(sessions.size(), std::stoul(row["sessions"])) << where;
    EXPECT_EQ(early_closes, std::stoul(row["early_closes"])) << where;
    EXPECT_EQ(sha256.HexDigest().substr(0, 16), row["sha256"]) << where;
    years[row["list"]].insert(year);
  }
  EXPECT_EQ(years.size(), 24u);
  std::set<std::string> compared;
  for (const auto& [list, of_list] : years) {
    compared.insert(CalendarOf(list)->name());
    for (int year = 2010; year <= 2027; ++year) EXPECT_TRUE(of_list.contains(year)) << list << " " << year;
  }
  for (const Calendar& calendar : Shipped().calendars()) {
    EXPECT_TRUE(compared.contains(calendar.name())) << calendar.name() << " has no reference";
  }
}

}  // namespace
}  // namespace lode::calendar
