#include "lode/source/databento/supply.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "lode/base/text.h"
#include "lode/codec/schema.h"
#include "lode/source/answer.h"
#include "lode/source/databento/api.h"
#include "lode/source/databento/stream_body.h"
#include "lode/symbol/lists.h"

namespace lode::source::databento {
namespace {

using ledger::CellState;
using plan::VendorDay;

constexpr const char* kAllSymbols = "ALL_SYMBOLS";
// Asking the price of more pieces than this would cost more time than knowing it exactly is worth.
constexpr size_t kMostPieces = 48;

VendorDay::State StateOf(Condition::State state) {
  switch (state) {
    case Condition::State::kAvailable: return VendorDay::State::kAvailable;
    case Condition::State::kDegraded: return VendorDay::State::kDegraded;
    case Condition::State::kPending: return VendorDay::State::kPending;
    case Condition::State::kMissing: return VendorDay::State::kMissing;
  }
  return VendorDay::State::kAvailable;
}

// As the vendor names a batch's files, the request's id where a file of one symbol has that:
// "glbx-mdp3-20240101-20241231.ohlcv-1d.0123456789abcdef.dbn.zst".
std::string NameOf(const plan::Selection& selection, const plan::Request& request) {
  std::string code = Lower(selection.dataset);
  std::ranges::replace(code, '.', '-');
  const auto compact = [](Day day) {
    std::string text = FormatDay(day);
    std::erase(text, '-');
    return text;
  };
  return fmt::format("{}-{}-{}.{}.{}.dbn.zst", code, compact(request.first()), compact(request.last()),
                     selection.schema, plan::RequestId(selection, request));
}

// Symbols of which none is known in a range; what a gateway says with the same status is something else.
bool IsUnknownSymbols(const ApiError& error) {
  return (error.http_status == 422 || error.http_status == 404) && error.refusal.name.contains("symbol");
}

class DatabentoSupply final : public Supply {
 public:
  DatabentoSupply(Api api, DatasetConfig dataset) : api_(std::move(api)), dataset_(std::move(dataset)) {}

  Result<Expectation> Expect(const std::vector<std::string>& symbols, Day first, Day last) override;
  Result<Estimate> EstimateCost(const plan::Work& work, bool whole) override;
  plan::Selection selection() const override { return {dataset_.dataset, dataset_.schema, dataset_.stype_in}; }
  void Fetch(const plan::Request& request, const std::filesystem::path& file,
             std::function<void(FetchOutcome)> done) override;
  Result<files::Delivery> Deliver(const plan::Request& request, const std::filesystem::path& file,
                                  int64_t end_ns) const override;

 private:
  SeriesQuery QueryOf(const std::vector<std::string>& symbols, Day first, Day last) const;
  Status ReadRange();
  // Which symbols the dataset knows, and when.
  Result<plan::Listings> List(const std::vector<std::string>& symbols, Day first, Day last, Day ask_first);
  Result<Resolution> Resolve(const std::vector<std::string>& symbols, Day first, Day last);
  Status AddEstimate(const SeriesQuery& query, bool whole, Estimate* sum);
  FetchOutcome OutcomeOf(const net::Outcome& answer) const;
  static FetchOutcome PartOf(StreamBody& body, const net::Outcome& answer);

