// FRED's HTTP API: requests and the typed values of its answers. Source: the vendor's reference; docs/sources/fred.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/time.h"
#include "lode/net/http.h"

namespace lode::source::fred {

// Real time reaches from the vendor's own beginning to "until further notice".
inline const Day kEarliest = ToDay({1776, 7, 4});
inline const Day kLatest = ToDay({9999, 12, 31});
// More vintages than this in the real-time period of one request are refused.
inline constexpr size_t kMostVintages = 2000;
inline constexpr size_t kVintagesPage = 10'000;
inline constexpr size_t kObservationsPage = 25'000;  // the vendor allows 100,000; four pages in memory are enough

struct Series {
  std::string id;
  Day first, last;  // of its observations
  Day last_updated;
};

struct VintagePage {
  size_t count = 0, offset = 0;  // of all; of this page's first
  std::vector<Day> dates;        // ascending
};

// What a page of observations says about itself.
struct ObservationPage {
  Day realtime_start, realtime_end;
  Day range_first, range_last;  // of the observations that were asked for
  size_t count = 0, offset = 0, limit = 0, rows = 0;
  std::optional<Day> first, last;  // of its rows' dates
};

// A real-time period, both ends inclusive.
struct Window {
  Day start, end;
  bool operator==(const Window&) const = default;
};

// Periods that follow each other and hold at most kMostVintages vintages each, all of real time together.
std::vector<Window> WindowsOf(const std::vector<Day>& vintages);

// Letters, digits and "_-.": what may be asked for and become a file's name.
bool IsSeriesId(std::string_view text);

// kBadInput names what is not as the vendor documents it.
Result<Series> ParseSeries(std::string_view json);
Result<VintagePage> ParseVintages(std::string_view json);
Result<ObservationPage> ParseObservations(std::string_view json);
// `error_message` of an error body; empty when there is none.
std::string ParseErrorMessage(std::string_view json);

class Api {
 public:
  // kConfig for a base_url that is no URL. Sets the vendor's limit of 120 requests a minute on the client.
  static Result<Api> Make(net::Client& client, std::string base_url, std::string key);

  net::Request SeriesRequest(const std::string& id) const;
  net::Request VintagesRequest(const std::string& id, size_t offset) const;
  // Observations of [first, last]. Without a window: as they stand today.
  net::Request ObservationsRequest(const std::string& id, Day first, Day last, std::optional<Window> window,
                                   size_t offset) const;
  net::Client& client() const { return *client_; }

 private:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  Api(net::Client& client, std::string base_url, std::string origin, std::string key)
      : client_(&client), base_url_(std::move(base_url)), origin_(std::move(origin)), key_(std::move(key)) {}
  net::Request Get(std::string_view path, const std::string& id, Fields fields) const;

  net::Client* client_;
  std::string base_url_, origin_, key_;
};

}  // namespace lode::source::fred
