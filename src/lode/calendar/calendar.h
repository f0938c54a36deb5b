// Sessions of exchanges as versioned data: which days trade, from when to when, and why others do not.
//
// A calendar is its week, its usual hours and one line for each exception (data/calendars/*.toml, compiled into the
// program). Future years are the exchanges' plans. Where a vendor lists its own days (Databento's conditions), that
// list goes first. Immutable after parsing: any thread may call. Days are session dates: the day a session belongs to,
// which is the day after it opens for CME.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
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

// A day of the exchange's week that it stays closed, or closes early.
struct SpecialDay {
  Day day;
  std::string name;  // "Good Friday"
  bool operator==(const SpecialDay&) const = default;
};

class Calendar {
 public:
  // One file of data/calendars, or a user's own. kConfig names `origin_name` and what is wrong.
  static Result<Calendar> Parse(std::string_view toml, std::string_view name, std::string_view origin_name);

  const std::string& name() const { return name_; }        // "XNYS"
  const std::string& title() const { return title_; }      // "US equities: New York Stock Exchange"
  const std::string& version() const { return version_; }  // where the data is from: "exchange_calendars 4.13"
  const std::vector<std::string>& aliases() const { return aliases_; }

  // Days before the first and after the last are not known: no session, no holiday. Open: no end.
  std::optional<Day> first() const { return first_; }
  std::optional<Day> last() const { return last_; }
  bool Covers(Day day) const { return (!first_ || day >= *first_) && (!last_ || day <= *last_); }

  bool IsSession(Day day) const;
  std::optional<Session> SessionOf(Day day) const;
  // Sessions from `first` to `last`, inclusive.
  std::vector<Session> Sessions(Day first, Day last) const;
  // Days of the week that are closed, and sessions that end early; both sorted, from `first` to `last`, inclusive.
  std::vector<SpecialDay> Holidays(Day first, Day last) const;
  std::vector<SpecialDay> EarlyCloses(Day first, Day last) const;
  // Why `day` has no session: "Good Friday", "weekend", "not covered by XNYS"; empty when it has one.
  std::string WhyClosed(Day day) const;

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

  std::string name_, title_, version_;
  std::vector<std::string> aliases_;
  Zone zone_;
  std::optional<Day> first_, last_;
  uint8_t week_ = 0;          // bit i: weekday i trades, Sunday 0
  std::vector<Hours> hours_;  // by `from`; the first holds for all days before it too
  std::map<Day, std::string> holidays_;
  std::map<Day, EarlyClose> early_closes_;
};

// The shipped calendar of that name or alias ("XNYS", "us_equities", "24/7"); nullptr when there is none. Static
// storage.
const Calendar* Find(std::string_view name);
// The same; kConfig with the nearest name.
Result<const Calendar*> Get(std::string_view name);
std::vector<std::string> Names();

}  // namespace lode::calendar
