#include <algorithm>
#include <limits>

#include "lode/base/hashing.h"
#include "lode/ledger/ledger_internal.h"

namespace lode::ledger {

namespace {

std::optional<bool> FlagOf(const std::optional<int64_t>& number) {
  if (!number) return std::nullopt;
  return *number != 0;
}

Day DayAt(int64_t number) { return Day{static_cast<int32_t>(number)}; }

constexpr int64_t kShortRangeDays = 31;

// Selects rows of one dataset, named by the first parameter.
constexpr std::string_view kOfDataset = "WHERE dataset = (SELECT id FROM dataset WHERE name = ?)";

// One line of Dump: columns separated by tabs; tabs, line ends and backslashes in texts are escaped.
void AppendEscaped(std::string_view text, std::string* line) {
  for (const char c : text) {
    switch (c) {
      case '\\': *line += "\\\\"; break;
      case '\t': *line += "\\t"; break;
      case '\n': *line += "\\n"; break;
      default: *line += c;
    }
  }
}

struct DumpTable {
  std::string_view table, columns, order;
};

constexpr DumpTable kDumpTables[] = {
    {"receipt", "sequence, sha256, unit, origin, finished_at, records, rejected", "sequence"},
    {"raw_file",
     "sequence, ordinal, name, landed, in_place, size, sha256, role, encoding, schema, pretty_px, pretty_ts, mapping",
     "sequence, ordinal"},
    {"partition", "path, size, sha256, rows, min_key, max_key, replaces, sequence", "path"},
    {"removed_file", "path, size, sha256, sequence", "path"},
    {"cell", "symbol, day, state, reason, proof, rows, modified, degraded, sequence", "symbol, day"},
};

Status DumpRows(Database& db, std::string_view dataset, const DumpTable& table,
                const std::function<void(std::string_view)>& line) {
  LODE_TRY(Statement select, Statement::Prepare(db, fmt::format("SELECT {} FROM {} {} ORDER BY {}", table.columns,
                                                                table.table, kOfDataset, table.order)));
  select.Bind(dataset);
  const auto columns = static_cast<int>(std::count(table.columns.begin(), table.columns.end(), ',')) + 1;
  std::string text;
  while (true) {
    LODE_TRY(const bool row, select.Step());
    if (!row) return Ok();
    text = table.table;
    text += '\t';
    AppendEscaped(dataset, &text);
    for (int column = 0; column < columns; ++column) {
      text += '\t';
      AppendEscaped(select.TextView(column), &text);
    }
    line(text);
  }
}

}  // namespace

Result<std::vector<DatasetRow>> SqliteLedger::Datasets() {
  LODE_TRY(Statement select, Statement::Prepare(*db_, "SELECT name, schema, layout FROM dataset ORDER BY name"));
  std::vector<DatasetRow> rows;
  while (true) {
    LODE_TRY(const bool row, select.Step());
    if (!row) return rows;
    rows.push_back({select.Text(0), select.Text(1), select.Text(2)});
  }
}

Result<std::vector<ReceiptRow>> SqliteLedger::Receipts(std::string_view dataset) {
  LODE_TRY(Statement select,
           Statement::Prepare(*db_, fmt::format("SELECT sequence, sha256, unit, origin, finished_at, records, rejected "
                                                "FROM receipt {} ORDER BY sequence",
                                                kOfDataset)));
  select.Bind(dataset);
  std::vector<ReceiptRow> rows;
  while (true) {
    LODE_TRY(const bool row, select.Step());
    if (!row) return rows;
    rows.push_back({select.Number(0), select.Text(1), select.Text(2), select.Text(3), select.Text(4), select.Number(5),
                    select.Number(6)});
  }
}

namespace {

constexpr std::string_view kPartitionColumns = "path, size, sha256, rows, min_key, max_key, replaces, sequence";

PartitionRow PartitionAt(const Statement& select) {
  return {Partition{.path = select.Text(0),
                    .size = static_cast<uint64_t>(select.Number(1)),
                    .sha256 = select.Text(2),
                    .rows = select.Number(3),
                    .min_key = select.Text(4),
                    .max_key = select.Text(5),
                    .replaces = select.Text(6)},
          select.Number(7)};
}

constexpr std::string_view kIsRemoved =
    "EXISTS (SELECT 1 FROM removed_file AS r WHERE r.dataset = raw_file.dataset AND r.path = raw_file.landed)";

constexpr std::string_view kRawFileColumns =
    "name, landed, in_place, size, sha256, role, encoding, schema, pretty_px, pretty_ts, mapping, sequence";

constexpr std::string_view kCellColumns = "symbol, day, state, reason, proof, rows, modified, degraded, sequence";

Status TakeCells(Statement& select, const std::function<void(const CellView&)>& take) {
  while (true) {
    LODE_TRY(const bool row, select.Step());
    if (!row) return Ok();
    const Result<CellState> state = ParseCellState(select.TextView(2));
    if (!state) {
      return Fail(ErrorKind::kCorrupt, "ledger is damaged ({}); run `lode ledger rebuild`", state.error().message);
    }
    std::optional<Day> modified;
    if (const auto number = select.NumberOrNull(6)) modified = DayAt(*number);
    take({.symbol = select.TextView(0),
          .day = DayAt(select.Number(1)),
          .state = *state,
          .reason = select.TextView(3),
          .proof = select.TextView(4),
          .rows = select.NumberOrNull(5),
          .modified = modified,
          .degraded = select.Number(7) != 0,
          .sequence = select.Number(8)});
  }
}

Result<std::vector<RawFileRow>> ReadRawFiles(Statement& select) {
  std::vector<RawFileRow> rows;
  while (true) {
    LODE_TRY(const bool row, select.Step());
    if (!row) return rows;
    rows.push_back({RawFile{.name = select.Text(0),
                            .landed = select.Text(1),
                            .in_place = select.Number(2) != 0,
                            .size = static_cast<uint64_t>(select.Number(3)),
                            .sha256 = select.Text(4),
                            .role = select.Text(5),
                            .encoding = select.Text(6),
                            .schema = select.Text(7),
                            .pretty_px = FlagOf(select.NumberOrNull(8)),
                            .pretty_ts = FlagOf(select.NumberOrNull(9)),
                            .mapping = select.Text(10)},
                    select.Number(11), select.Number(12) != 0});
  }
}

}  // namespace

Result<std::vector<PartitionRow>> SqliteLedger::Partitions(std::string_view dataset) {
  LODE_TRY(Statement select, Statement::Prepare(*db_, fmt::format("SELECT {} FROM partition {} ORDER BY path",
                                                                  kPartitionColumns, kOfDataset)));
  select.Bind(dataset);
  std::vector<PartitionRow> rows;
  while (true) {
    LODE_TRY(const bool row, select.Step());
    if (!row) return rows;
    rows.push_back(PartitionAt(select));
  }
}

Result<std::optional<PartitionRow>> SqliteLedger::FindPartition(std::string_view dataset, std::string_view path) {
  LODE_TRY(Statement select, Statement::Prepare(*db_, fmt::format("SELECT {} FROM partition {} AND path = ?",
                                                                  kPartitionColumns, kOfDataset)));
  LODE_TRY(const bool row, select.Bind(dataset, path).Step());
  if (!row) return std::nullopt;
  return PartitionAt(select);
}

Result<std::vector<RawFileRow>> SqliteLedger::RawFiles(std::string_view dataset) {
  LODE_TRY(Statement select,
           Statement::Prepare(*db_, fmt::format("SELECT {}, {} FROM raw_file {} ORDER BY sequence, ordinal",
                                                kRawFileColumns, kIsRemoved, kOfDataset)));
  return ReadRawFiles(select.Bind(dataset));
}

Result<std::vector<RawFileRow>> SqliteLedger::RawFilesOf(std::string_view dataset, int64_t sequence) {
  LODE_TRY(Statement select, Statement::Prepare(*db_, fmt::format("SELECT {}, {} FROM raw_file {} AND sequence = ? "
                                                                  "ORDER BY ordinal",
                                                                  kRawFileColumns, kIsRemoved, kOfDataset)));
  return ReadRawFiles(select.Bind(dataset, sequence));
}

Result<std::vector<RemovedRow>> SqliteLedger::Removed(std::string_view dataset) {
  std::vector<RemovedRow> rows;
  LODE_TRY(
      Statement select,
      Statement::Prepare(
          *db_, fmt::format("SELECT path, size, sha256, sequence FROM removed_file {} ORDER BY path", kOfDataset)));
  select.Bind(dataset);
  while (true) {
    LODE_TRY(const bool row, select.Step());
    if (!row) return rows;
    rows.push_back(
        {Removal{.path = select.Text(0), .size = static_cast<uint64_t>(select.Number(1)), .sha256 = select.Text(2)},
         select.Number(3)});
  }
}

Status SqliteLedger::ReadPartitionSizes(std::string_view dataset,
                                        const std::function<bool(std::string_view path, uint64_t size)>& take) {
  LODE_TRY(Statement select,
           Statement::Prepare(*db_, fmt::format("SELECT path, size FROM partition {} ORDER BY path", kOfDataset)));
  select.Bind(dataset);
  while (true) {
    LODE_TRY(const bool row, select.Step());
    if (!row || !take(select.TextView(0), static_cast<uint64_t>(select.Number(1)))) return Ok();
  }
}

Status SqliteLedger::ReadCells(std::string_view dataset, std::optional<Day> first, std::optional<Day> last,
                               const std::function<void(const CellView&)>& take) {
  // Of few days the index by day finds them; over many, "+" keeps to the order of the table.
  const bool is_short = first && last && int64_t{last->since_epoch} - first->since_epoch < kShortRangeDays;
  LODE_TRY(Statement select,
           Statement::Prepare(*db_, fmt::format("SELECT {} FROM cell {} AND {}day BETWEEN ? AND ? ORDER BY symbol, day",
                                                kCellColumns, kOfDataset, is_short ? "" : "+")));
  select.Bind(dataset, int64_t{first ? first->since_epoch : std::numeric_limits<int32_t>::min()},
              int64_t{last ? last->since_epoch : std::numeric_limits<int32_t>::max()});
  return TakeCells(select, take);
}

Result<std::vector<CellRow>> SqliteLedger::CellsOf(std::string_view dataset, std::string_view symbol) {
  LODE_TRY(Statement select, Statement::Prepare(*db_, fmt::format("SELECT {} FROM cell {} AND symbol = ? ORDER BY day",
                                                                  kCellColumns, kOfDataset)));
  std::vector<CellRow> rows;
  LODE_TRY(TakeCells(select.Bind(dataset, symbol), [&](const CellView& cell) { rows.push_back(RowOf(cell)); }));
  return rows;
}

Result<Totals> SqliteLedger::Sum(std::string_view dataset) {
  const auto sums = [&](std::string_view columns, std::string_view table) {
    return Statement::Prepare(*db_, fmt::format("SELECT {} FROM {} {}", columns, table, kOfDataset));
  };
  LODE_TRY(Statement receipts, sums("count(*), sum(records), sum(rejected)", "receipt"));
  LODE_TRY(receipts.Bind(dataset).Step());
  LODE_TRY(Statement partitions, sums("count(*), sum(rows), sum(size)", "partition"));
  LODE_TRY(partitions.Bind(dataset).Step());
  LODE_TRY(Statement raw_files,
           sums(fmt::format("sum(size) FILTER (WHERE role = 'data'), sum(size) FILTER (WHERE NOT in_place AND NOT {})",
                            kIsRemoved),
                "raw_file"));
  LODE_TRY(raw_files.Bind(dataset).Step());
  return Totals{.receipts = receipts.Number(0),
                .records = receipts.Number(1),
                .rejected = receipts.Number(2),
                .partitions = partitions.Number(0),
                .rows = partitions.Number(1),
                .partition_bytes = static_cast<uint64_t>(partitions.Number(2)),
                .raw_bytes = static_cast<uint64_t>(raw_files.Number(0)),
                .landing_bytes = static_cast<uint64_t>(raw_files.Number(1))};
}

CellView ViewOf(const CellRow& row) {
  const Cell& cell = row.cell;
  return {.symbol = cell.symbol,
          .day = cell.day,
          .state = cell.state,
          .reason = cell.reason,
          .proof = cell.proof,
          .rows = cell.rows,
          .modified = cell.modified,
          .degraded = cell.degraded,
          .sequence = row.sequence};
}

CellRow RowOf(const CellView& cell) {
  return {Cell{.symbol = std::string(cell.symbol),
               .day = cell.day,
               .state = cell.state,
               .reason = std::string(cell.reason),
               .proof = std::string(cell.proof),
               .rows = cell.rows,
               .modified = cell.modified,
               .degraded = cell.degraded},
          cell.sequence};
}

Result<std::vector<CellRow>> Ledger::Cells(std::string_view dataset, std::optional<Day> first,
                                           std::optional<Day> last) {
  std::vector<CellRow> rows;
  LODE_TRY(ReadCells(dataset, first, last, [&](const CellView& cell) { rows.push_back(RowOf(cell)); }));
  return rows;
}

Result<std::vector<Intent>> SqliteLedger::Intents(std::string_view dataset) {
  // One statement, so that an intent is never seen without its moves.
  LODE_TRY(Statement select,
           Statement::Prepare(*db_, R"(SELECT id, receipt, ordinal, temporary, target, sha256, old_sha256
      FROM intent LEFT JOIN intent_move ON intent = id WHERE dataset = ? ORDER BY id, ordinal)"));
  select.Bind(dataset);
  std::vector<Intent> intents;
  while (true) {
    LODE_TRY(const bool row, select.Step());
    if (!row) return intents;
    if (intents.empty() || intents.back().id != select.Number(0)) {
      intents.push_back({select.Number(0), std::string(dataset), {}, select.Text(1)});
    }
    if (!select.NumberOrNull(2)) continue;
    intents.back().moves.push_back({select.Text(3), select.Text(4), select.Text(5), select.Text(6)});
  }
}

Result<int64_t> SqliteLedger::NextSequence(std::string_view dataset) {
  LODE_TRY(Statement select,
           Statement::Prepare(*db_, fmt::format("SELECT coalesce(max(sequence), 0) + 1 FROM receipt {}", kOfDataset)));
  LODE_TRY(const bool row, select.Bind(dataset).Step());
  return row ? select.Number(0) : 1;
}

Status SqliteLedger::DumpDataset(std::string_view dataset, const std::function<void(std::string_view)>& line) {
  LODE_TRY(Statement select, Statement::Prepare(*db_, "SELECT schema, layout FROM dataset WHERE name = ?"));
  LODE_TRY(const bool row, select.Bind(dataset).Step());
  if (!row) return Ok();
  std::string text = "dataset";
  for (const std::string_view value : {dataset, select.TextView(0), select.TextView(1)}) {
    text += '\t';
    AppendEscaped(value, &text);
  }
  line(text);
  for (const DumpTable& table : kDumpTables) {
    LODE_TRY(DumpRows(*db_, dataset, table, line));
  }
  return Ok();
}

Result<Fingerprint> SqliteLedger::TakeFingerprint(std::string_view dataset) {
  LODE_TRY(const Transaction reading, Transaction::BeginReading(*db_));
  Fingerprint fingerprint;
  LODE_TRY(const std::vector<ReceiptRow> receipts, Receipts(dataset));
  for (const ReceiptRow& row : receipts) fingerprint.receipts.push_back(row.sequence);
  LODE_TRY(fingerprint.intents, Intents(dataset));
  std::map<std::string, Sha256, std::less<>> hashes;
  LODE_TRY(DumpDataset(dataset, [&](std::string_view line) {
    const std::string_view kind = line.substr(0, line.find('\t'));
    auto hash = hashes.find(kind);
    if (hash == hashes.end()) hash = hashes.try_emplace(std::string(kind)).first;
    hash->second.Update(line);
    hash->second.Update("\n");
  }));
  for (auto& [kind, hash] : hashes) fingerprint.rows[kind] = hash.HexDigest();
  return fingerprint;
}

Result<std::string> Ledger::Dump() {
  std::string text;
  LODE_TRY(const std::vector<DatasetRow> datasets, Datasets());
  for (const DatasetRow& dataset : datasets) {
    LODE_TRY(DumpDataset(dataset.name, [&](std::string_view line) {
      text += line;
      text += '\n';
    }));
  }
  return text;
}

}  // namespace lode::ledger
