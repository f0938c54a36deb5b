// lode calendar [NAME] [-s DAY] [-e DAY]
#include "lode/base/log.h"
#include "lode/calendar/catalog.h"
#include "lode/cli/commands.h"
#include "lode/cli/days.h"
#include "lode/cli/table.h"
#include "lode/cli/zone.h"

namespace lode::cli {
namespace {

constexpr int kFirstYear = 1900, kLastYear = 2200;  // of what is shown: instants have their ends

std::string JsonTexts(const std::vector<std::string>& texts) {
  JsonArray array;
  for (const std::string& text : texts) array.Raw(JsonText(text));
  return array.Take();
}

std::string DayText(const std::optional<Day>& day) { return day ? FormatDay(*day) : std::string(); }

// "2024-01-02T14:30:00Z"
std::string Instant(int64_t ns) { return FormatIsoNs(ns).substr(0, 19) + "Z"; }

// "2024-01-02 09:30 EST", whatever --tz says.
std::string Local(const calendar::Calendar& calendar, int64_t ns) {
  std::string text = InZone(Instant(ns), std::string(calendar.zone_name()));
  return text.erase(16, 3);
}

std::string Note(const calendar::Session& session, const std::string& name) {
  if (!session.early_close) return name;
  return name.empty() ? "early close" : "early close: " + name;
}

class CalendarCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("NAME", names_, 0, 1,
                         "a calendar, a vendor's dataset or the root of a future; none: lists them");
    arguments.Option("-s,--start", "DAY", start_,
                     "first day: YYYY-MM-DD, today, yesterday, -7d; else that of the year");
    arguments.Option("-e,--end", "DAY", end_, "last day, inclusive; else that of the start's year");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(const DayRange range, ParseDayRange(start_, end_, session.today()));
    LODE_TRY(session.config_for_new_lake());
    LODE_TRY(const calendar::Catalog* catalog, calendar::ProgramCatalog());
    if (names_.empty()) {
      if (range.first || range.last) return Fail(ErrorKind::kUsage, "calendar: -s and -e need a NAME");
      List(session, *catalog);
      return 0;
    }
    LODE_TRY(const calendar::Calendar* calendar, catalog->Get(names_.front()));
    const int year = ToYearMonthDay(range.first ? *range.first : range.last.value_or(session.today())).year;
    const Day first = range.first.value_or(ToDay({year, 1, 1})), last = range.last.value_or(ToDay({year, 12, 31}));
    if (first < ToDay({kFirstYear, 1, 1}) || last > ToDay({kLastYear, 12, 31})) {
      return Fail(ErrorKind::kUsage, "calendar: -s and -e must lie from {} to {}", kFirstYear, kLastYear);
    }
    Show(session, *calendar, first, last);
    return 0;
  }

 private:
  static void List(const Session& session, const calendar::Catalog& catalog) {
    Table table({{"CALENDAR"}, {"FROM"}, {"TO"}, {"TITLE"}, {"VERSION"}});
    for (const calendar::Calendar& calendar : catalog.calendars()) {
      JsonObject object;
      object.Text("type", "calendar").Text("calendar", calendar.name()).Text("title", calendar.title());
      calendar.first() ? object.Text("first", DayText(calendar.first())) : object.Null("first");
      calendar.last() ? object.Text("last", DayText(calendar.last())) : object.Null("last");
      object.Text("zone", calendar.zone_name()).Text("version", calendar.version()).Text("origin", calendar.origin());
      object.Raw("names", JsonTexts(calendar.aliases())).Raw("roots", JsonTexts(calendar.roots()));
      session.out().Event(std::move(object));
      table.Add(
          {calendar.name(), DayText(calendar.first()), DayText(calendar.last()), calendar.title(), calendar.version()});
    }
    session.out().Text(table.Render());
  }

  static void Show(const Session& session, const calendar::Calendar& calendar, Day first, Day last) {
    if (!calendar.Covers(first) || !calendar.Covers(last)) {
      log::Warning("{} is known from {} to {}", calendar.name(), DayText(calendar.first()), DayText(calendar.last()));
      if (calendar.first()) first = std::max(first, *calendar.first());
      if (calendar.last()) last = std::min(last, *calendar.last());
    }
    Table table({{"DAY"}, {"OPEN"}, {"CLOSE"}, {"LOCAL OPEN"}, {"LOCAL CLOSE"}, {"NOTE"}});
    int64_t sessions = 0, early_closes = 0, holidays = 0;
    for (Day day = first; day <= last; day = day + 1) {
      const std::string name = calendar.NameOf(day);
      const std::optional<calendar::Session> open = calendar.SessionOf(day);
      if (open) {
        session.out().Event(SessionFields(calendar, *open, name));
        table.Add({FormatDay(day), session.ShowInstant(Instant(open->open_ns)),
                   session.ShowInstant(Instant(open->close_ns)), Local(calendar, open->open_ns),
                   Local(calendar, open->close_ns), Note(*open, name)});
        ++sessions;
        early_closes += open->early_close ? 1 : 0;
      } else if (!name.empty()) {
        session.out().Event(JsonObject()
                                .Text("type", "holiday")
                                .Text("calendar", calendar.name())
                                .Text("day", FormatDay(day))
                                .Text("name", name));
        table.Add({FormatDay(day), "closed", "", "", "", name});
        ++holidays;
      }
    }
    session.out().Text(table.Render());
    session.out().Text(fmt::format("{}: {}, {}, {}\n", calendar.name(), Count(sessions, "session"),
                                   Count(early_closes, "early close"), Count(holidays, "holiday")));
  }

  static JsonObject SessionFields(const calendar::Calendar& calendar, const calendar::Session& open,
                                  const std::string& name) {
    JsonObject object;
    object.Text("type", "session").Text("calendar", calendar.name()).Text("day", FormatDay(open.day));
    object.Text("open", Instant(open.open_ns)).Text("close", Instant(open.close_ns));
    const auto add = [&](std::string_view key, const std::optional<int64_t>& ns) {
      ns ? object.Text(key, Instant(*ns)) : object.Null(key);
    };
    add("break_start", open.break_start_ns);
    add("break_end", open.break_end_ns);
    object.Text("local_open", Local(calendar, open.open_ns)).Text("local_close", Local(calendar, open.close_ns));
    object.Bool("early_close", open.early_close);
    name.empty() ? object.Null("name") : object.Text("name", name);
    return object;
  }

  std::vector<std::string> names_;
  std::string start_, end_;
};

}  // namespace

std::unique_ptr<Command> MakeCalendar() { return std::make_unique<CalendarCommand>(); }

}  // namespace lode::cli