  Api api_;
  DatasetConfig dataset_;
  std::optional<int64_t> available_end_ns_;
  // The day that symbols were asked about, and those that the vendor knows then.
  std::optional<Day> resolved_on_;
  std::set<std::string> resolved_;
};

SeriesQuery DatabentoSupply::QueryOf(const std::vector<std::string>& symbols, Day first, Day last) const {
  SeriesQuery query{.dataset = dataset_.dataset,
                    .schema = dataset_.schema,
                    .symbols = symbols,
                    .stype_in = dataset_.stype_in,
                    .start_ns = first.start_ns(),
                    .end_ns = (last + 1).start_ns()};
  if (symbols == std::vector<std::string>{kAllSymbols}) query.symbols.clear();
  if (available_end_ns_) query.end_ns = std::min(query.end_ns, *available_end_ns_);
  return query;
}

Status DatabentoSupply::ReadRange() {
  if (available_end_ns_) return Ok();
  LODE_TRY(const DatasetRange range, api_.GetDatasetRange(dataset_.dataset));
  const auto own = range.by_schema.find(dataset_.schema);
  available_end_ns_ = own == range.by_schema.end() ? range.overall.end_ns : own->second.end_ns;
  return Ok();
}

Result<Expectation> DatabentoSupply::Expect(const std::vector<std::string>& symbols, Day first, Day last) {
  LODE_TRY(ReadRange());
  LODE_TRY(const std::vector<Condition> conditions, api_.GetDatasetCondition(dataset_.dataset, first, last));
  std::vector<VendorDay> days;
  for (const Condition& condition : conditions) {
    VendorDay day{condition.day, StateOf(condition.state), condition.modified};
    if (day.day.start_ns() >= *available_end_ns_) day.state = VendorDay::State::kPending;
    days.push_back(day);
  }
  Expectation expectation;
  expectation.days = plan::DaysOfCondition(days, first, last);
  const auto is_there = [](const VendorDay& day) {
    return day.state == VendorDay::State::kAvailable || day.state == VendorDay::State::kDegraded;
  };
  const auto newest = std::find_if(expectation.days.rbegin(), expectation.days.rend(), is_there);
  const Day ask = newest == expectation.days.rend() ? last : newest->day;
  LODE_TRY(expectation.listings, List(symbols, first, last, ask));
  return expectation;
}

Result<Resolution> DatabentoSupply::Resolve(const std::vector<std::string>& symbols, Day first, Day last) {
  Resolution all;
  for (size_t i = 0; i < symbols.size(); i += kMostSymbols) {
    const auto end = symbols.begin() + static_cast<ptrdiff_t>(std::min(symbols.size(), i + kMostSymbols));
    const SymbologyQuery query{.dataset = dataset_.dataset,
                               .symbols = {symbols.begin() + static_cast<ptrdiff_t>(i), end},
                               .stype_in = dataset_.stype_in,
                               .stype_out = "instrument_id",
                               .first = first,
                               .end = last + 1};
    auto part = api_.Resolve(query);
    if (!part) {
      // "None of the symbols could be resolved" is an answer.
      if (!IsUnknownSymbols(part.error())) return std::unexpected(Error(part.error()));
      all.not_found.insert(all.not_found.end(), query.symbols.begin(), query.symbols.end());
      continue;
    }
    all.intervals.merge(part->intervals);
    all.partial.insert(all.partial.end(), part->partial.begin(), part->partial.end());
    all.not_found.insert(all.not_found.end(), part->not_found.begin(), part->not_found.end());
  }
  return all;
}

// Most symbols are there on the newest day, and asking about it alone is cheap: what a parent resolves to over fifteen
// years is hundreds of megabytes.
Result<plan::Listings> DatabentoSupply::List(const std::vector<std::string>& symbols, Day first, Day last, Day ask) {
  plan::Listings listings;
  if (symbols == std::vector<std::string>{kAllSymbols}) return plan::Listings{{.symbol = kAllSymbols}};
  LODE_TRY(const Resolution newest, Resolve(symbols, ask, ask));
  Resolution older;
  if (dataset_.stype_in == "parent") {
    // A parent is answered with its contracts, which do not tell whose they are: asked about one by one.
    for (const std::string& parent : newest.not_found) {
      LODE_TRY(const Resolution own, Resolve({parent}, first, last));
      std::vector<SymbolInterval>& all = older.intervals[parent];
      for (const auto& [contract, intervals] : own.intervals) all.insert(all.end(), intervals.begin(), intervals.end());
    }
  } else if (!newest.not_found.empty()) {
    LODE_TRY(older, Resolve(newest.not_found, first, last));
  }
  const std::set<std::string> absent(newest.not_found.begin(), newest.not_found.end());
  resolved_on_ = ask;
  for (const std::string& symbol : symbols) {
    if (!absent.contains(symbol)) resolved_.insert(symbol);
  }
  for (const std::string& symbol : symbols) {
    plan::Listing listing{.symbol = symbol};
    if (!absent.contains(symbol)) {
      listings.Add(listing);
      continue;
    }
    const auto found = older.intervals.find(symbol);
    if (found != older.intervals.end() && !found->second.empty()) {
      listing.first = listing.last = found->second.front().first;
      for (const SymbolInterval& interval : found->second) {
        listing.first = std::min(*listing.first, interval.first);
        listing.last = std::max(*listing.last, interval.end - 1);
      }
      listings.Add(listing);
      continue;
    }
    const symbol::KnownAbsence* known = symbol::FindKnownAbsence(dataset_.dataset, symbol);
    const std::string why = known != nullptr ? symbol::Explain(*known, symbol)
                                             : fmt::format("does not resolve on {} between {} and {}", dataset_.dataset,
                                                           FormatDay(first), FormatDay(last));
    listing.unresolved = why;
    listings.Add(listing);
  }
  return listings;
}

// What the vendor times out over is asked in halves, as records are. Of symbols that are not listed yet there is
// nothing to pay.
Status DatabentoSupply::AddEstimate(const SeriesQuery& query, bool whole, Estimate* sum) {
  if (query.end_ns <= query.start_ns) return Ok();
  const auto ask = [&](Estimate* own) -> Answer<bool> {
    LODE_TRY(own->usd, api_.GetCost(query));
    if (!whole) return true;
    LODE_TRY(own->records, api_.GetRecordCount(query));
    LODE_TRY(own->bytes, api_.GetBillableSize(query));
    return true;
  };
  Estimate own;
  if (const Answer<bool> answer = ask(&own); !answer) {
    if (IsUnknownSymbols(answer.error())) return Ok();
    const int64_t days = (query.end_ns - query.start_ns) / kNsPerDay;
    if (answer.error().failure != net::FailureClass::kTimeout || (query.symbols.size() < 2 && days < 2)) {
      return std::unexpected(Error(answer.error()));
    }
    SeriesQuery front = query, back = query;
    if (query.symbols.size() > 1) {
      const auto middle = static_cast<ptrdiff_t>(query.symbols.size() / 2);
      front.symbols.assign(query.symbols.begin(), query.symbols.begin() + middle);
      back.symbols.assign(query.symbols.begin() + middle, query.symbols.end());
    } else {
      front.end_ns = back.start_ns = query.start_ns + days / 2 * kNsPerDay;
    }
    LODE_TRY(AddEstimate(front, whole, sum));
    return AddEstimate(back, whole, sum);
  }
  *sum->usd += *own.usd;
  if (whole) {
    *sum->records += *own.records;
    *sum->bytes += *own.bytes;
  }
  return Ok();
}

Result<Estimate> DatabentoSupply::EstimateCost(const plan::Work& work, bool whole) {
  LODE_TRY(ReadRange());
  std::map<std::vector<plan::DayRun>, std::vector<std::string>> alike;
  for (const plan::SymbolWork& symbol : work.symbols) {
    const std::span<const plan::DayRun> runs = work.RunsOf(symbol);
    alike[{runs.begin(), runs.end()}].emplace_back(work.NameOf(symbol));
  }
  size_t pieces = 0;
  for (const auto& [runs, symbols] : alike)
    pieces += runs.size() * ((symbols.size() + kMostSymbols - 1) / kMostSymbols);
  Estimate sum{.records = {}, .bytes = {}, .usd = 0};
  if (whole) sum.records = sum.bytes = 0;
  const auto add = [&](const std::vector<std::string>& symbols, plan::DayRun run) {
    return AddEstimate(QueryOf(symbols, work.days[run.begin].day, work.days[run.end - 1].day), whole, &sum);
  };
  for (const auto& [runs, symbols] : alike) {
    for (size_t i = 0; i < symbols.size(); i += kMostSymbols) {
      const auto end = symbols.begin() + static_cast<ptrdiff_t>(std::min(symbols.size(), i + kMostSymbols));
      const std::vector<std::string> part(symbols.begin() + static_cast<ptrdiff_t>(i), end);
      if (pieces > kMostPieces) {  // an upper bound: what lies between the runs is counted too
        LODE_TRY(add(part, {runs.front().begin, runs.back().end}));
        continue;
      }
      for (const plan::DayRun& run : runs) LODE_TRY(add(part, run));
    }
  }
  return sum;
}

FetchOutcome DatabentoSupply::OutcomeOf(const net::Outcome& answer) const {
  FetchOutcome outcome = FailureOf(answer);
  const ApiError error = ToApiError(answer);
  outcome.error = error;
  switch (answer.response.failure) {
    case net::FailureClass::kTimeout: outcome.kind = FetchOutcome::Kind::kTooMuch; return outcome;
    case net::FailureClass::kStopped: outcome.kind = FetchOutcome::Kind::kStop; return outcome;
    case net::FailureClass::kForbidden: outcome.reason = error.message; return outcome;
    case net::FailureClass::kBadRequest:
    case net::FailureClass::kNotFound: break;
    default: return outcome;
  }
  if (error.refusal.available_end_ns && error.refusal.name.contains("end")) {
    outcome.kind = FetchOutcome::Kind::kTooMuch;
    outcome.ready = DayOf(*error.refusal.available_end_ns - 1);
  } else if (error.refusal.name.contains("symbol")) {
    outcome.kind = FetchOutcome::Kind::kSettled;
    outcome.state = CellState::kNotListed;
    outcome.reason = error.refusal.message;
  } else if (error.refusal.name.contains("entitle") || error.refusal.name.contains("license")) {
    outcome.kind = FetchOutcome::Kind::kSettled;
    outcome.state = CellState::kNotEntitled;
    outcome.reason = error.refusal.message;
  }
  return outcome;
}

// Of a stream that broke off, its whole days.
FetchOutcome DatabentoSupply::PartOf(StreamBody& body, const net::Outcome& answer) {
  auto part = body.CutToWholeDays();
  if (!part) return {.kind = FetchOutcome::Kind::kStop, .error = std::move(part).error()};
  return {.kind = FetchOutcome::Kind::kFetchedInPart,
          .size = part->size,
          .crc32c = part->crc32c,
          .end_ns = part->end.start_ns(),
          .tries = answer.response.tries,
          .ready = part->end - 1};
}

void DatabentoSupply::Fetch(const plan::Request& request, const std::filesystem::path& file,
                            std::function<void(FetchOutcome)> done) {
  const auto stop = [&](Error error) { done({.kind = FetchOutcome::Kind::kStop, .error = std::move(error)}); };
  auto opened = net::FileBody::Open({.path = file});
  if (!opened) return stop(std::move(opened).error());
  auto body = std::make_shared<StreamBody>(std::move(*opened), file, *codec::FindDatabentoSchema(dataset_.schema),
                                           request.first());
  const SeriesQuery query = QueryOf(request.symbols, request.first(), request.last());
  // Two answers that cannot both be right settle nothing.
  const bool is_listed =
      resolved_on_ && request.first() <= *resolved_on_ && *resolved_on_ <= request.last() &&
      std::ranges::any_of(request.symbols, [&](const std::string& symbol) { return resolved_.contains(symbol); });
  const auto answered = [this, body, done, is_listed, end_ns = query.end_ns](net::Outcome answer) {
    if (answer.status) {
      return done({.kind = FetchOutcome::Kind::kFetched,
                   .size = body->file().size(),
                   .crc32c = body->file().crc32c(),
                   .end_ns = end_ns,
                   .tries = answer.response.tries});
    }
    if (answer.response.failure == net::FailureClass::kBroken) return done(PartOf(*body, answer));
    FetchOutcome outcome = OutcomeOf(answer);
    if (outcome.kind == FetchOutcome::Kind::kSettled && outcome.state == CellState::kNotListed && is_listed) {
      outcome.kind = FetchOutcome::Kind::kFailed;
      outcome.state = CellState::kFailed;
      outcome.reason = "the vendor resolves it and says here: " + outcome.reason;
      outcome.error = Error{ErrorKind::kPartial, outcome.reason, {}};
    }
    const bool transient = answer.response.failure == net::FailureClass::kTransient;
    if (transient && body->broke_off()) outcome.kind = FetchOutcome::Kind::kTooMuch;
    done(std::move(outcome));
  };
  if (Status added = api_.GetRange(query, body, answered); !added) stop(std::move(added).error());
}

Result<files::Delivery> DatabentoSupply::Deliver(const plan::Request& request, const std::filesystem::path& file,
                                                 int64_t end_ns) const {
  return DeliveryOf({.schema = codec::FindDatabentoSchema(dataset_.schema),
                     .encoding = files::Encoding::kDbn,
                     .name = NameOf(selection(), request),
                     .asked = {{"dataset", dataset_.dataset},
                               {"schema", dataset_.schema},
                               {"symbols", request.symbols},
                               {"stype_in", dataset_.stype_in},
                               {"start", request.first().start_ns()},
                               {"end", end_ns}},
                     .dataset = dataset_.dataset,
                     .stype_in = dataset_.stype_in,
                     .stype_out = "instrument_id"},
                    request, file, end_ns);
}

}  // namespace

Result<std::unique_ptr<Supply>> OpenSupply(const Config& config, const DatasetConfig& dataset, net::Client& client) {
  const auto lacks = [&](std::string_view what) {
    return Fail(ErrorKind::kConfig, "dataset {} has no {}; add it to [datasets.{}] in {}", dataset.name, what,
                dataset.name, config.file().string());
  };
  if (dataset.dataset.empty()) return lacks("`dataset` (the vendor's code, such as \"GLBX.MDP3\")");
  if (dataset.schema.empty()) return lacks("`schema` (such as \"ohlcv-1d\")");
  if (codec::FindDatabentoSchema(dataset.schema) == nullptr) {
    return Fail(ErrorKind::kConfig, "dataset {}: schema '{}' is not one lode knows", dataset.name, dataset.schema);
  }
  DatasetConfig own = dataset;
  if (own.stype_in.empty()) own.stype_in = "raw_symbol";
  LODE_TRY(std::string key, config.ResolveKey("sources.databento.key"));
  const std::string base_url = config.Get("sources.databento.base_url").value_or("");
  LODE_TRY(Api api, Api::Make(client, base_url, std::move(key)));
  return std::make_unique<DatabentoSupply>(std::move(api), std::move(own));
}

}  // namespace lode::source::databento
