#include "lode/calendar/calendar.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lode/base/embedded.h"

namespace lode::calendar {
namespace {

Day D(const char* text) { return ParseDay(text).value(); }

std::string Text(const std::vector<SpecialDay>& days) {
  std::string text;
  for (const SpecialDay& day : days) text += fmt::format("{} {}\n", FormatDay(day.day), day.name);
  return text;
}

std::string Text(const std::optional<Session>& session) {
  if (!session) return "closed";
  return FormatIsoNs(session->open_ns).substr(0, 16) + " " + FormatIsoNs(session->close_ns).substr(0, 16) +
         (session->early_close ? " early" : "");
}

TEST(Calendars, EveryShippedFileIsOne) {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (!file.path.starts_with("calendars/")) continue;
    Result<Calendar> calendar = Calendar::Parse(file.text, "x", file.path);
    EXPECT_TRUE(calendar) << calendar.error().ToString();
    names.emplace_back(file.path.substr(10, file.path.size() - 15));
  }
  EXPECT_EQ(Names(), names);
  for (const char* name : {"XNYS", "CMES", "24_7"}) EXPECT_TRUE(std::ranges::count(names, name) == 1) << name;
}

TEST(Calendars, AreFoundByNameAndAlias) {
  EXPECT_EQ(Find("us_equities"), Find("XNYS"));
  EXPECT_EQ(Find("24/7"), Find("24_7"));
  EXPECT_EQ(Find("cme_globex")->name(), "CMES");
  EXPECT_EQ(Find("XNYS")->version(), "exchange_calendars 4.13");
  EXPECT_EQ(Find("x"), nullptr);
  EXPECT_TRUE(Get("XNYS"));
  EXPECT_TRUE(Get("XNYZ").error().message.starts_with("no calendar \"XNYZ\" (did you mean XNYS?) (known: "))
      << Get("XNYZ").error().message;
}

TEST(Calendars, NameHolidaysAndEarlyCloses) {
  const Calendar& nyse = *Find("XNYS");
  EXPECT_EQ(Text(nyse.Holidays(D("2024-03-01"), D("2024-07-04"))),
            "2024-03-29 Good Friday\n2024-05-27 Memorial Day\n2024-06-19 Juneteenth\n2024-07-04 Independence Day\n");
  EXPECT_EQ(Text(nyse.Holidays(D("2012-10-01"), D("2012-10-31"))),
            "2012-10-29 Hurricane Sandy\n2012-10-30 Hurricane Sandy\n");
  EXPECT_EQ(Text(nyse.EarlyCloses(D("2024-01-01"), D("2024-12-31"))),
            "2024-07-03 Before Independence Day\n2024-11-29 After Thanksgiving Day\n2024-12-24 Before Christmas Day\n");
  EXPECT_EQ(nyse.WhyClosed(D("2024-07-04")), "Independence Day");
  EXPECT_EQ(nyse.WhyClosed(D("2024-07-06")), "weekend");
  EXPECT_EQ(nyse.WhyClosed(D("2024-07-05")), "");
  EXPECT_EQ(nyse.WhyClosed(D("1980-07-03")), "not covered by XNYS");
  EXPECT_FALSE(nyse.IsSession(D("1980-07-03")));
  for (const std::string& name : Names()) {
    for (const SpecialDay& day : Find(name)->Holidays(D("1990-01-01"), D("2030-01-01"))) {
      EXPECT_NE(day.name, "Closed") << name << " " << FormatDay(day.day);
    }
  }
}

TEST(Calendars, SessionsFollowLocalClocks) {
  const Calendar& nyse = *Find("XNYS");
  EXPECT_EQ(Text(nyse.SessionOf(D("2024-03-08"))), "2024-03-08T14:30 2024-03-08T21:00");
  EXPECT_EQ(Text(nyse.SessionOf(D("2024-03-11"))), "2024-03-11T13:30 2024-03-11T20:00");
  EXPECT_EQ(Text(nyse.SessionOf(D("2024-11-04"))), "2024-11-04T14:30 2024-11-04T21:00");
  EXPECT_EQ(Text(nyse.SessionOf(D("2024-11-29"))), "2024-11-29T14:30 2024-11-29T18:00 early");
  EXPECT_EQ(Text(nyse.SessionOf(D("2024-11-28"))), "closed");
  const Calendar& cme = *Find("CMES");
  // Monday's session opens on Sunday evening, hours after the clock went forward.
  EXPECT_EQ(Text(cme.SessionOf(D("2024-03-08"))), "2024-03-07T23:00 2024-03-08T23:00");
  EXPECT_EQ(Text(cme.SessionOf(D("2024-03-11"))), "2024-03-10T22:00 2024-03-11T22:00");
  EXPECT_EQ(Text(cme.SessionOf(D("2024-03-10"))), "closed");
  EXPECT_EQ(cme.Sessions(D("2024-03-04"), D("2024-03-15")).size(), 10u);
  EXPECT_EQ(Text(Find("24_7")->SessionOf(D("1970-01-03"))), "1970-01-03T00:00 1970-01-04T00:00");
  EXPECT_EQ(Find("24_7")->Sessions(D("2024-02-01"), D("2024-03-01")).size(), 30u);
}

constexpr std::string_view kSmall = R"(title = "t"
version = "1"
zone = "America/Chicago"
first = 2020-01-01
last = 2020-12-31
week = ["mon", "tue", "wed", "thu", "fri"]
[[hours]]
open = "-1 19:00"
close = "13:20"
break_start = "07:45"
break_end = "08:30"
[[hours]]
from = 2020-06-01
open = "08:30"
close = "13:05"
)";

