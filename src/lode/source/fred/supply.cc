#include "lode/source/fred/supply.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "lode/codec/schema.h"
#include "lode/source/answer.h"
#include "lode/source/fred/api.h"
#include "lode/source/page_chain.h"
#include "lode/symbol/lists.h"

namespace lode::source::fred {
namespace {

using ledger::CellState;

constexpr std::string_view kSchema = "fred/observations";
constexpr std::string_view kInfix = ".observations.", kEnding = ".json.zst";
// Nanoseconds since 1970 reach back to 1677.
const Day kFirstDay = ToDay({1678, 1, 1});

// An answer that is not what the method gives was cut or replaced on its way: worth another try.
class SeriesBody final : public net::TextBody {
 public:
  explicit SeriesBody(std::string id) : id_(std::move(id)) {}
  Status End() override {
    series_ = ParseSeries(text());
    if (series_ && series_->id == id_) return Ok();
    return Fail(ErrorKind::kCorrupt, "not the answer of this method: {}",
                series_ ? "another series" : series_.error().ToString());
  }
  const Series& series() const { return *series_; }

 private:
  std::string id_;
  Result<Series> series_ = Fail(ErrorKind::kInternal, "no answer");
};

// The vendor says 400 to nearly everything; its words tell the cases apart.
enum class Refusal { kNone, kKey, kNoSeries, kNoVintages };

Refusal RefusalOf(const net::Outcome& answer) {
  switch (answer.response.failure) {
    case net::FailureClass::kUnauthorized:
    case net::FailureClass::kPayment:
    case net::FailureClass::kForbidden: return Refusal::kKey;
    case net::FailureClass::kBadRequest:
    case net::FailureClass::kNotFound: break;
    default: return Refusal::kNone;
  }
  const std::string message = ParseErrorMessage(answer.response.error_body);
  if (message.contains("api_key")) return Refusal::kKey;
  if (message.contains("ALFRED")) return Refusal::kNoVintages;
  if (message.contains("does not exist")) return Refusal::kNoSeries;
  return Refusal::kNone;
}

// A series' answers: its vintage dates, then window after window its observations, page after page.
class SeriesChain {
 public:
  // `first` and `last` are days of observations.
  SeriesChain(const Api& api, Series series, Day first, Day last)
      : api_(api), series_(std::move(series)), id_(series_.id), first_(first), last_(last) {}

  net::Request First() const { return api_.VintagesRequest(id_, 0); }

  Result<PageStep> Read(std::string_view page) { return windows_.empty() ? ReadVintages(page) : ReadRows(page); }

  // A series that the vendor keeps no vintages of is asked for as it stands.
  std::optional<net::Request> Recover(const net::Outcome& answer) {
    if (!windows_.empty() || RefusalOf(answer) != Refusal::kNoVintages) return std::nullopt;
    windows_.emplace_back(std::nullopt);
    return Ask(0);
  }

 private:
  net::Request Ask(size_t offset) const {
    return api_.ObservationsRequest(id_, first_, last_, windows_[window_], offset);
  }

  Result<PageStep> ReadVintages(std::string_view text) {
    LODE_TRY(VintagePage page, ParseVintages(text));
    if (page.offset != vintages_.size() || (page.dates.empty() && page.offset < page.count)) {
      return Fail(ErrorKind::kBadInput, "vintage dates from {} on, not from {}", page.offset, vintages_.size());
    }
    if (!vintages_.empty() && !page.dates.empty() && page.dates.front() <= vintages_.back()) {
      return Fail(ErrorKind::kBadInput, "vintage dates that came before");
    }
    vintages_.insert(vintages_.end(), page.dates.begin(), page.dates.end());
    if (vintages_.size() < page.count) return PageStep{false, api_.VintagesRequest(id_, vintages_.size())};
    for (const Window& window : WindowsOf(vintages_)) windows_.emplace_back(window);
    return PageStep{false, Ask(0)};
  }

