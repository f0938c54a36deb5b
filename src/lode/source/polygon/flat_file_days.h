// Which market days a flat-file dataset should have, by what the bucket lists and by the exchange's calendar. Pure: the
// listing, the calendar and the time come in.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/net/s3_xml.h"
#include "lode/plan/expected.h"

namespace lode::source::polygon {

// "us_stocks_sip/day_aggs_v1/2024/01/2024-01-02.csv.gz".
std::string FlatFileKey(std::string_view flat_file, Day day);

// What to list to see all days of a range: the month when it lies in one, else each of its years.
std::vector<std::string> ListingPrefixes(std::string_view flat_file, Day first, Day last);

// One object of a listing, which holds a market day.
struct FlatFileObject {
  std::string key;
  uint64_t size = 0;
  std::string etag;     // as listed
  std::string version;  // the ETag without its quotes; the time and the size where the server tells none
  std::optional<Day> modified;
};

// By day. Anything else that lies below the prefix is left out.
std::map<Day, FlatFileObject> ObjectsByDay(std::string_view flat_file, const std::vector<net::S3Object>& listing);

// How long after a session its file may be missing without anything being wrong: it comes about 11:00 New York time on
// the next day, not guaranteed.
inline constexpr int32_t kPublishedWithinDays = 3;

// The days with an object and the calendar's sessions, sorted. A session without one is pending until
// kPublishedWithinDays after it, then missing.
std::vector<plan::VendorDay> DaysOfObjects(const std::map<Day, FlatFileObject>& objects,
                                           const std::function<bool(Day)>& is_session, Day first, Day last, Day today);

// An ETag as both a listing and an answer may spell it: without quotes and the mark of a weak one.
std::string_view BareEtag(std::string_view etag);

}  // namespace lode::source::polygon
