#include "lode/calendar/calendar.h"

#include <date/tz.h>
#include <gtest/gtest.h>

#include <clocale>
#include <cstdlib>
#include <set>

#include "lode/calendar/catalog.h"

namespace lode::calendar {
namespace {

Day D(const char* text) { return ParseDay(text).value(); }

const Catalog& Shipped() {
  static const Catalog shipped = Catalog::Read({}).value();
  return shipped;
}

std::string Minute(int64_t ns) { return FormatIsoNs(ns).substr(0, 16); }

// "2024-11-29T14:30 2024-11-29T18:00 early: After Thanksgiving Day", "closed: Good Friday".
std::string On(const Calendar& calendar, const char* day) {
  const std::optional<Session> session = calendar.SessionOf(D(day));
  const std::string name = calendar.NameOf(D(day));
  const std::string why = name.empty() ? "" : ": " + name;
  if (!session) return "closed" + why;
  return Minute(session->open_ns) + " " + Minute(session->close_ns) + (session->early_close ? " early" : "") + why;
}

std::string On(const char* calendar, const char* day) { return On(*Shipped().Find(calendar), day); }

// "closed", "open" or the local close of an early one, by calendar.
std::string Short(const char* calendar, const char* day) {
  const Calendar& found = *Shipped().Find(calendar);
  const std::optional<Session> session = found.SessionOf(D(day));
  if (!session) return "closed";
  if (!session->early_close) return "open";
  const date::sys_time<std::chrono::nanoseconds> close{std::chrono::nanoseconds(session->close_ns)};
  return date::format(
      "%H:%M", date::make_zoned(std::string(found.zone_name()), std::chrono::floor<std::chrono::minutes>(close)));
}

TEST(Calendars, KnowTheDaysEverybodyRemembers) {
  for (const char* day : {"2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14"}) {
    EXPECT_EQ(On("XNYS", day), "closed: Attacks of September 11") << day;
  }
  EXPECT_EQ(Short("XNYS", "2001-09-10"), "open");
  EXPECT_EQ(Short("XNYS", "2001-09-17"), "open");
  for (const char* day : {"2012-10-29", "2012-10-30"}) {
    EXPECT_EQ(On("XNYS", day), "closed: Hurricane Sandy") << day;
    EXPECT_EQ(On("us_options", day), "closed: Hurricane Sandy") << day;
    EXPECT_EQ(Short("CMES", day), "open") << day;  // electronic trading went on
  }
  EXPECT_EQ(Short("XNYS", "2012-10-31"), "open");
  EXPECT_EQ(On("XNYS", "2018-12-05"), "closed: Mourning of President G. H. W. Bush");
  EXPECT_EQ(Short("cme_fx", "2018-12-05"), "open");
  EXPECT_EQ(Short("cme_energy", "2018-12-05"), "open");
  EXPECT_EQ(On("XNYS", "2025-01-09"), "closed: Mourning of President Carter");
  EXPECT_EQ(On("XLON", "2022-09-19"), "closed: State funeral of the Queen");
  EXPECT_EQ(On("XLON", "2024-12-24"), "2024-12-24T08:00 2024-12-24T12:30 early: Before Christmas Day");
}

// Good Friday: stocks never trade; futures on them do for an hour or two when the jobs report comes that day.
TEST(Calendars, KnowGoodFriday) {
  for (const char* day : {"2010-04-02", "2012-04-06", "2015-04-03", "2021-04-02", "2023-04-07", "2024-03-29"}) {
    EXPECT_EQ(On("XNYS", day), "closed: Good Friday") << day;
    EXPECT_EQ(Short("cme_energy", day), "closed") << day;
    EXPECT_EQ(Short("cme_grains", day), "closed") << day;
  }
  EXPECT_EQ(Short("cme_equity", "2015-04-03"), "08:15");
  EXPECT_EQ(Short("cme_equity", "2021-04-02"), "08:15");
  EXPECT_EQ(Short("cme_equity", "2023-04-07"), "08:15");
  EXPECT_EQ(Short("cme_fx", "2023-04-07"), "10:15");
  EXPECT_EQ(Short("cme_rates", "2023-04-07"), "10:15");
  EXPECT_EQ(Short("cme_equity", "2019-04-19"), "closed");
  EXPECT_EQ(Short("cme_equity", "2022-04-15"), "closed");
  EXPECT_EQ(Short("cme_fx", "2015-04-03"), "closed");
}

TEST(Calendars, KnowJuneteenth) {
  EXPECT_EQ(Short("XNYS", "2020-06-19"), "open");
  EXPECT_EQ(Short("XNYS", "2021-06-18"), "open");
  for (const char* day : {"2022-06-20", "2023-06-19", "2024-06-19", "2025-06-19", "2026-06-19", "2027-06-18"}) {
    EXPECT_EQ(On("XNYS", day), "closed: Juneteenth") << day;
    EXPECT_NE(Short("cme_equity", day), "closed") << day;  // a short session
  }
}

TEST(Calendars, KnowTheDayAfterThanksgiving) {
  const auto closes = [](const char* calendar) {
    std::set<std::string> found;
    for (const char* day : {"2010-11-26", "2015-11-27", "2019-11-29", "2023-11-24", "2024-11-29", "2027-11-26"}) {
      found.insert(Short(calendar, day));
    }
    return fmt::format("{}", fmt::join(found, " "));
  };
  EXPECT_EQ(closes("XNYS"), "13:00");
  EXPECT_EQ(closes("us_options"), "12:00");
  EXPECT_EQ(closes("cme_equity"), "12:00");
  EXPECT_EQ(closes("cme_fx"), "12:15");
  EXPECT_EQ(closes("cme_livestock"), "12:05");
  EXPECT_EQ(closes("CFE"), "12:15");
  EXPECT_EQ(closes("ICEUS"), "open");
  EXPECT_EQ(On("XNYS", "2024-11-29"), "2024-11-29T14:30 2024-11-29T18:00 early: After Thanksgiving Day");
  EXPECT_EQ(On("XNYS", "2024-11-28"), "closed: Thanksgiving Day");
}

TEST(Calendars, EndWhereTheirListsEnd) {
  EXPECT_EQ(FormatDay(*Shipped().Find("XNYS")->first()), "1990-01-02");
  for (const Calendar& calendar : Shipped().calendars()) {
    if (calendar.name() == "24_7") continue;
    EXPECT_LE(*calendar.first(), D("2000-01-04")) << calendar.name();
    EXPECT_EQ(FormatDay(*calendar.last()), "2027-12-31") << calendar.name();
    EXPECT_FALSE(calendar.IsSession(*calendar.last() + 3)) << calendar.name();
  }
  EXPECT_EQ(On("24_7", "1970-01-03"), "1970-01-03T00:00 1970-01-04T00:00");
  EXPECT_EQ(Shipped().Find("24_7")->Sessions(D("2024-02-01"), D("2024-03-01")).size(), 30u);
  EXPECT_EQ(Shipped().Find("CMES")->Sessions(D("2024-03-04"), D("2024-03-15")).size(), 10u);
}

TEST(Calendars, SessionsFollowLocalClocks) {
  EXPECT_EQ(On("XNYS", "2024-03-08"), "2024-03-08T14:30 2024-03-08T21:00");
  EXPECT_EQ(On("XNYS", "2024-03-11"), "2024-03-11T13:30 2024-03-11T20:00");
  EXPECT_EQ(On("XNYS", "2024-11-04"), "2024-11-04T14:30 2024-11-04T21:00");
  // Monday's session opens on Sunday evening, hours after the clock went forward.
  EXPECT_EQ(On("CMES", "2024-03-08"), "2024-03-07T23:00 2024-03-08T23:00");
  EXPECT_EQ(On("CMES", "2024-03-11"), "2024-03-10T22:00 2024-03-11T22:00");
  EXPECT_EQ(On("CMES", "2024-03-10"), "closed");
}

// A usual session's local open and close, days counted from the session's: "-1 17:00 +0 16:00".
std::string LocalClocks(const Calendar& calendar, const Session& session) {
  const date::time_zone* const zone = date::locate_zone(std::string(calendar.zone_name()));
  std::string text;
  for (const int64_t ns : {session.open_ns, session.close_ns}) {
    const auto local = zone->to_local(date::sys_seconds(std::chrono::seconds(ns / kNsPerSecond)));
    const auto midnight = date::floor<date::days>(local);
    text += fmt::format("{:+} {} ", midnight.time_since_epoch().count() - session.day.since_epoch,
                        date::format("%H:%M", date::floor<std::chrono::minutes>(local)));
  }
  return text;
}

// Oracle: the machine's time zone database says when clocks change and what they show; exchanges keep their local hours
// across each change, so the instants move by the hour and stay on the session's day.
TEST(Calendars, KeepLocalHoursAcrossEveryChangeOfClocks) {
  for (const Calendar& calendar : Shipped().calendars()) {
    const date::time_zone* const zone = date::locate_zone(std::string(calendar.zone_name()));
    int changes = 0;
    for (Day day = D("2000-01-05"); day < D("2027-12-24"); day = day + 1) {
      const auto noon = [&](Day of) { return date::sys_seconds(date::days(of.since_epoch) + std::chrono::hours(12)); };
      if (zone->get_info(noon(day)).offset == zone->get_info(noon(day + 1)).offset) continue;
      ++changes;
      std::set<std::string> clocks;
      const std::vector<Session> sessions = calendar.Sessions(day - 4, day + 5);
      EXPECT_GE(sessions.size(), 5u) << calendar.name() << " " << FormatDay(day);
      for (size_t i = 0; i < sessions.size(); ++i) {
        if (!sessions[i].early_close) clocks.insert(LocalClocks(calendar, sessions[i]));
        EXPECT_LT(sessions[i].open_ns, sessions[i].close_ns);
        EXPECT_TRUE(i == 0 || sessions[i - 1].close_ns <= sessions[i].open_ns) << FormatDay(sessions[i].day);
      }
      EXPECT_EQ(clocks.size(), 1u) << calendar.name() << " " << FormatDay(day) << ": "
                                   << fmt::format("{}", fmt::join(clocks, "| "));
    }
    EXPECT_EQ(changes, calendar.zone_name() == "UTC" ? 0 : 56) << calendar.name();
  }
}

TEST(Calendars, DependOnNeitherTimeZoneNorLocaleOfTheMachine) {
  const char* const zone = std::getenv("TZ");
  const std::string old_zone = zone == nullptr ? "" : zone;
  for (const char* tz : {"UTC", "America/Chicago", "Pacific/Apia", "Asia/Kathmandu"}) {
    ::setenv("TZ", tz, 1);
    ::tzset();
    std::setlocale(LC_ALL, tz[0] == 'P' ? "tr_TR.UTF-8" : "de_DE.UTF-8");  // where the machine has them
    const Catalog catalog = Catalog::Read({}).value();
    EXPECT_EQ(On(*catalog.Find("cme_fx"), "2024-03-11"), "2024-03-10T22:00 2024-03-11T21:00") << tz;
    EXPECT_EQ(On(*catalog.Find("XNYS"), "2024-11-29"),
              "2024-11-29T14:30 2024-11-29T18:00 early: After Thanksgiving Day")
        << tz;
  }
  std::setlocale(LC_ALL, "C");
  zone == nullptr ? ::unsetenv("TZ") : ::setenv("TZ", old_zone.c_str(), 1);
  ::tzset();
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

Result<Calendar> Parse(const std::string& toml) { return Calendar::Parse(toml, "x", "x.toml", Shipped().calendars()); }

std::string Refusal(const std::string& toml) {
  Result<Calendar> calendar = Parse(toml);
  if (calendar) return "accepted";
  EXPECT_EQ(calendar.error().kind, ErrorKind::kConfig);
  return calendar.error().ToString();
}

TEST(CalendarFile, HoursChangeAndHaveBreaks) {
  Result<Calendar> calendar = Parse(std::string(kSmall) + "[early_closes]\n2020-01-03 = \"07:00 x\"\n");
  ASSERT_TRUE(calendar) << calendar.error().ToString();
  const Session session = *calendar->SessionOf(D("2020-01-02"));
  EXPECT_EQ(On(*calendar, "2020-01-02"), "2020-01-02T01:00 2020-01-02T19:20");
  EXPECT_EQ(Minute(*session.break_start_ns), "2020-01-02T13:45");
  EXPECT_EQ(Minute(*session.break_end_ns), "2020-01-02T14:30");
  EXPECT_EQ(On(*calendar, "2020-06-01"), "2020-06-01T13:30 2020-06-01T18:05");
  EXPECT_FALSE(calendar->SessionOf(D("2020-06-01"))->break_start_ns);
  EXPECT_EQ(On(*calendar, "2020-01-03"), "2020-01-03T01:00 2020-01-03T13:00 early: x");
  EXPECT_FALSE(calendar->SessionOf(D("2020-01-03"))->break_end_ns);
  EXPECT_TRUE(calendar->IsSession(D("2020-12-31")));
  EXPECT_FALSE(calendar->IsSession(D("2021-01-01")));
  EXPECT_EQ(calendar->Sessions(D("2019-12-01"), D("2020-01-03")).size(), 3u);
}

TEST(CalendarFile, BeginsWithAShippedOne) {
  Result<Calendar> desk = Parse(R"(base = "XNYS"
[sessions]
2024-07-06 = "make-up Saturday"
2024-07-04 = "we trade"
2024-11-29 = "no early close here"
[holidays]
2024-12-24 = "office closed"
2024-03-28 = "the day before Good Friday"
[early_closes]
2024-07-03 = "12:00 earlier still"
2024-07-06 = "11:00 make-up Saturday"
2024-02-01 = "15:00 party"
)");
  ASSERT_TRUE(desk) << desk.error().ToString();
  EXPECT_EQ(On(*desk, "2024-07-03"), "2024-07-03T13:30 2024-07-03T16:00 early: earlier still");
  EXPECT_EQ(On(*desk, "2024-07-04"), "2024-07-04T13:30 2024-07-04T20:00: we trade");
  EXPECT_EQ(On(*desk, "2024-07-06"), "2024-07-06T13:30 2024-07-06T15:00 early: make-up Saturday");
  EXPECT_EQ(On(*desk, "2024-11-29"), "2024-11-29T14:30 2024-11-29T21:00: no early close here");
  EXPECT_EQ(On(*desk, "2024-12-24"), "closed: office closed");
  EXPECT_EQ(On(*desk, "2024-03-28"), "closed: the day before Good Friday");
  EXPECT_EQ(On(*desk, "2024-02-01"), "2024-02-01T14:30 2024-02-01T20:00 early: party");
  EXPECT_EQ(On(*desk, "2024-12-25"), "closed: Christmas Day");
  EXPECT_EQ(desk->name(), "x");
  EXPECT_EQ(desk->version(), Shipped().Find("XNYS")->version());
  EXPECT_TRUE(desk->aliases().empty());
}

TEST(CalendarFile, NamesTheLineThatIsWrong) {
  const std::string small(kSmall);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = small;
    return text.replace(text.find(from), from.size(), to);
  };
  EXPECT_EQ(Refusal(small), "accepted");
  EXPECT_TRUE(Refusal("a = ").starts_with("x.toml:1: ")) << Refusal("a = ");
  EXPECT_EQ(Refusal("title = \"t\""), "x.toml:1: neither `zone` nor `base`");
  EXPECT_EQ(Refusal(with("America/Chicago", "Mars/Olympus")), "x.toml:3: no time zone \"Mars/Olympus\"");
  EXPECT_EQ(Refusal(with("\"mon\"", "\"monday\"")), "x.toml:6: `week` is of sun, mon, tue, wed, thu, fri, sat");
  EXPECT_EQ(Refusal(with("[\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]", "[]")),
            "x.toml:1: `week` is missing: the weekdays that trade");
  EXPECT_EQ(Refusal(with("08:30\"\n[[", "8:30\"\n[[")),
            "x.toml:11: not a time of day: \"8:30\" (write 09:30, 24:00 or -1 17:00)");
  EXPECT_EQ(Refusal(with("13:20", "24:01")), "x.toml:9: not a time of day: \"24:01\" (write 09:30, 24:00 or -1 17:00)");
  EXPECT_EQ(Refusal(with("13:20", "08:20")), "x.toml:7: [[hours]] run backwards");
  EXPECT_EQ(Refusal(small + "[[hours]]\nfrom = 2020-05-01\nopen = \"01:00\"\nclose = \"02:00\"\n"),
            "x.toml:16: [[hours]] are not in the order of `from`");
  EXPECT_EQ(Refusal(with("first = 2020-01-01", "first = \"x\"")),
            "x.toml:4: not a date (write 2024-01-31, without quotes)");
  EXPECT_TRUE(Refusal(with("title", "titel")).starts_with("x.toml:1: unknown key titel (known: "));
  EXPECT_EQ(Refusal(small + "[holidays]\n2020-01-04 = \"Saturday\"\n"),
            "x.toml:17: 2020-01-04 is an exception to nothing: it has no session");
  EXPECT_EQ(Refusal(small + "[holidays]\n2021-01-04 = \"after the end\"\n"),
            "x.toml:17: 2021-01-04 is an exception to nothing: it has no session");
  EXPECT_EQ(Refusal(small + "[early_closes]\n2020-01-03 = \"13:20 as always\"\n"),
            "x.toml:17: 2020-01-03 does not close early at 13:20");
  EXPECT_TRUE(Refusal(small + "[holidays]\n2020-02-30 = \"x\"\n").starts_with("x.toml:17: "));
  EXPECT_EQ(Refusal(small + "[holidays]\n2020-02-03 = 1\n"), "x.toml:17: 2020-02-03 has no name");
  EXPECT_EQ(Refusal("holidays = 3\n" + small), "x.toml:1: `holidays` is not a table of days");
  EXPECT_EQ(Refusal(small + "[sessions]\n2020-02-03 = \"x\"\n"), "x.toml:17: 2020-02-03 is a usual session anyway");
  EXPECT_EQ(Refusal(small + "[sessions]\n2019-02-02 = \"x\"\n"),
            "x.toml:17: 2019-02-02 is before `first` or after `last`");
  EXPECT_EQ(Refusal(small + "[sessions]\n2020-02-01 = \"x\"\n[holidays]\n2020-02-01 = \"y\"\n"),
            "x.toml:19: 2020-02-01 is both a holiday and in [sessions]");
  EXPECT_EQ(Refusal("base = \"XNYS\"\nweek = [\"mon\"]\n"),
            "x.toml:2: week is that of the base; leave out `base` for your own");
  EXPECT_TRUE(
      Refusal("base = \"XNYZ\"\n").starts_with("x.toml:1: no shipped calendar \"XNYZ\" to begin with (known: "));
}

}  // namespace
}  // namespace lode::calendar
