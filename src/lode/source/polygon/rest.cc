#include "lode/source/polygon/rest.h"

#include <algorithm>
#include <utility>

#include "lode/base/json.h"
#include "lode/calendar/calendar.h"
#include "lode/codec/schema.h"
#include "lode/net/url.h"
#include "lode/source/answer.h"
#include "lode/source/polygon/flat_file.h"
#include "lode/source/polygon/rest_chain.h"

namespace lode::source::polygon {
namespace {

using ledger::CellState;

// A session without a row in the whole market is not ready so soon; later on, the vendor has none.
constexpr int kSurelyReadyDays = 5;

// The vendor's own word, not that of something between here and there.
bool SaysNotFound(std::string_view body) {
  const Result<Json> json = ParseJson(body, "the answer");
  return json && TextOr(*json, "status") == "NOT_FOUND";
}

class RestSupply final : public Supply {
 public:
  RestSupply(net::Client& client, const Endpoint& endpoint, RestAccess access, const calendar::Calendar& calendar)
      : client_(client), endpoint_(endpoint), access_(std::move(access)), calendar_(calendar) {}

  Result<Expectation> Expect(const std::vector<std::string>& symbols, Day first, Day last) override;
  Result<Estimate> EstimateCost(const plan::Work&, bool) override {
    return Estimate{.records = {}, .bytes = {}, .usd = 0};  // a subscription covers it
  }
  bool is_free() const override { return true; }
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
  void Judge(const net::Response& response, FetchOutcome* outcome) const;

  net::Client& client_;
  const Endpoint& endpoint_;
  const RestAccess access_;
  const calendar::Calendar& calendar_;
};

Result<Expectation> RestSupply::Expect(const std::vector<std::string>& symbols, Day first, Day last) {
  const bool is_market = symbols == std::vector<std::string>{kAllSymbols};
  if (!endpoint_.is_per_ticker() && !is_market) {
    return Fail(ErrorKind::kUsage,
                "{} is asked for of the whole market, so symbols cannot be asked for alone; leave them out and select "
                "them when you query",
                endpoint_.name);
  }
  Expectation expectation;
  const Day today = DayOf(NowNs());
  expectation.is_snapshot = endpoint_.is_snapshot();
  if (endpoint_.is_snapshot()) first = std::max(first, today);
  const auto is_expected = [&](Day day) { return !endpoint_.sessions || calendar_.IsSession(day); };
  expectation.days = plan::DaysOfCalendar(is_expected, first, last, today - endpoint_.ready_after_days);
  for (const std::string& symbol : symbols) expectation.listings.Add({.symbol = symbol});
  expectation.pending_reason = fmt::format("asked for from {} day{} later on", endpoint_.ready_after_days,
                                           endpoint_.ready_after_days == 1 ? "" : "s");
  return expectation;
}

// What a failed answer says of the cells here, beyond FailureOf.
void RestSupply::Judge(const net::Response& response, FetchOutcome* outcome) const {
  if (response.failure == net::FailureClass::kTimeout) outcome->kind = FetchOutcome::Kind::kTooMuch;
  const bool is_unknown = response.failure == net::FailureClass::kNotFound && endpoint_.is_per_ticker();
  if (!is_unknown || !SaysNotFound(response.error_body)) return;
  outcome->kind = FetchOutcome::Kind::kSettled;
  outcome->state = CellState::kNotListed;
  outcome->reason = outcome->error.message;
}

void RestSupply::Fetch(const plan::Request& request, const std::filesystem::path& file,
                       std::function<void(FetchOutcome)> done) {
  auto chain =
      std::make_shared<RestChain>(endpoint_, access_, request.symbols.front(), request.first(), request.last());
  const bool has_always_rows = !endpoint_.is_per_ticker() && (endpoint_.sessions || endpoint_.is_snapshot());
  const bool needs_rows = has_always_rows && request.last() + kSurelyReadyDays >= DayOf(NowNs());
  const auto ended = [this, chain, needs_rows, done = std::move(done),
                      end_ns = (request.last() + 1).start_ns()](ChainOutcome chain_outcome) {
    FetchOutcome outcome = std::move(chain_outcome.outcome);
    outcome.end_ns = end_ns;
    if (outcome.kind == FetchOutcome::Kind::kFailed && chain_outcome.answer) {
      Judge(chain_outcome.answer->response, &outcome);
    }
    if (outcome.kind == FetchOutcome::Kind::kFetched && needs_rows && chain->rows() == 0) {
      outcome.kind = FetchOutcome::Kind::kFailed;
      outcome.error = Error{ErrorKind::kBadInput, "the vendor has no row of the whole market yet", {}};
    }
    done(std::move(outcome));
  };
  const net::Request first = chain->First();
  FetchPages(client_, first, file,
             {.read = [chain](std::string_view page) { return chain->Read(page); }, .recover = {}}, ended);
}

Result<files::Delivery> RestSupply::Deliver(const plan::Request& request, const std::filesystem::path& file,
                                            int64_t end_ns) const {
  const std::string& symbol = request.symbols.front();
  return DeliveryOf(
      {.schema = codec::FindSchema(SchemaName()),
       .encoding = files::Encoding::kNdjson,
       .name = RestFileName(endpoint_, symbol, request.first(), request.last(), plan::RequestId(selection(), request)),
       .asked = {{"get", ExpandUrl(endpoint_.url, symbol, request.first(), request.last())}},
       .dataset = "polygon"},
      request, file, end_ns);
}

}  // namespace

bool IsPerTicker(const DatasetConfig& dataset) {
  const Endpoint* endpoint = FindEndpoint(dataset.rest);
  return endpoint != nullptr && endpoint->is_per_ticker();
}

bool IsSnapshot(const DatasetConfig& dataset) {
  const Endpoint* endpoint = FindEndpoint(dataset.rest);
  return endpoint != nullptr && endpoint->is_snapshot();
}

Result<std::unique_ptr<Supply>> OpenRest(const Config& config, const DatasetConfig& dataset, net::Client& client) {
  const Endpoint* endpoint = FindEndpoint(dataset.rest);
  if (endpoint == nullptr) {
    std::vector<std::string_view> names;
    for (const Endpoint& known : Endpoints()) names.push_back(known.name);
    return Fail(ErrorKind::kConfig, "dataset {}: rest = \"{}\" is not a table lode knows ({})", dataset.name,
                dataset.rest, fmt::join(names, ", "));
  }
  LODE_TRY(const calendar::Calendar* calendar, calendar::Get(dataset.calendar.empty() ? "XNYS" : dataset.calendar));
  LODE_TRY(std::string key, config.ResolveKey("sources.polygon.key"));
  if (key.empty()) return Fail(ErrorKind::kConfig, "sources.polygon.key is empty");
  const auto base = net::ParseBaseUrl(config.Get("sources.polygon.base_url").value_or(""));
  if (!base) return std::unexpected(Error(base.error()).With("sources.polygon.base_url"));
  RestAccess access{.base_url = base->text, .origin = base->origin, .key = std::move(key)};
  return std::make_unique<RestSupply>(client, *endpoint, std::move(access), *calendar);
}

}  // namespace lode::source::polygon
