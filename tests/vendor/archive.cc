#include "archive.h"

#include <fmt/format.h>

#include <algorithm>

namespace lode::vendor {

int64_t DatasetState::AvailableEnd(const std::string& schema) const {
  const int64_t now = days.now_ns();
  const int64_t interval = IntervalNs(schema);
  return interval > 0 ? now - now % interval : now;
}

Archive::Archive(const ArchiveOptions& options) : options_(options) {
  WarmUpWriter();
  for (const DatasetInfo& dataset : Datasets()) {
    datasets_.push_back(std::make_unique<DatasetState>(dataset, options.seed, options.now_ns, options.pending_days));
  }
}

DatasetState* Archive::Find(const std::string& dataset) {
  const auto found = std::ranges::find_if(datasets_, [&](const auto& state) { return state->info.code == dataset; });
  return found == datasets_.end() ? nullptr : found->get();
}

void Archive::SetNow(int64_t now_ns) {
  for (const auto& dataset : datasets_) dataset->days.SetNow(now_ns);
}

Checked<Selection> Archive::Select(Query query) {
  Selection selection;
  selection.dataset = Find(query.dataset);
  const int64_t start = selection.dataset->info.first.start_ns();
  const int64_t end = selection.dataset->AvailableEnd(query.schema);
  const Json payload = {{"dataset", query.dataset},
                        {"start", FormatIsoNs(query.start_ns)},
                        {"end", FormatIsoNs(query.end_ns)},
                        {"available_start", FormatIsoNs(start)},
                        {"available_end", FormatIsoNs(end)}};
  const auto refuse = [&](const char* id, std::string message) {
    return std::unexpected(Case(422, id, std::move(message), payload));
  };
  if (query.start_ns < start) {
    return refuse(
        "data_start_before_available_start",
        fmt::format("The dataset {} has data available from {}. The `start` in the query ('{}') is before it.",
                    query.dataset, FormatIsoNs(start), FormatIsoNs(query.start_ns)));
  }
  if (query.start_ns >= end) {
    return refuse("data_start_after_available_end",
                  fmt::format("The dataset {} has data available up to '{}'. The `start` in the query ('{}') is after "
                              "the available range.",
                              query.dataset, FormatIsoNs(end), FormatIsoNs(query.start_ns)));
  }
  if (query.end_ns > end) {
    return refuse(
        "data_end_after_available_end",
        fmt::format(
            "The dataset {} has data available up to '{}'. The `end` in the query ('{}') is after the available "
            "range. Try requesting with an earlier `end`.",
            query.dataset, FormatIsoNs(end), FormatIsoNs(query.end_ns)));
  }
  selection.resolution = Resolve(selection.dataset->universe, selection.dataset->fronts, query.symbols, query.stype_in,
                                 query.stype_out, query.first_day(), query.last_day_exclusive());
  if (selection.resolution.status() == 2) {
    return std::unexpected(Case(422, "symbology_invalid_request", "None of the symbols could be resolved",
                                {{"dataset", query.dataset}, {"symbols", selection.resolution.not_found}}));
  }
  selection.query = std::move(query);
  return selection;
}

void Archive::ForEachDay(const Selection& selection, Day from, Day to,
                         const std::function<bool(const SelectedDay&)>& take) const {
  const Query& query = selection.query;
  const RecordMaker maker(selection.dataset->universe, query.schema, options_.dbn_version);
  const auto& segments = selection.resolution.segments;
  from = std::max(from, query.first_day());
  to = std::min(to, query.last_day_exclusive());
  const auto states = selection.dataset->days.StatesOf(from, to);
  std::vector<const Segment*> active;
  size_t next = 0;
  uint64_t left = query.limit == 0 ? ~uint64_t{0} : query.limit;
  for (Day day = from; day < to && left > 0; day = day + 1) {
    std::erase_if(active, [&](const Segment* segment) { return segment->to <= day; });
    for (; next < segments.size() && segments[next].from <= day; ++next) {
      if (segments[next].to > day) active.push_back(&segments[next]);
    }
    const auto& state = states[static_cast<size_t>(day.since_epoch - from.since_epoch)];
    if (!state || !state->has_data || active.empty()) continue;
    std::map<uint32_t, uint32_t> labels;  // in order of the contract: so records of one instant are too
    for (const Segment* segment : active) labels.try_emplace(segment->contract, segment->mapping);
    std::vector<uint32_t> contracts;
    for (const auto& [contract, label] : labels) contracts.push_back(contract);
    const DayRecords records = maker.Make(day, state->revision, contracts);
    std::vector<RecordPlace> places;
    places.reserve(records.places.size());
    for (const RecordPlace& place : records.places) {
      if (static_cast<int64_t>(place.ts_ns) < query.start_ns || static_cast<int64_t>(place.ts_ns) >= query.end_ns)
        continue;
      if (left == 0) break;
      --left;
      places.push_back(place);
    }
    if (!places.empty() && !take({day, records, std::move(places), labels})) return;
  }
}

uint64_t Archive::CountRecords(const Selection& selection) const {
  uint64_t count = 0;
  ForEachDay(selection, selection.query.first_day(), selection.query.last_day_exclusive(), [&](const SelectedDay& day) {
    count += day.places.size();
    return true;
  });
  return count;
}

double Archive::UnitPrice(const std::string& schema, const std::string& mode) {
  double price = 5;
  if (schema.starts_with("ohlcv-1d"))
    price = 600;
  else if (schema.starts_with("ohlcv-1h"))
    price = 240;
  else if (schema.starts_with("ohlcv-1m"))
    price = 120;
  else if (schema.starts_with("ohlcv-1s"))
    price = 60;
  else if (schema == "trades")
    price = 28;
  else if (schema == "tbbo")
    price = 17.89;
  else if (schema == "mbo")
    price = 1.8;
  else if (schema.starts_with("mbp"))
    price = 1.9;
  else if (schema == "statistics")
    price = 11;
  return mode == "live" ? price * 1.2 : price;
}

}  // namespace lode::vendor
