#include "lode/sink/duckdb/bar_sums.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "lode/base/log.h"
#include "lode/base/stop.h"
#include "lode/lake/layout.h"
#include "lode/lake/listing.h"
#include "lode/sink/duckdb/content_rules.h"

namespace lode::sink {
namespace {

constexpr std::array kSizes = {"ohlcv-1s", "ohlcv-1m", "ohlcv-1h", "ohlcv-1d"};
constexpr std::array kUnits = {"second", "minute", "hour", "day"};  // of date_trunc

using Days = std::map<Day, std::set<std::string>>;  // day: symbols that have data or are known to have none

// One dataset as the comparison needs it.
struct Bars {
  const ContentDataset* dataset = nullptr;
  size_t size = 0;  // of kSizes
  Days complete;
  std::map<Day, std::set<std::string>> files;  // that hold the day, absolute
  std::map<std::string, int64_t> rows;         // a file
};

// A day counts when nothing of it is work, and something is there.
Result<Bars> TakeBars(const ContentRequest& request, const ContentDataset& dataset, size_t size) {
  Bars bars{.dataset = &dataset, .size = size, .complete = {}, .files = {}, .rows = {}};
  LODE_TRY(const std::set<std::string> lost, lake::LostPartitions(request.paths, *request.ledger, dataset.row.name));
  LODE_TRY(const std::vector<ledger::PartitionRow> partitions, request.ledger->Partitions(dataset.row.name));
  LODE_TRY(const lake::Layout layout, lake::Layout::Parse(dataset.row.layout));
  const std::string folder = "bronze/" + dataset.row.name + "/";
  std::set<Day> open, filled;
  for (const ledger::PartitionRow& row : partitions) {
    bars.rows[(request.paths.root / (folder + row.partition.path)).string()] = row.partition.rows;
  }
  LODE_TRY(lake::ReadCells(*request.ledger, dataset.row, {}, {}, lost, [&](const ledger::CellView& cell) {
    const bool complete = cell.state == ledger::CellState::kComplete;
    if (!ledger::IsSettled(cell.state) || cell.state == ledger::CellState::kExpired) open.insert(cell.day);
    if (!complete && cell.state != ledger::CellState::kEmpty) return;
    bars.complete[cell.day].emplace(cell.symbol);
    if (!complete) return;
    const std::string path = folder + layout.PathOf(cell.day, std::string(cell.symbol));
    const std::string file = (request.paths.root / path).string();
    if (request.damaged.contains(path)) open.insert(cell.day);
    if (!bars.rows.contains(file)) return;  // the cell is complete, and had no row
    filled.insert(cell.day);
    bars.files[cell.day].insert(file);
  }));
  std::erase_if(bars.complete,
                [&](const auto& day) { return open.contains(day.first) || !filled.contains(day.first); });
  return bars;
}

std::string DayList(std::span<const Day> days) {
  std::vector<std::string> texts;
  for (const Day day : days) texts.push_back(fmt::format("DATE '{}'", FormatDay(day)));
  return texts.empty() ? "(NULL)" : fmt::format("({})", fmt::join(texts, ", "));
}

// Days that one statement compares, and whether a bar that only one side has counts there.
struct Chunk {
  std::vector<Day> days, strict;
};

std::vector<std::string> FilesOf(const Bars& bars, const Chunk& chunk) {
  std::set<std::string> files;
  for (const Day day : chunk.days) files.insert(bars.files.at(day).begin(), bars.files.at(day).end());
  return {files.begin(), files.end()};
}

// Days in order, cut where the finer bars' files hold more rows than one statement takes; each file's rows are spread
// over the days it holds.
std::vector<Chunk> ChunksOf(const Bars& fine, const Bars& coarse, int64_t rows_at_once) {
  std::map<std::string, int64_t> days_in_file;
  for (const auto& [day, files] : fine.files) {
    for (const std::string& file : files) ++days_in_file[file];
  }
  std::vector<Chunk> chunks;
  int64_t rows = 0;
  for (const auto& [day, symbols] : fine.complete) {
    const auto other = coarse.complete.find(day);
    if (other == coarse.complete.end()) continue;
    int64_t of_day = 0;
    for (const std::string& file : fine.files.at(day)) of_day += fine.rows.at(file) / days_in_file[file];
    if (chunks.empty() || rows + of_day > rows_at_once) {
      chunks.emplace_back();
      rows = 0;
    }
    rows += of_day;
    chunks.back().days.push_back(day);
    if (other->second == symbols) chunks.back().strict.push_back(day);
  }
  return chunks;
}

std::string ComparedSql(const Bars& fine, const Bars& coarse, const Chunk& chunk) {
  return fmt::format(
      R"sql(WITH fine AS (
  SELECT publisher_id AS p, instrument_id AS i, coalesce(symbol, '') AS s, date_trunc('{0}', ts_event) AS t,
    arg_min(open, ts_event) AS o, max(high) AS h, min(low) AS l, arg_max(close, ts_event) AS c, sum(volume) AS v
  FROM {1} WHERE CAST(ts_event AS DATE) IN {3} GROUP BY ALL),
coarse AS (
  SELECT publisher_id AS p, instrument_id AS i, coalesce(symbol, '') AS s, ts_event AS t,
    open AS o, high AS h, low AS l, close AS c, volume AS v
  FROM {2} WHERE CAST(ts_event AS DATE) IN {3}),
compared AS (
  SELECT coalesce(coarse.s, fine.s) AS s, coalesce(coarse.i, fine.i) AS i, coalesce(coarse.t, fine.t) AS t,
    CASE WHEN coarse.t IS NULL THEN 'not there'
      WHEN fine.t IS NULL THEN 'there, without its parts'
      WHEN coarse.o IS DISTINCT FROM fine.o THEN 'open ' || coarse.o || ' instead of ' || fine.o
      WHEN coarse.h IS DISTINCT FROM fine.h THEN 'high ' || coarse.h || ' instead of ' || fine.h
      WHEN coarse.l IS DISTINCT FROM fine.l THEN 'low ' || coarse.l || ' instead of ' || fine.l
      WHEN coarse.c IS DISTINCT FROM fine.c THEN 'close ' || coarse.c || ' instead of ' || fine.c
      WHEN coarse.v IS DISTINCT FROM fine.v THEN 'volume ' || coarse.v || ' instead of ' || fine.v END AS difference
  FROM coarse FULL JOIN fine ON coarse.p = fine.p AND coarse.i = fine.i AND coarse.s = fine.s AND coarse.t = fine.t
  WHERE (coarse.t IS NOT NULL AND fine.t IS NOT NULL) OR CAST(coalesce(coarse.t, fine.t) AS DATE) IN {4})
SELECT count(*), count(difference),
  arg_min(concat_ws(' ', CASE WHEN s = '' THEN 'instrument ' || i ELSE s END, strftime(t, '%Y-%m-%dT%H:%M:%S'),
    difference), (t, s, i)) FILTER (WHERE difference IS NOT NULL)
FROM compared)sql",
      kUnits[coarse.size], ReadFilesSql(FilesOf(fine, chunk)), ReadFilesSql(FilesOf(coarse, chunk)),
      DayList(chunk.days), DayList(chunk.strict));
}