std::string Refusal(std::string toml) {
  Result<Calendar> calendar = Calendar::Parse(toml, "x", "x.toml");
  if (calendar) return "accepted";
  EXPECT_EQ(calendar.error().kind, ErrorKind::kConfig);
  return calendar.error().ToString();
}

TEST(CalendarFile, HoursChangeAndHaveBreaks) {
  Result<Calendar> calendar =
      Calendar::Parse(std::string(kSmall) + "[early_closes]\n2020-01-03 = \"07:00 x\"\n", "x", "x.toml");
  ASSERT_TRUE(calendar) << calendar.error().ToString();
  const Session session = *calendar->SessionOf(D("2020-01-02"));
  EXPECT_EQ(Text(session), "2020-01-02T01:00 2020-01-02T19:20");
  EXPECT_EQ(FormatIsoNs(*session.break_start_ns).substr(0, 16), "2020-01-02T13:45");
  EXPECT_EQ(FormatIsoNs(*session.break_end_ns).substr(0, 16), "2020-01-02T14:30");
  EXPECT_EQ(Text(calendar->SessionOf(D("2020-06-01"))), "2020-06-01T13:30 2020-06-01T18:05");
  EXPECT_FALSE(calendar->SessionOf(D("2020-06-01"))->break_start_ns);
  EXPECT_EQ(Text(calendar->SessionOf(D("2020-01-03"))), "2020-01-03T01:00 2020-01-03T13:00 early");
  EXPECT_FALSE(calendar->SessionOf(D("2020-01-03"))->break_end_ns);
  EXPECT_TRUE(calendar->IsSession(D("2020-12-31")));
  EXPECT_FALSE(calendar->IsSession(D("2021-01-01")));
  EXPECT_EQ(calendar->Sessions(D("2019-12-01"), D("2020-01-03")).size(), 3u);
}

TEST(CalendarFile, RefusesWhatIsNoCalendar) {
  const std::string small(kSmall);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = small;
    return text.replace(text.find(from), from.size(), to);
  };
  EXPECT_EQ(Refusal(small), "accepted");
  EXPECT_NE(Refusal("a = ").find("x.toml: line 1"), std::string::npos) << Refusal("a = ");
  EXPECT_NE(Refusal(with("America/Chicago", "Mars/Olympus")).find("no time zone \"Mars/Olympus\""), std::string::npos);
  EXPECT_NE(Refusal(with("version = \"1\"", "")).find("`version`"), std::string::npos);
  EXPECT_NE(Refusal(with("\"mon\"", "\"monday\"")).find("`week`"), std::string::npos);
  EXPECT_NE(Refusal(with("08:30\"\n[[", "8:30\"\n[[")).find("not a time of day: \"8:30\""), std::string::npos);
  EXPECT_NE(Refusal(with("13:20", "24:01")).find("not a time"), std::string::npos);
  EXPECT_NE(Refusal(with("13:20", "08:20")).find("backwards"), std::string::npos);
  EXPECT_NE(Refusal(with("first = 2020-01-01", "first = \"x\"")).find("`first`"), std::string::npos);
  EXPECT_NE(Refusal(with("title", "titel")).find("unknown key titel"), std::string::npos);
  EXPECT_NE(Refusal(small + "[holidays]\n2020-01-04 = \"Saturday\"\n").find("exception to nothing"), std::string::npos);
  EXPECT_NE(Refusal(small + "[holidays]\n2021-01-04 = \"after the end\"\n").find("exception to nothing"),
            std::string::npos);
  EXPECT_NE(Refusal(small + "[early_closes]\n2020-01-03 = \"13:20 as always\"\n").find("does not close early"),
            std::string::npos);
  EXPECT_NE(Refusal(small + "[holidays]\n2020-02-30 = \"x\"\n").find("x.toml"), std::string::npos);
}

}  // namespace
}  // namespace lode::calendar