  // Whether the page is the one that was asked for: of this window, from where the last one ended, with the same count.
  Result<PageStep> ReadRows(std::string_view text) {
    LODE_TRY(const ObservationPage page, ParseObservations(text));
    const auto bad = [](std::string_view why) { return Fail(ErrorKind::kBadInput, "{}", why); };
    const std::optional<Window>& window = windows_[window_];
    if (window && *window != Window{page.realtime_start, page.realtime_end}) return bad("of another real-time period");
    if (!window && page.realtime_start != page.realtime_end) return bad("of a real-time period that was not asked for");
    if (page.range_first > std::max(first_, series_.first) || page.range_last < std::min(last_, series_.last)) {
      return bad("of another range of observations");
    }
    if (page.offset != rows_) return bad(fmt::format("observations from {} on, not from {}", page.offset, rows_));
    if (rows_ > 0 && page.count != count_) return bad("the series changed while its pages were read");
    const bool is_full = page.rows == std::min(page.limit, kObservationsPage);
    if (!is_full && rows_ + page.rows < page.count) {
      return bad(fmt::format("{} observations, and {} are not told", page.rows, page.count - rows_ - page.rows));
    }
    if (page.first && (*page.first < first_ || *page.last > last_)) return bad("observations outside the range");
    if (page.first && previous_ && *page.first < *previous_) return bad("observations that came before");
    count_ = page.count;
    rows_ += page.rows;
    previous_ = page.last;
    // A full page is the last one only where the count says so to the row: of several vintages it is not documented.
    if (is_full && page.rows > 0 && rows_ != count_) return PageStep{true, Ask(rows_)};
    rows_ = count_ = 0;
    previous_.reset();
    if (++window_ < windows_.size()) return PageStep{true, Ask(0)};
    return PageStep{true, std::nullopt};
  }

  const Api& api_;
  const Series series_;
  const std::string& id_;
  const Day first_, last_;
  std::vector<Day> vintages_;
  std::vector<std::optional<Window>> windows_;  // nullopt: a series without vintages
  size_t window_ = 0, rows_ = 0, count_ = 0;    // of the window
  std::optional<Day> previous_;
};

class FredSupply final : public Supply {
 public:
  explicit FredSupply(Api api) : api_(std::move(api)) {}

  Result<Expectation> Expect(const std::vector<std::string>& symbols, Day first, Day last) override;
  Result<Estimate> EstimateCost(const plan::Work&, bool) override {
    return Estimate{.records = {}, .bytes = {}, .usd = 0};
  }
  bool is_free() const override { return true; }
  BadRecordPolicy bad_record_policy() const override { return BadRecordPolicy::kFail; }
  // Cells are years: a request brings all that is missing of a series.
  std::optional<plan::ChunkLimits> request_limits() const override {
    return plan::ChunkLimits{.symbols = 1, .days = std::numeric_limits<int32_t>::max()};
  }
  plan::Selection selection() const override { return {"FRED", std::string(kSchema), ""}; }
  void Fetch(const plan::Request& request, const std::filesystem::path& file,
             std::function<void(FetchOutcome)> done) override;
  Result<files::Delivery> Deliver(const plan::Request& request, const std::filesystem::path& file,
                                  int64_t end_ns) const override;

 private:
  Status AskAbout(const std::vector<std::string>& ids);

  Api api_;
  std::map<std::string, Series> series_;           // as told in this run
  std::map<std::string, std::string> unresolved_;  // why not
};

std::string ReasonOf(const std::string& id, std::string_view vendor) {
  if (const auto* known = symbol::FindKnownAbsence("FRED", id)) return symbol::Explain(*known, id);
  return std::string(vendor);
}

Status FredSupply::AskAbout(const std::vector<std::string>& ids) {
  std::vector<std::string> asked;
  std::vector<std::pair<net::Request, std::shared_ptr<net::Body>>> requests;
  std::vector<std::shared_ptr<SeriesBody>> bodies;
  for (const std::string& id : ids) {
    if (series_.contains(id) || unresolved_.contains(id)) continue;
    if (!IsSeriesId(id)) {
      unresolved_[id] = ReasonOf(id, "no FRED series id");
      continue;
    }
    asked.push_back(id);
    bodies.push_back(std::make_shared<SeriesBody>(id));
    requests.emplace_back(api_.SeriesRequest(id), bodies.back());
  }
  const std::vector<net::Outcome> answers = api_.client().FetchAll(std::move(requests));
  for (size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].status) {
      series_[asked[i]] = bodies[i]->series();
      continue;
    }
    const Error& error = answers[i].status.error();
    switch (RefusalOf(answers[i])) {
      case Refusal::kNoSeries: unresolved_[asked[i]] = ReasonOf(asked[i], "the vendor has no such series"); break;
      case Refusal::kKey: return Fail(ErrorKind::kRefused, "{}", error.message);
      case Refusal::kNoVintages:
      case Refusal::kNone: return std::unexpected(error);
    }
  }
  return Ok();
}

