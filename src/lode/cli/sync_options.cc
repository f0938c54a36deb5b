#include "lode/cli/sync_options.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <ranges>
#include <set>

#include "lode/base/nearest.h"
#include "lode/cli/days.h"
#include "lode/cli/gaps_file.h"
#include "lode/cli/recipes.h"
#include "lode/cli/utf8.h"

namespace lode::cli {
namespace {

Status AddShortData(const Config& config, std::vector<const DatasetConfig*>* datasets) {
  bool is_declared = false;
  for (const auto& [name, dataset] : config.datasets()) {
    if (dataset.source != "polygon" || (dataset.rest != "short_interest" && dataset.rest != "short_volume")) continue;
    is_declared = true;
    if (std::ranges::find(*datasets, &dataset) == datasets->end()) datasets->push_back(&dataset);
  }
  if (is_declared) return Ok();
  return Fail(ErrorKind::kConfig,
              "--include-short-data: {} declares neither; `lode init --recipe short_interest` and `--recipe "
              "short_volume` do",
              config.file().string());
}

}  // namespace

Result<std::vector<const DatasetConfig*>> SelectDatasets(const Config& config, const std::vector<std::string>& names) {
  std::vector<const DatasetConfig*> datasets;
  if (names.empty()) {
    for (const auto& [name, dataset] : config.datasets()) {
      if (source::HasSupply(dataset)) datasets.push_back(&dataset);
    }
    if (datasets.empty()) {
      return Fail(ErrorKind::kConfig,
                  "no dataset of {} can be asked from a vendor; declare one, or `lode init --recipe NAME`",
                  config.file().string());
    }
    return datasets;
  }
  std::vector<std::string> known;
  for (const auto& [name, dataset] : config.datasets()) known.push_back(name);
  for (const std::string& name : names) {
    const DatasetConfig* dataset = config.FindDataset(name);
    if (const Recipe* recipe = FindRecipe(name); dataset == nullptr && recipe != nullptr) {
      const size_t before = datasets.size();
      for (const DatasetConfig& one : recipe->datasets) {
        if (const DatasetConfig* declared = config.FindDataset(one.name)) datasets.push_back(declared);
      }
      if (datasets.size() > before) continue;
    }
    if (dataset == nullptr) {
      return Fail(ErrorKind::kNotFound, "no dataset {} is declared in {}{}", Printable(name), config.file().string(),
                  DidYouMean(name, known));
    }
    datasets.push_back(dataset);
  }
  return datasets;
}

void SyncOptions::Declare(Arguments& arguments) {
  arguments.Positional("DATASET", names_, 0, 0, "datasets; all that can be asked when none is named");
  arguments.Option("-s,--start", "DAY", start_, "first day: YYYY-MM-DD, yesterday, -7d (default: the dataset's start)");
  arguments.Option("-e,--end", "DAY", end_, "last day, inclusive (default: yesterday)");
  arguments.Option("--days", "N", days_, "the last N days only");
  arguments.Option("--backfill-years", "N", backfill_years_, "from N years ago, even before the dataset's start");
  arguments.Flag("--all", all_, "every dataset that can be asked, as without names");
  arguments.Flag("--include-short-data", include_short_data_,
                 "the datasets of Polygon's short interest and short volume too");
  arguments.Option("--symbols", "A,B|@LIST|FILE", symbols_, "these symbols instead of the dataset's");
  arguments.Flag("--refetch", refetch_, "ask again for what is there already");
  arguments.Option("--gaps-file", "FILE", gaps_file_, "only the gaps that `lode gaps -o FILE` wrote");
  arguments.Flag("--trust-ledger", trust_ledger_,
                 "do not look whether the lake's files are still there; for lakes of millions");
  arguments.Flag("--retry-failed", retry_failed_, "only what failed or was refused before");
}

Result<std::vector<sync::SyncRequest>> SyncOptions::Requests(Session& session, const Config& config) const {
  if (refetch_ && retry_failed_) return Fail(ErrorKind::kUsage, "--refetch and --retry-failed exclude each other");
  if (all_ && !names_.empty()) return Fail(ErrorKind::kUsage, "give --all or datasets, not both");
  if (!gaps_file_.empty()) return RequestsOfGaps(session, config);
  LODE_TRY(auto datasets, SelectDatasets(config, names_));
  const auto named = std::set(datasets.begin(), datasets.end());
  if (include_short_data_) LODE_TRY(AddShortData(config, &datasets));
  std::vector<sync::SyncRequest> requests;
  for (const DatasetConfig* dataset : datasets) {
    LODE_TRY(std::optional<sync::SyncRequest> request,
             RequestOf(session, config, *dataset,
                       {.start = start_, .end = end_, .days = days_, .backfill_years = backfill_years_}));
    if (!request) continue;
    // Short data is the whole market's, whichever tickers the others are asked for.
    if (!symbols_.empty() && named.contains(dataset)) request->symbols = {symbols_};
    request->refetch = refetch_;
    request->retry_failed_only = retry_failed_;
    request->trust_ledger = trust_ledger_;
    requests.push_back(*std::move(request));
  }
  return requests;
}

Result<std::vector<sync::SyncRequest>> SyncOptions::RequestsOfGaps(const Session& session, const Config& config) const {
  if (!start_.empty() || !end_.empty() || !days_.empty() || !symbols_.empty()) {
    return Fail(ErrorKind::kUsage,
                "--gaps-file says itself which symbols and days; leave -s, -e, --days and --symbols out");
  }
  LODE_TRY(const auto gaps, ReadGapsFile(gaps_file_));
  std::vector<std::string> names = names_;
  if (names.empty()) std::ranges::copy(std::views::keys(gaps), std::back_inserter(names));
  if (names.empty()) return std::vector<sync::SyncRequest>();
  LODE_TRY(const auto datasets, SelectDatasets(config, names));
  std::vector<sync::SyncRequest> requests;
  for (const DatasetConfig* dataset : datasets) {
    const auto own = gaps.find(dataset->name);
    if (own == gaps.end() || !source::HasSupply(*dataset)) continue;
    requests.push_back({.paths = {config.lake_root()},
                        .config = &config,
                        .dataset = dataset,
                        .first = std::ranges::min(own->second, {}, &plan::SymbolDays::first).first,
                        .last = std::ranges::max(own->second, {}, &plan::SymbolDays::last).last,
                        .refetch = refetch_,
                        .retry_failed_only = retry_failed_,
                        .only = own->second,
                        .trust_ledger = trust_ledger_,
                        .memory_bytes = session.memory_bytes()});
  }
  return requests;
}

Result<std::optional<sync::SyncRequest>> RequestOf(const Session& session, const Config& config,
                                                   const DatasetConfig& dataset, const RangeFlags& flags) {
  const Day today = session.today();
  const bool is_snapshot = source::IsSnapshot(dataset);
  const std::optional<Day> own_start = dataset.start ? dataset.start : source::DefaultStart(dataset);
  LODE_TRY(const PlanRange range,
           ParsePlanRange(flags, is_snapshot ? today : own_start, today, is_snapshot ? today : today - 1));
  if (range.empty()) return std::nullopt;
  return sync::SyncRequest{.paths = {config.lake_root()},
                           .config = &config,
                           .dataset = &dataset,
                           .first = range.first,
                           .last = range.last,
                           .memory_bytes = session.memory_bytes()};
}

bool EndsTheRun(const Error& error) {
  return error.kind == ErrorKind::kStorage || error.kind == ErrorKind::kInterrupted ||
         error.kind == ErrorKind::kInternal;
}

Result<double> ParseNumber(std::string_view flag, const std::string& text, double least, double most) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || !(number >= least && number <= most)) {
    return Fail(ErrorKind::kUsage, "{} wants a number from {} to {}, not '{}'", flag, least, most, Printable(text));
  }
  return number;
}

std::string Usd(const std::optional<double>& usd) { return usd ? fmt::format("{:.2f} USD", *usd) : "unknown"; }

std::string UnresolvedText(const sync::SyncReport& report) {
  std::string text;
  for (const sync::Unresolved& symbol : report.unresolved) {
    text += fmt::format("{}: {}: {}\n", report.dataset, Printable(symbol.symbol), Printable(symbol.reason));
  }
  return text;
}

}  // namespace lode::cli
