// Sessions against other people's: the lists of exchange_calendars in $LODE_SHARED_CALENDARS, every day of them, and
// always a sample of them that lies in the tree (made by data/calendars/renew.py).
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "lode/calendar/calendar.h"

namespace lode::calendar {
namespace {

std::vector<std::vector<std::string>> ReadCsv(const std::string& file) {
  std::ifstream in(file);
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    rows.emplace_back();
    for (std::string field; std::getline(fields, field, ',');) rows.back().push_back(field);
  }
  return rows;
}

// One expected day; no instants: closed.
struct Expected {
  std::string open, close;
  bool early = false;
};

void Check(const Calendar& calendar, Day day, const Expected& expected) {
  const std::optional<Session> session = calendar.SessionOf(day);
  const std::string where = calendar.name() + " " + FormatDay(day);
  ASSERT_EQ(session.has_value(), !expected.open.empty()) << where;
  ASSERT_EQ(calendar.IsSession(day), session.has_value()) << where;
  if (!session) return;
  ASSERT_EQ(session->open_ns, ParseIsoNs(expected.open).value()) << where;
  ASSERT_EQ(session->close_ns, ParseIsoNs(expected.close).value()) << where;
  ASSERT_EQ(session->early_close, expected.early) << where;
}

// The lists that the sample was drawn from, where somebody has them.
void CheckWholeLists(const std::string& folder) {
  for (const std::string& name : Names()) {
    const auto rows = ReadCsv(folder + "/xc_" + name + ".csv");
    ASSERT_GT(rows.size(), 1000u) << name;
    std::map<Day, Expected> sessions;
    for (size_t i = 1; i < rows.size(); ++i) {
      const std::vector<std::string>& row = rows[i];
      ASSERT_EQ(row.size(), 6u);
      sessions[ParseDay(row[0]).value()] = {row[1], row[4], row[5] == "1"};
    }
    const Day last = sessions.rbegin()->first;
    for (Day day = sessions.begin()->first; day <= last; day = day + 1) Check(*Find(name), day, sessions[day]);
  }
}

TEST(Sessions, EqualTheLists) {
  const auto rows = ReadCsv(LODE_SOURCE_DIR "/src/lode/calendar/testing/sessions_sample.csv");
  ASSERT_GT(rows.size(), 800u);
  for (size_t i = 1; i < rows.size(); ++i) {
    const std::vector<std::string>& row = rows[i];
    ASSERT_EQ(row.size(), 5u);
    const Calendar* calendar = Find(row[0]);
    ASSERT_NE(calendar, nullptr) << row[0];
    Check(*calendar, ParseDay(row[1]).value(), {row[2], row[3], row[4] == "1"});
  }
  if (const char* folder = std::getenv("LODE_SHARED_CALENDARS")) CheckWholeLists(folder);
}

}  // namespace
}  // namespace lode::calendar
