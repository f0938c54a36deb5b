#include "lode/source/tardis/supply.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "lode/base/nearest.h"
#include "lode/codec/schema.h"
#include "lode/source/answer.h"
#include "lode/source/part_names.h"
#include "lode/source/tardis/api.h"
#include "lode/source/tardis/csv_body.h"
#include "lode/source/tardis/file_name.h"

namespace lode::source::tardis {
namespace {

using ledger::CellState;
using plan::VendorDay;

// Ids that may be what a mistyped symbol means: of those that begin alike, so many.
constexpr size_t kMostSuggestions = 2000, kAlikeBytes = 3;

bool IsFree(Day day) { return ToYearMonthDay(day).day == 1; }

// What the vendor says of a symbol's files.
struct DatasetSymbolInfo {
  std::string available_since, available_to, data_types;
};

// An exchange has hundreds of thousands of them.
struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
};
using Names = std::unordered_set<std::string, NameHash, std::equal_to<>>;
template <typename T>
using NameMap = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;

class TardisSupply final : public Supply {
 public:
  TardisSupply(net::Client& client, Api api, DatasetConfig dataset)
      : client_(client), api_(std::move(api)), dataset_(std::move(dataset)) {}

  Result<Expectation> Expect(const std::vector<std::string>& symbols, Day first, Day last) override;
  Result<Estimate> EstimateCost(const plan::Work&, bool) override { return Estimate{.usd = 0}; }  // by subscription
  plan::Selection selection() const override { return {dataset_.exchange, dataset_.data_type, {}}; }
  std::string Spell(std::string symbol) const override { return DatasetSymbol(symbol); }
  std::optional<plan::ChunkLimits> request_limits() const override {
    return plan::ChunkLimits{.symbols = 1, .days = 1};
  }
  bool is_free() const override { return true; }  // by subscription
  bool continues_files() const override { return true; }
  void Fetch(const plan::Request& request, const std::filesystem::path& file,
             std::function<void(FetchOutcome)> done) override;
  Result<files::Delivery> Deliver(const plan::Request& request, const std::filesystem::path& file,
                                  int64_t end_ns) const override;

 private:
  Status ReadExchange(const std::vector<std::string>& symbols);
  Status AddListing(const std::string& symbol, plan::Listings* listings) const;
  // After a 401: whether the key is unknown, or does not cover this.
  void JudgeKey(FetchOutcome outcome, std::function<void(FetchOutcome)> done);

