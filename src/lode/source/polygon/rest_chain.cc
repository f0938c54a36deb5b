#include "lode/source/polygon/rest_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "lode/base/hashing.h"
#include "lode/base/json.h"
#include "lode/net/url.h"

namespace lode::source::polygon {
namespace {

// The vendor's names; a page may spell either.
constexpr std::array<std::string_view, 2> kVendorOrigins = {"https://api.massive.com", "https://api.polygon.io"};
constexpr uint64_t kLargestPage = uint64_t{48} << 20;
constexpr size_t kDayText = 10;

std::unexpected<Error> Bad(std::string_view why) { return Fail(ErrorKind::kBadInput, "{}", why); }

const Json& At(const Json& object, std::string_view key) {
  static const Json none;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : none;
}

// The rows of a page: its list, or the one within what it is about; null where it has none.
const Json& RowsOf(const Json& page) {
  if (page.is_array()) return page;
  const Json& results = At(page, "results");
  return At(results, "events").is_array() ? At(results, "events") : results;
}

}  // namespace

RestChain::RestChain(const Endpoint& endpoint, const RestAccess& access, std::string ticker, Day first, Day last)
    : endpoint_(endpoint),
      access_(access),
      ticker_(std::move(ticker)),
      first_(first),
      last_(last),
      url_(endpoint.url) {}

net::Request RestChain::First() { return Begin(endpoint_.url); }

net::Request RestChain::Begin(std::string_view url) {
  url_ = url;
  previous_.clear();
  return Get(access_.base_url + ExpandUrl(url, ticker_, first_, last_));
}

net::Request RestChain::Get(std::string url) const {
  net::Request request;
  request.url = std::move(url);
  request.headers = {{"Accept", "application/json"}};
  request.credential = {
      .kind = net::Credential::Kind::kBearer, .secret = access_.key, .origin = access_.origin, .query_name = {}};
  request.label = fmt::format("{}{} {}..{}", endpoint_.name, endpoint_.is_per_ticker() ? " " + ticker_ : "",
                              FormatDay(first_), FormatDay(last_));
  request.max_response_bytes = kLargestPage;
  request.halvable = true;
  return request;
}

Result<std::string> RestChain::NextOf(std::string_view next_url) const {
  LODE_TRY(const net::Url next, net::ParseUrl(next_url));
  const bool known =
      next.origin == access_.origin || std::ranges::find(kVendorOrigins, next.origin) != kVendorOrigins.end();
  if (!known) return Bad(fmt::format("next_url leads to another host ({})", next.origin));
  // Of bars it names the first instant of the next page where the days were.
  const std::string_view path = url_.substr(0, url_.find('?'));
  const size_t days = path.find("{first}");
  const std::string own = ExpandUrl(path.substr(0, days), ticker_, first_, last_);
  LODE_TRY(const net::Url asked, net::ParseUrl(access_.base_url + own));
  const bool same = days == std::string_view::npos ? next.path == asked.path : next.path.starts_with(asked.path);
  if (!same) return Bad("next_url leads to another table");
  return fmt::format("{}{}?{}", access_.origin, next.path, next.query);
}

Status RestChain::CheckEnvelope(const Json& page) const {
  if (endpoint_.is_bare) {
    if (page.is_array()) return Ok();
    return Bad("not a JSON list");
  }
  if (!page.is_object()) return Bad("not a JSON object");
  const std::string status = TextOr(page, "status");
  if (status != "OK" && status != "DELAYED") return Bad(fmt::format("status '{}'", status.substr(0, 40)));
  if (At(page, "adjusted") == true) return Bad("prices adjusted for splits, which were not asked for");
  const std::string ticker = TextOr(page, "ticker");
  if (endpoint_.is_per_ticker() && !ticker.empty() && ticker != ticker_) return Bad("of another ticker");
  const Json &rows = RowsOf(page), &count = At(page, "resultsCount");
  if (!rows.is_null() && !rows.is_array()) return Bad("'results' is no list");
  if (count.is_number_unsigned() && count != rows.size()) return Bad("fewer or more rows than its resultsCount");
  return Ok();
}

Result<std::string> RestChain::CheckRows(const Json& rows) {
  std::string previous = previous_;
  if (endpoint_.is_snapshot()) return previous;
  const std::string first = FormatDay(first_), last = FormatDay(last_);
  for (const Json& row : rows) {
    const Json& instant = At(row, endpoint_.day);
    // Days are text of one form: they compare as they are.
    std::string day = TextOr(row, endpoint_.day).substr(0, kDayText);
    constexpr int64_t kNsPerMs = 1'000'000, kMostMs = INT64_MAX / kNsPerMs;
    if (instant.is_number_integer() && std::abs(instant.get<double>()) < static_cast<double>(kMostMs)) {
      day = FormatDay(days_.Of(instant.get<int64_t>() * kNsPerMs));
    }
    if (!ParseDay(day)) return Bad(fmt::format("a row without a day in '{}'", endpoint_.day));
    if (day < first || day > last) return Bad(fmt::format("a row of {}, which was not asked for", day));
    if (day < previous) return Bad(fmt::format("a row of {} after one of {}", day, previous));
    previous = std::move(day);
  }
  return previous;
}

Result<PageStep> RestChain::Read(std::string_view text) {
  const Json page = Json::parse(text, nullptr, false);
  LODE_TRY(CheckEnvelope(page));
  const Json& rows = RowsOf(page);
  const std::string hash =
      rows.empty() ? std::string() : Sha256Hex(rows.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (seen_.contains(hash)) return Bad("a page that came before");
  LODE_TRY(std::string previous, CheckRows(rows));
  const std::string next_url = TextOr(page, "next_url");
  std::optional<net::Request> next;
  if (!next_url.empty()) {
    if (seen_.contains(next_url)) return Bad("a next_url that came before: a chain without end");
    LODE_TRY(std::string url, NextOf(next_url));
    next = Get(std::move(url));
  }
  // The page is taken.
  if (!hash.empty()) seen_.insert(hash);
  if (!next_url.empty()) seen_.insert(next_url);
  rows_ += static_cast<int64_t>(rows.size());
  previous_ = std::move(previous);
  if (!next && !endpoint_.second_url.empty() && url_ != endpoint_.second_url) next = Begin(endpoint_.second_url);
  return PageStep{true, std::move(next)};
}

}  // namespace lode::source::polygon
