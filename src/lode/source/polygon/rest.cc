#include "lode/source/polygon/rest.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "lode/base/hashing.h"
#include "lode/calendar/calendar.h"
#include "lode/codec/schema.h"
#include "lode/net/url.h"
#include "lode/source/polygon/flat_file.h"

namespace lode::source::polygon {
namespace {

using Json = nlohmann::json;
using ledger::CellState;

constexpr std::array kEndpoints = std::to_array<Endpoint>({
    {"dividends", "/v3/reference/dividends", "ex_dividend_date", "sort=ex_dividend_date&order=asc", 1000, 31, 1, false},
    {"splits", "/v3/reference/splits", "execution_date", "sort=execution_date&order=asc", 1000, 92, 1, false},
    // Published about two weeks after its settlement day.
    {"short_interest", "/stocks/v1/short-interest", "settlement_date", "sort=settlement_date.asc", 10'000, 31, 25,
     false},
    {"short_volume", "/stocks/v1/short-volume", "date", "sort=date.asc", 10'000, 7, 3, true},
    {"news", "/v2/reference/news", "published_utc", "sort=published_utc&order=asc", 1000, 7, 1, false},
});

// The vendor's names; a page may spell either.
constexpr std::array<std::string_view, 2> kVendorOrigins = {"https://api.massive.com", "https://api.polygon.io"};
constexpr std::string_view kEnding = ".json.zst";
constexpr uint64_t kLargestPage = uint64_t{48} << 20;
constexpr size_t kDayText = 10;

std::unexpected<Error> Bad(std::string_view why) { return Fail(ErrorKind::kBadInput, "{}", why); }

std::string TextAt(const Json& object, std::string_view key) {
  if (!object.is_object()) return "";
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Several tables are asked for by one day's name.
class RestSupply final : public Supply {
 public:
  RestSupply(net::Client& client, const Endpoint& endpoint, std::string base_url, std::string origin, std::string key,
             const calendar::Calendar& calendar)
      : client_(client),
        endpoint_(endpoint),
        base_url_(std::move(base_url)),
        origin_(std::move(origin)),
        key_(std::move(key)),
        calendar_(calendar) {}

  Result<Expectation> Expect(const std::vector<std::string>& symbols, Day first, Day last) override;
  Result<Estimate> EstimateCost(const plan::Work&, bool) override {
    return Estimate{.records = {}, .bytes = {}, .usd = 0};  // a subscription covers it
  }
  plan::Selection selection() const override { return {"polygon", SchemaName(), ""}; }
  std::optional<plan::ChunkLimits> request_limits() const override {
    return plan::ChunkLimits{.symbols = 1, .days = endpoint_.days};
  }
  void Fetch(const plan::Request& request, const std::filesystem::path& file,
             std::function<void(FetchOutcome)> done) override;
  Result<files::Delivery> Deliver(const plan::Request& request, const std::filesystem::path& file,
                                  int64_t end_ns) const override;

 private:
  std::string SchemaName() const { return fmt::format("polygon/{}", endpoint_.name); }

  net::Client& client_;
  const Endpoint& endpoint_;
  const std::string base_url_, origin_, key_;
  const calendar::Calendar& calendar_;
};

Result<Expectation> RestSupply::Expect(const std::vector<std::string>& symbols, Day first, Day last) {
  if (symbols != std::vector<std::string>{kAllSymbols}) {
    return Fail(ErrorKind::kUsage,
                "{} is asked for of the whole market, so symbols cannot be asked for alone; leave them out and select "
                "them when you query",
                endpoint_.name);
  }
  Expectation expectation;
  const Day ready = DayOf(NowNs()) - endpoint_.ready_after_days;
  expectation.days = plan::DaysOfCalendar([&](Day day) { return !endpoint_.sessions || calendar_.IsSession(day); },
                                          first, last, ready);
  expectation.listings = {{.symbol = kAllSymbols}};
  expectation.pending_reason = fmt::format("asked for from {} day{} later on", endpoint_.ready_after_days,
                                           endpoint_.ready_after_days == 1 ? "" : "s");
  return expectation;
}

void RestSupply::Fetch(const plan::Request& request, const std::filesystem::path& file,
                       std::function<void(FetchOutcome)> done) {
  auto chain = std::make_shared<RestChain>(endpoint_, base_url_, origin_, key_, request.first(), request.last());
  const auto ended = [done = std::move(done), end_ns = (request.last() + 1).start_ns()](ChainOutcome chain_outcome) {
    FetchOutcome outcome = std::move(chain_outcome.outcome);
    outcome.end_ns = end_ns;
    if (outcome.kind == FetchOutcome::Kind::kFailed && chain_outcome.answer) {
      switch (chain_outcome.answer->response.failure) {
        case net::FailureClass::kUnauthorized:
        case net::FailureClass::kPayment: outcome.kind = FetchOutcome::Kind::kStop; break;
        case net::FailureClass::kForbidden:
          outcome.kind = FetchOutcome::Kind::kSettled;
          outcome.state = CellState::kNotEntitled;
          outcome.reason = outcome.error.message;
          break;
        case net::FailureClass::kTimeout: outcome.kind = FetchOutcome::Kind::kTooMuch; break;
        default: break;
      }
    }
    done(std::move(outcome));
  };
  const net::Request first = chain->First();
  FetchPages(client_, first, file,
             {.read = [chain](std::string_view page) { return chain->Read(page); }, .recover = {}}, ended);
}

Result<files::Delivery> RestSupply::Deliver(const plan::Request& request, const std::filesystem::path& file,
                                            int64_t end_ns) const {
  files::Delivery delivery;
  const Json json = {{"path", endpoint_.path},
                     {fmt::format("{}.gte", endpoint_.day), FormatDay(request.first())},
                     {fmt::format("{}.lte", endpoint_.day), FormatDay(request.last())}};
  delivery.query = databento::Query{.job_id = {},
                                    .dataset = "polygon",
                                    .schema = SchemaName(),
                                    .symbols = request.symbols,
                                    .stype_in = {},
                                    .stype_out = {},
                                    .start_ns = request.first().start_ns(),
                                    .end_ns = end_ns,
                                    .encoding = "json",
                                    .json = json.dump()};
  for (const plan::VendorDay& day : request.days) {
    delivery.conditions.push_back({day.day, databento::Condition::State::kAvailable, day.modified});
  }
  files::DataFile& data = delivery.data.emplace_back();
  data.path = file;
  data.name = fmt::format("{}-{}-{}.{}{}", endpoint_.name, FormatDay(request.first()), FormatDay(request.last()),
                          plan::RequestId(selection(), request), kEnding);
  std::error_code problem;
  data.size = std::filesystem::file_size(file, problem);
  if (problem) return Fail(ErrorKind::kStorage, "{}: {}", file.string(), problem.message());
  data.encoding = files::Encoding::kNdjson;
  data.schemas = {codec::FindSchema(SchemaName())};
  data.name_facts = ParseRestFileName(data.name).value_or(FileNameFacts{});
  return delivery;
}

}  // namespace

std::span<const Endpoint> Endpoints() { return kEndpoints; }

const Endpoint* FindEndpoint(std::string_view name) {
  const auto found = std::ranges::find(kEndpoints, name, &Endpoint::name);
  return found == kEndpoints.end() ? nullptr : &*found;
}

std::optional<FileNameFacts> ParseRestFileName(std::string_view name) {
  constexpr size_t kId = 16;
  constexpr size_t kTail = 2 * (kDayText + 1) + 1 + kId;  // "-first-last.id"
  if (!name.ends_with(kEnding)) return std::nullopt;
  name.remove_suffix(kEnding.size());
  if (name.size() <= kTail) return std::nullopt;
  const std::string_view tail = name.substr(name.size() - kTail);
  const Endpoint* endpoint = FindEndpoint(name.substr(0, name.size() - kTail));
  const auto first = ParseDay(tail.substr(1, kDayText)), last = ParseDay(tail.substr(kDayText + 2, kDayText));
  if (endpoint == nullptr || !first || !last || *last < *first) return std::nullopt;
  FileNameFacts facts;
  facts.dataset = "polygon";
  facts.schema = fmt::format("polygon/{}", endpoint->name);
  facts.encoding = "json";
  facts.compressed = true;
  facts.first = *first;
  facts.last = *last;
  facts.symbol = kAllSymbols;
  facts.group = facts.schema;
  return facts;
}

RestChain::RestChain(const Endpoint& endpoint, std::string base_url, std::string origin, std::string key, Day first,
                     Day last)
    : endpoint_(endpoint),
      base_url_(std::move(base_url)),
      origin_(std::move(origin)),
      key_(std::move(key)),
      first_(first),
      last_(last) {}

net::Request RestChain::Get(std::string url) const {
  net::Request request;
  request.url = std::move(url);
  request.headers = {{"Accept", "application/json"}};
  request.credential = {.kind = net::Credential::Kind::kBearer, .secret = key_, .origin = origin_, .query_name = {}};
  request.label = fmt::format("{} {}..{}", endpoint_.name, FormatDay(first_), FormatDay(last_));
  request.max_response_bytes = kLargestPage;
  request.halvable = true;
  return request;
}

// The end is exclusive: "published_utc.lte" of a day would end at its midnight.
net::Request RestChain::First() const {
  return Get(fmt::format("{}{}?{}.gte={}&{}.lt={}&{}&limit={}", base_url_, endpoint_.path, endpoint_.day,
                         FormatDay(first_), endpoint_.day, FormatDay(last_ + 1), endpoint_.ordering, endpoint_.limit));
}

Result<std::string> RestChain::NextOf(std::string_view next_url) {
  LODE_TRY(const net::Url next, net::ParseUrl(next_url));
  const bool known = next.origin == origin_ || std::ranges::find(kVendorOrigins, next.origin) != kVendorOrigins.end();
  if (!known) return Bad(fmt::format("next_url leads to another host ({})", next.origin));
  if (next.path != net::ParseUrl(base_url_ + std::string(endpoint_.path))->path) {
    return Bad("next_url leads to another table");
  }
  return fmt::format("{}{}?{}", base_url_, endpoint_.path, next.query);
}

Result<PageStep> RestChain::Read(std::string_view text) {
  const Json page = Json::parse(text, nullptr, false);
  if (!page.is_object()) return Bad("not a JSON object");
  const std::string status = TextAt(page, "status");
  if (status != "OK" && status != "DELAYED") return Bad(fmt::format("status '{}'", status.substr(0, 40)));
  const auto results = page.find("results");
  const bool has_rows = results != page.end() && results->is_array() && !results->empty();
  const std::string hash =
      has_rows ? Sha256Hex(results->dump(-1, ' ', false, Json::error_handler_t::replace)) : std::string();
  if (has_rows && seen_.contains(hash)) return Bad("a page that came before");
  std::string previous = previous_;
  if (results != page.end() && !results->is_null()) {
    if (!results->is_array()) return Bad("'results' is no list");
    const std::string first = FormatDay(first_), last = FormatDay(last_);
    for (const Json& row : *results) {
      // Days are text of one form: they compare as they are.
      const std::string instant = TextAt(row, endpoint_.day), day = instant.substr(0, kDayText);
      if (!ParseDay(day)) return Bad(fmt::format("a row without a day in '{}'", endpoint_.day));
      if (day < first || day > last) return Bad(fmt::format("a row of {}, which was not asked for", day));
      if (day < previous) return Bad(fmt::format("a row of {} after one of {}", day, previous));
      previous = day;
    }
  }
  const std::string next_url = TextAt(page, "next_url");
  std::optional<net::Request> next;
  if (!next_url.empty()) {
    if (seen_.contains(next_url)) return Bad("a next_url that came before: a chain without end");
    LODE_TRY(std::string url, NextOf(next_url));
    next = Get(std::move(url));
  }
  // The page is taken.
  if (has_rows) seen_.insert(hash);
  if (!next_url.empty()) seen_.insert(next_url);
  previous_ = previous;
  return PageStep{true, std::move(next)};
}

Result<std::unique_ptr<Supply>> OpenRest(const Config& config, const DatasetConfig& dataset, net::Client& client) {
  const Endpoint* endpoint = FindEndpoint(dataset.rest);
  if (endpoint == nullptr) {
    std::vector<std::string_view> names;
    for (const Endpoint& known : kEndpoints) names.push_back(known.name);
    return Fail(ErrorKind::kConfig, "dataset {}: rest = \"{}\" is not a table lode knows ({})", dataset.name,
                dataset.rest, fmt::join(names, ", "));
  }
  LODE_TRY(const calendar::Calendar* calendar, calendar::Get(dataset.calendar.empty() ? "XNYS" : dataset.calendar));
  LODE_TRY(std::string key, config.ResolveKey("sources.polygon.key"));
  if (key.empty()) return Fail(ErrorKind::kConfig, "sources.polygon.key is empty");
  LODE_TRY(const net::Url base, net::ParseUrl(config.Get("sources.polygon.base_url").value_or("")));
  if (!base.query.empty()) return Fail(ErrorKind::kConfig, "sources.polygon.base_url holds a query");
  std::string path = base.path;
  while (path.ends_with('/')) path.pop_back();
  return std::make_unique<RestSupply>(client, *endpoint, base.origin + path, base.origin, std::move(key), *calendar);
}

}  // namespace lode::source::polygon