Result<Expectation> FredSupply::Expect(const std::vector<std::string>& symbols, Day first, Day last) {
  LODE_TRY(AskAbout(symbols));
  const codec::TableSchema& schema = *codec::FindSchema(kSchema);
  Expectation all;
  for (const std::string& id : symbols) {
    Expectation& one = all.more.emplace_back();
    const auto why = unresolved_.find(id);
    one.listings.Add(
        {.symbol = id, .first = {}, .last = {}, .unresolved = why == unresolved_.end() ? "" : why->second});
    if (why != unresolved_.end()) continue;
    const Series& series = series_.at(id);
    const Day newest = schema.CellDay(std::min(series.last, last));
    for (Day day = schema.CellDay(std::max({series.first, first, kFirstDay})); day <= newest;
         day = schema.CellDay(day + 366)) {
      one.days.push_back({day, plan::VendorDay::State::kAvailable, series.last_updated});
    }
  }
  return all;
}

// The last day of a cell.
Day EndOfYear(Day day) { return ToDay({ToYearMonthDay(day).year, 12, 31}); }

void FredSupply::Fetch(const plan::Request& request, const std::filesystem::path& file,
                       std::function<void(FetchOutcome)> done) {
  const Day last = EndOfYear(request.last());
  auto chain = std::make_shared<SeriesChain>(api_, series_.at(request.symbols.front()), request.first(), last);
  PageReader reader{.read = [chain](std::string_view page) { return chain->Read(page); },
                    .recover = [chain](const net::Outcome& answer) { return chain->Recover(answer); }};
  const auto ended = [done = std::move(done), end_ns = (last + 1).start_ns()](ChainOutcome chain_outcome) {
    FetchOutcome outcome = std::move(chain_outcome.outcome);
    outcome.end_ns = end_ns;
    if (chain_outcome.answer) {
      switch (RefusalOf(*chain_outcome.answer)) {
        case Refusal::kKey:
          outcome.kind = FetchOutcome::Kind::kStop;
          outcome.error.kind = ErrorKind::kRefused;
          break;
        case Refusal::kNoSeries:
          outcome.kind = FetchOutcome::Kind::kSettled;
          outcome.state = CellState::kNotListed;
          outcome.reason = "the vendor has no such series";
          break;
        case Refusal::kNoVintages:
        case Refusal::kNone:
          if (chain_outcome.answer->response.failure == net::FailureClass::kTimeout) {
            outcome.kind = FetchOutcome::Kind::kTooMuch;
          }
      }
    }
    done(std::move(outcome));
  };
  FetchPages(api_.client(), chain->First(), file, std::move(reader), ended);
}

Result<files::Delivery> FredSupply::Deliver(const plan::Request& request, const std::filesystem::path& file,
                                            int64_t end_ns) const {
  const std::string& id = request.symbols.front();
  return DeliveryOf({.schema = codec::FindSchema(kSchema),
                     .encoding = files::Encoding::kNdjson,
                     .name = fmt::format("{}{}{}{}", id, kInfix, plan::RequestId(selection(), request), kEnding),
                     .asked = {{"series_id", id},
                               {"observation_start", FormatDay(request.first())},
                               {"observation_end", FormatDay(DayOf(end_ns - 1))}},
                     .dataset = "FRED"},
                    request, file, end_ns);
}

}  // namespace

std::optional<FileNameFacts> ParseFileName(std::string_view name) {
  if (!name.ends_with(kEnding)) return std::nullopt;
  const size_t infix = name.find(kInfix);
  if (infix == std::string_view::npos || !IsSeriesId(name.substr(0, infix))) return std::nullopt;
  FileNameFacts facts;
  facts.dataset = "FRED";
  facts.schema = kSchema;
  facts.encoding = "json";
  facts.compressed = true;
  facts.symbol = facts.group = name.substr(0, infix);
  return facts;
}

Result<std::unique_ptr<Supply>> OpenSupply(const Config& config, const DatasetConfig& dataset, net::Client& client) {
  if (dataset.schema_name() != kSchema) {
    return Fail(ErrorKind::kConfig, "dataset {}: schema '{}' is not one of FRED; leave `schema` out", dataset.name,
                dataset.schema);
  }
  LODE_TRY(std::string key, config.ResolveKey("sources.fred.key"));
  LODE_TRY(Api api, Api::Make(client, config.Get("sources.fred.base_url").value_or(""), std::move(key)));
  return std::make_unique<FredSupply>(std::move(api));
}

}  // namespace lode::source::fred