  net::Client& client_;
  Api api_;
  DatasetConfig dataset_;
  std::optional<ExchangeInfo> exchange_;
  Names asked_;
  NameMap<DatasetSymbolInfo> symbols_;  // of those
  std::vector<std::string> alike_;
  PartNames parts_;
  bool is_key_known_ = false;  // on the client's thread
};

Status TardisSupply::ReadExchange(const std::vector<std::string>& symbols) {
  const auto is_known = [&](const std::string& symbol) { return asked_.contains(symbol); };
  if (exchange_ && std::ranges::all_of(symbols, is_known)) return Ok();
  Names wanted(symbols.begin(), symbols.end()), beginnings;
  for (const std::string& symbol : symbols) beginnings.insert(symbol.substr(0, kAlikeBytes));
  NameMap<DatasetSymbolInfo> found;
  ExchangeVisitor visitor;
  visitor.dataset = [&](const SymbolInfo& info) {
    const bool is_alike = beginnings.contains(info.id.substr(0, kAlikeBytes));
    if (is_alike && alike_.size() < kMostSuggestions) alike_.emplace_back(info.id);
    if (wanted.contains(info.id)) {
      found.insert_or_assign(std::string(info.id),
                             DatasetSymbolInfo{std::string(info.available_since), std::string(info.available_to),
                                               std::string(info.data_types)});
    }
    return Ok();
  };
  const auto restart = [&] {
    found.clear();
    alike_.clear();
  };
  LODE_TRY(exchange_, api_.GetExchange(dataset_.exchange, std::move(visitor), restart));
  if (!exchange_->has_datasets) {
    return Fail(ErrorKind::kNotFound, "the vendor has no CSV files of exchange '{}'", dataset_.exchange);
  }
  symbols_ = std::move(found);
  asked_ = std::move(wanted);
  return Ok();
}

Status TardisSupply::AddListing(const std::string& symbol, plan::Listings* listings) const {
  const auto add_unresolved = [&](const std::string& why) {
    listings->Add({.symbol = symbol, .first = {}, .last = {}, .unresolved = why});
    return Ok();
  };
  const auto found = symbols_.find(symbol);
  if (found == symbols_.end()) {
    return add_unresolved(
        fmt::format("{} has no CSV files of that name{}", dataset_.exchange, DidYouMean(symbol, alike_)));
  }
  const DatasetSymbolInfo& info = found->second;
  if (!fmt::format(",{},", info.data_types).contains(fmt::format(",{},", dataset_.data_type))) {
    return add_unresolved(fmt::format("{} has no {} of it, only {}", dataset_.exchange, dataset_.data_type,
                                      info.data_types.empty() ? "a name" : info.data_types));
  }
  const auto instant = [&](const std::string& text) -> Result<int64_t> {
    auto ns = ParseIsoNs(text);
    if (!ns) return std::unexpected(std::move(ns).error().With(dataset_.exchange + " " + symbol));
    return *ns;
  };
  LODE_TRY(const int64_t since, instant(info.available_since));
  plan::Listing listing{.symbol = symbol};
  listing.first = DayOf(since);
  if (!info.available_to.empty()) {
    LODE_TRY(const int64_t to, instant(info.available_to));
    listing.last = DayOf(to - 1);
  }
  listings->Add(listing);
  return Ok();
}

Result<Expectation> TardisSupply::Expect(const std::vector<std::string>& symbols, Day first, Day last) {
  LODE_TRY(ReadExchange(symbols));
  // A day is ready when the export reaches its end.
  const Day ready = DayOf(exchange_->exported_until_ns) - 1;
  Expectation expectation;
  expectation.pending_reason = "the vendor has not exported the day yet";
  expectation.days =
      plan::DaysOfCalendar([](Day) { return true; }, std::max(first, DayOf(exchange_->exported_from_ns)), last, ready);
  for (VendorDay& day : expectation.days) {
    if (day.state != VendorDay::State::kAvailable) continue;
    const bool is_degraded = std::ranges::any_of(exchange_->incidents, [&](const Incident& incident) {
      return incident.from_ns < (day.day + 1).start_ns() && incident.to_ns > day.day.start_ns();
    });
    if (is_degraded) day.state = VendorDay::State::kDegraded;
    if (!api_.has_key() && !IsFree(day.day)) day.state = VendorDay::State::kNoKey;
  }
  for (const std::string& symbol : symbols) {
    LODE_TRY(AddListing(symbol, &expectation.listings));
  }
  return expectation;
}

void TardisSupply::JudgeKey(FetchOutcome outcome, std::function<void(FetchOutcome)> done) {
  const auto not_covered = [this](FetchOutcome refused) {
    is_key_known_ = true;
    refused.kind = FetchOutcome::Kind::kSettled;
    refused.state = CellState::kNotEntitled;
    refused.reason = refused.error.message;
    return refused;
  };
  if (is_key_known_) return done(not_covered(std::move(outcome)));
  client_.Add(api_.KeyInfoRequest(), std::make_shared<net::TextBody>(),
              [not_covered, outcome = std::move(outcome), done = std::move(done)](const net::Outcome& answer) mutable {
                if (answer.status) return done(not_covered(std::move(outcome)));
                outcome.kind = FetchOutcome::Kind::kStop;  // nothing else would be given either
                done(std::move(outcome));
              });
}

void TardisSupply::Fetch(const plan::Request& request, const std::filesystem::path& file,
                         std::function<void(FetchOutcome)> done) {
  const std::string& symbol = request.symbols.front();
  auto opened =
      CsvBody::Open(file, parts_.MayHave(file), {dataset_.exchange, IsGrouped(symbol) ? std::string() : symbol});
  if (!opened) return done({.kind = FetchOutcome::Kind::kStop, .error = std::move(opened).error()});
  const std::shared_ptr<CsvBody> body = std::move(*opened);
  const int64_t end_ns = (request.last() + 1).start_ns();
  client_.Add(api_.FileRequest(dataset_.exchange, dataset_.data_type, symbol, request.first()), body,
              [this, body, end_ns, done = std::move(done)](const net::Outcome& answer) {
                if (answer.status) return done(FetchedOf(body->bytes(), answer, end_ns));
                if (body->held() > 0) (void)body->bytes().Leave();  // for the next run, if it can be written
                FetchOutcome outcome = FailureOf(answer);
                if (answer.response.failure == net::FailureClass::kUnauthorized) {
                  if (api_.has_key()) return JudgeKey(std::move(outcome), done);
                  outcome.kind = FetchOutcome::Kind::kFailed;
                }
                done(std::move(outcome));
              });
}

Result<files::Delivery> TardisSupply::Deliver(const plan::Request& request, const std::filesystem::path& file,
                                              int64_t end_ns) const {
  const std::string& symbol = request.symbols.front();
  FileNameFacts facts;
  facts.dataset = dataset_.exchange;
  facts.schema = dataset_.schema_name();
  facts.symbol = symbol;
  facts.first = request.first();
  facts.compressed = true;
  return DeliveryOf({.schema = codec::FindSchema(facts.schema),
                     .encoding = files::Encoding::kCsv,
                     .name = KeptName(facts),
                     .asked = {{"exchange", dataset_.exchange},
                               {"data_type", dataset_.data_type},
                               {"symbol", symbol},
                               {"day", FormatDay(request.first())}},
                     .dataset = dataset_.exchange},
                    request, file, end_ns);
}

}  // namespace

Result<std::unique_ptr<Supply>> OpenSupply(const Config& config, const DatasetConfig& dataset, net::Client& client) {
  const auto lacks = [&](std::string_view what) {
    return Fail(ErrorKind::kConfig, "dataset {} has no {}; add it to [datasets.{}] in {}", dataset.name, what,
                dataset.name, config.file().string());
  };
  if (dataset.exchange.empty()) return lacks("`exchange` (such as \"deribit\")");
  if (dataset.data_type.empty()) return lacks("`data_type` (such as \"trades\")");
  if (codec::FindSchema(dataset.schema_name()) == nullptr) {
    return Fail(ErrorKind::kConfig, "dataset {}: data type '{}' is not one lode knows", dataset.name,
                dataset.data_type);
  }
  if (!IsExchangeId(dataset.exchange)) {
    return Fail(ErrorKind::kConfig, "dataset {}: '{}' is no exchange id such as \"deribit\" or \"binance-futures\"",
                dataset.name, dataset.exchange);
  }
  LODE_TRY(Api api, Api::Make(client, config));
  return std::make_unique<TardisSupply>(client, std::move(api), dataset);
}

}  // namespace lode::source::tardis
