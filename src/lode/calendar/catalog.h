// The calendars there are: those compiled into the program (data/calendars/*.toml) and the user's own.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/calendar/calendar.h"

namespace lode::calendar {

// Immutable: any thread may call.
class Catalog {
 public:
  // The shipped calendars, and a calendar NAME for each NAME.toml in `folder`, which replaces the shipped one of that
  // name. Empty: no folder. Reads the folder; kConfig when it is absent or a file in it is no calendar.
  static Result<Catalog> Read(const std::filesystem::path& folder);

  // By name ("XNYS"), by another name ("us_equities", "24/7", "XNAS.ITCH"), or by the root of a future ("ZC", "ZC.FUT",
  // "ZC.v.0"), in this order; nullptr when there is none.
  const Calendar* Find(std::string_view name) const;
  // The same; kConfig with the nearest name.
  Result<const Calendar*> Get(std::string_view name) const;
  const std::vector<Calendar>& calendars() const { return calendars_; }  // the user's first; each by name

 private:
  std::vector<Calendar> calendars_;
};

// The program's own catalog, process-wide as the logger: read at the first use and the same from then on. SetFolder is
// for the start of the program, before that.
void SetFolder(std::filesystem::path folder);
Result<const Catalog*> ProgramCatalog();

}  // namespace lode::calendar