int64_t Number(const std::string& text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Status Compare(Connection& connection, const Bars& fine, const Bars& coarse, int64_t rows_at_once,
               std::vector<lake::Finding>* findings) {
  int64_t compared = 0, different = 0;
  std::string first;
  for (const Chunk& chunk : ChunksOf(fine, coarse, rows_at_once)) {
    LODE_TRY(CheckStop());
    const auto rows = connection.Rows(ComparedSql(fine, coarse, chunk));
    if (!rows) {
      const Error& error = rows.error();
      if (error.kind == ErrorKind::kInterrupted || error.message.starts_with("Out of Memory")) {
        return std::unexpected(error);
      }
      // A file that cannot be read is told by itself; one that a publish replaced comes next time.
      log::Debug("{} and {} are not compared: {}", coarse.dataset->row.name, fine.dataset->row.name, error.message);
      continue;
    }
    compared += Number(rows->at(0).at(0));
    different += Number(rows->at(0).at(1));
    if (first.empty()) first = rows->at(0).at(2);
  }
  if (different == 0) return Ok();
  findings->push_back({lake::Finding::Severity::kWarning, coarse.dataset->row.name,
                       "bronze/" + coarse.dataset->row.name,
                       fmt::format("{} of {} bars are not what the bars of {} add up to; first: {}", different,
                                   compared, fine.dataset->row.name, first),
                       "sums", different});
  return Ok();
}

// Of the next finer size that the vendor dataset has here.
std::vector<const Bars*> FinerThan(const std::vector<Bars>& all, const Bars& coarse) {
  std::vector<const Bars*> finer;
  for (size_t size = coarse.size; size-- > 0 && finer.empty();) {
    for (const Bars& bars : all) {
      if (bars.size == size && bars.dataset->vendor_dataset == coarse.dataset->vendor_dataset) finer.push_back(&bars);
    }
  }
  return finer;
}

}  // namespace

Status CompareBarSizes(const ContentRequest& request, Connection& connection, std::vector<lake::Finding>* findings) {
  std::vector<Bars> all;
  for (const ContentDataset& dataset : request.datasets) {
    const auto size = std::ranges::find(kSizes, dataset.row.schema);
    if (dataset.vendor_dataset.empty() || size == kSizes.end()) continue;
    LODE_TRY(Bars bars, TakeBars(request, dataset, static_cast<size_t>(size - kSizes.begin())));
    all.push_back(std::move(bars));
  }
  for (const Bars& coarse : all) {
    for (const Bars* fine : FinerThan(all, coarse))
      LODE_TRY(Compare(connection, *fine, coarse, request.rows_at_once, findings));
  }
  return Ok();
}

}  // namespace lode::sink
