// Sessions of exchanges as versioned data: which days trade, from when to when, and why others do not.
//
// A calendar is its week, its usual hours and one line for each exception (docs/calendars.md). Future years are the
// exchanges' plans. Where a vendor lists its own days (Databento's conditions), that list goes first. Immutable after
// parsing: any thread may call. Days are session dates: the day a session belongs to, which is the day after it opens
// for CME.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/base/time.h"
#include "lode/calendar/zone.h"

namespace lode::calendar {

struct Session {
  Day day;
  int64_t open_ns = 0, close_ns = 0;  // UTC
  std::optional<int64_t> break_start_ns, break_end_ns;
  bool early_close = false;
  bool operator==(const Session&) const = default;
};

class Calendar {
 public:
  // One file of data/calendars, or a user's own; `base = "NAME"` in it is one of `shipped`. kConfig names
  // `origin_name`, the line and what is wrong.
  static Result<Calendar> Parse(std::string_view toml, std::string_view name, const std::string& origin_name,
                                std::span<const Calendar> shipped = {});

  const std::string& name() const { return name_; }        // "XNYS"
  const std::string& title() const { return title_; }      // "US equities: New York Stock Exchange"
  const std::string& version() const { return version_; }  // where the data is from: "exchange_calendars 4.13"
  const std::string& origin() const { return origin_; }    // the file: "calendars/XNYS.toml" of data/, or a user's
  const std::vector<std::string>& aliases() const { return aliases_; }  // "us_equities", "XNAS.ITCH"
  const std::vector<std::string>& roots() const { return roots_; }      // of futures that trade by it: "ZC"
  std::string_view zone_name() const { return zone_.name(); }

  // Days before the first and after the last are not known: no session, no holiday. Open: no end.
  std::optional<Day> first() const { return first_; }
  std::optional<Day> last() const { return last_; }
  bool Covers(Day day) const { return (!first_ || day >= *first_) && (!last_ || day <= *last_); }

  bool IsSession(Day day) const;
  std::optional<Session> SessionOf(Day day) const;
  // Sessions from `first` to `last`, inclusive.
  std::vector<Session> Sessions(Day first, Day last) const;
  // What sets `day` apart: the name of a holiday, of an early close or of a session out of turn; else empty.
  std::string NameOf(Day day) const;

 private:
  friend class CalendarReader;
  // Minutes of the session's day in local time; below 0: the day before.
  struct Hours {
    Day from;
    int open = 0, close = 0;
    std::optional<int> break_start, break_end;
  };
  struct EarlyClose {
    int close = 0;
    std::string name;
  };
  explicit Calendar(Zone zone) : zone_(zone) {}
  const Hours& HoursOf(Day day) const;

  std::string name_, title_, version_, origin_;
  std::vector<std::string> aliases_, roots_;
  Zone zone_;
  std::optional<Day> first_, last_;
  uint8_t week_ = 0;          // bit i: weekday i trades, Sunday 0
  std::vector<Hours> hours_;  // by `from`; the first holds for all days before it too
  std::map<Day, std::string> holidays_;
  std::map<Day, EarlyClose> early_closes_;
  std::map<Day, std::string> extra_sessions_;  // against the week or a holiday; usual hours unless they close early
};

// The calendar of that name in the program's catalog (catalog.h); lives as long as the program. Find: nullptr when
// there is none. Get: kConfig with the nearest name, and for a catalog that cannot be read.
const Calendar* Find(std::string_view name);
Result<const Calendar*> Get(std::string_view name);

}  // namespace lode::calendar
