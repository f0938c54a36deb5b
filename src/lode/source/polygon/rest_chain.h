// A chain of pages of Polygon's REST API: the first request, and what follows a page.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "lode/codec/new_york_day.h"
#include "lode/net/http.h"
#include "lode/source/page_chain.h"
#include "lode/source/polygon/rest_endpoint.h"

namespace lode::source::polygon {

// Where the API is, and the key for it alone.
struct RestAccess {
  std::string base_url;  // without '/' at its end
  std::string origin;    // of the base URL
  std::string key;
};

// Not thread-safe; one page after the other. `endpoint` and `access` outlive it.
class RestChain {
 public:
  RestChain(const Endpoint& endpoint, const RestAccess& access, std::string ticker, Day first, Day last);
  net::Request First();
  // Whether the page is one of the chain: rows of the ticker and the days asked for, in order, none that came before.
  // kBadInput says what it is instead, and when its `next_url` leads to another host.
  Result<PageStep> Read(std::string_view page);
  int64_t rows() const { return rows_; }  // so far

 private:
  net::Request Begin(std::string_view url);
  net::Request Get(std::string url) const;
  Status CheckEnvelope(const nlohmann::json& page) const;
  // The day of the last row, or an error where one is out of place.
  Result<std::string> CheckRows(const nlohmann::json& rows);
  Result<std::string> NextOf(std::string_view next_url) const;

  const Endpoint& endpoint_;
  const RestAccess& access_;
  const std::string ticker_;
  const Day first_, last_;
  std::string_view url_;        // of the chain in hand
  std::string previous_;        // day of the last row
  std::set<std::string> seen_;  // hashes of pages and cursors
  int64_t rows_ = 0;
  codec::NewYorkDays days_;
};

}  // namespace lode::source::polygon
