#include "lode/lake/replaced_rows.h"

#include <arrow/api.h>

#include <algorithm>

#include "lode/lake/import_cells.h"
#include "lode/lake/import_decode.h"

namespace lode::lake {
namespace {

bool HoldsRows(const ledger::Cell& cell) {
  using enum ledger::CellState;
  const bool state =
      cell.state == kComplete || cell.state == kPartial || cell.state == kPending || cell.state == kStale;
  return state && cell.rows.value_or(1) > 0;
}

// What the unit has an answer for. A request that failed, or that nobody made, takes no rows away.
bool IsDelivered(const ledger::Cell& cell) {
  using enum ledger::CellState;
  return cell.state == kComplete || cell.state == kPartial || cell.state == kEmpty ||
         (cell.state == kPending && cell.rows);
}

bool IsNewAnswer(const ledger::Cell& newer, const ledger::Cell& older) {
  return IsDelivered(newer) && !newer.symbol.starts_with(kFileGroupPrefix) && ledger::Replaces(newer, older);
}

}  // namespace

Result<ReplacedRows> ReplacedRows::Find(DatasetWriter& writer, const std::vector<ledger::Cell>& cells,
                                        const codec::StringPool& strings, const std::vector<std::string>& own_labels,
                                        const std::string& stype_in) {
  ReplacedRows replaced;
  replaced.strings_ = &strings;
  replaced.stype_in_ = stype_in;
  if (cells.empty()) return replaced;
  std::map<Day, std::set<std::string>> delivered;  // symbols by day
  for (const ledger::Cell& cell : cells) {
    if (IsDelivered(cell)) delivered[cell.day].insert(cell.symbol);
  }
  if (delivered.empty()) return replaced;
  LODE_TRY(const auto present,
           writer.ledger().Cells(writer.dataset(), delivered.begin()->first, delivered.rbegin()->first));
  if (present.empty()) return replaced;

  std::set<std::pair<Day, std::string>> touched;
  // (day, receipt) -> symbols it answered that are delivered again, and those that are not.
  std::map<std::pair<Day, int64_t>, std::pair<std::string, std::string>> overlaps;
  for (const ledger::CellRow& row : present) {
    const auto symbols = delivered.find(row.cell.day);
    if (symbols == delivered.end()) continue;
    auto& overlap = overlaps[{row.cell.day, row.sequence}];
    if (symbols->second.contains(row.cell.symbol)) {
      overlap.first = row.cell.symbol;
      touched.emplace(row.cell.day, row.cell.symbol);
      auto& modified = replaced.modified_[row.cell.day];
      modified = std::max(modified, row.cell.modified);
    } else if (HoldsRows(row.cell)) {
      overlap.second = row.cell.symbol;
    }
  }
  LODE_TRY(const auto datasets, writer.ledger().Datasets());
  const auto self = std::ranges::find(datasets, writer.dataset(), &ledger::DatasetRow::name);
  const codec::TableSchema* schema = self == datasets.end() ? nullptr : codec::FindSchema(self->schema);
  if (schema != nullptr) replaced.symbol_column_ = schema->symbol_column;
  if (schema != nullptr && schema->merge == codec::MergeRule::kReplaceDays) {
    LODE_TRY(replaced.ReplaceDays(cells, present));
    return replaced;
  }
  if (schema != nullptr && schema->merge == codec::MergeRule::kNewestByKey) {
    replaced.ReplaceSymbols(cells, present, IsRevision);
  }
  if (schema != nullptr && schema->merge == codec::MergeRule::kReplaceSymbol) {
    replaced.ReplaceSymbols(cells, present, IsNewAnswer);
  }
  if (schema == nullptr || schema->merge != codec::MergeRule::kReplaceCells) return replaced;
  LODE_TRY(const auto receipts, writer.ledger().Receipts(writer.dataset()));
  std::set<int64_t> from_wire;
  for (const ledger::ReceiptRow& row : receipts) {
    if (row.origin == "api") from_wire.insert(row.sequence);
  }
  for (const ledger::CellRow& row : present) {
    const auto symbols = delivered.find(row.cell.day);
    const bool again = symbols != delivered.end() && symbols->second.contains(row.cell.symbol);
    if (again && from_wire.contains(row.sequence)) {
      replaced.labels_[row.cell.day].insert(SourceLabelOfSymbol(row.cell.symbol));
    }
  }
  for (const auto& [key, overlap] : overlaps) {
    if (overlap.first.empty() || from_wire.contains(key.second)) continue;
    if (!overlap.second.empty()) {
      return Fail(
          ErrorKind::kBadInput,
          "{}: present data of {} came in one file with {}, which this import lacks; import a delivery that has "
          "both, or use another dataset",
          FormatDay(key.first), overlap.first, overlap.second);
    }
    LODE_TRY(const auto raw_files, writer.ledger().RawFilesOf(writer.dataset(), key.second));
    for (const ledger::RawFileRow& row : raw_files) {
      if (row.file.role == "data") replaced.labels_[key.first].insert(SourceLabel(writer.dataset(), row.file));
    }
    if (overlap.first.starts_with(kFileGroupPrefix)) replaced.loose_days_.insert(key.first);
  }
  replaced.touched_ = std::move(touched);
  // Replayed files bring their rows again; present ones of the same label give way too. A symbol's label is no file's:
  // the unit may bring the symbol on other days alone.
  const std::string of_symbol = SourceLabelOfSymbol("");
  for (auto& [day, labels] : replaced.labels_) {
    for (const std::string& label : own_labels) {
      if (!label.starts_with(of_symbol)) labels.insert(label);
    }
  }
  return replaced;
}

Status ReplacedRows::ReplaceDays(const std::vector<ledger::Cell>& delivered,
                                 const std::vector<ledger::CellRow>& present) {
  std::map<Day, std::vector<const ledger::Cell*>> present_of;
  for (const ledger::CellRow& row : present) {
    if (HoldsRows(row.cell)) present_of[row.cell.day].push_back(&row.cell);
  }
  for (const ledger::Cell& cell : delivered) {
    if (!IsDelivered(cell)) continue;
    if (cell.symbol.starts_with(kFileGroupPrefix)) continue;  // nothing says that it is the whole day
    const auto of_day = present_of.find(cell.day);
    if (of_day == present_of.end()) continue;
    const auto same = std::ranges::find(of_day->second, cell.symbol, &ledger::Cell::symbol);
    if (same == of_day->second.end()) continue;
    if (!ledger::Replaces(cell, **same)) {
      if (cell.state != ledger::CellState::kPartial) continue;  // an emptiness without a date takes no rows away
      return Fail(ErrorKind::kBadInput, "{}: the lake has the whole day, and of this file {}; nothing was replaced",
                  FormatDay(cell.day), cell.reason);
    }
    if (of_day->second.size() > 1) {
      const size_t other = same == of_day->second.begin() ? 1 : 0;
      return Fail(ErrorKind::kBadInput,
                  "{}: the lake has bars of {} besides those this file replaces, and they cannot be told apart; import "
                  "into another dataset",
                  FormatDay(cell.day), of_day->second[other]->symbol);
    }
    days_.insert(cell.day);
    touched_.emplace(cell.day, cell.symbol);
  }
  return Ok();
}

void ReplacedRows::ReplaceSymbols(const std::vector<ledger::Cell>& delivered,
                                  const std::vector<ledger::CellRow>& present,
                                  bool (*replaces)(const ledger::Cell& newer, const ledger::Cell& older)) {
  std::map<std::pair<std::string, Day>, const ledger::Cell*> known;
  for (const ledger::CellRow& row : present) known[{row.cell.symbol, row.cell.day}] = &row.cell;
  for (const ledger::Cell& cell : delivered) {
    const auto found = known.find({cell.symbol, cell.day});
    if (found == known.end() || !HoldsRows(*found->second) || !replaces(cell, *found->second)) continue;
    revised_[cell.day].revised.insert(cell.symbol);
    touched_.emplace(cell.day, cell.symbol);
  }
  for (const ledger::CellRow& row : present) {
    const auto day = revised_.find(row.cell.day);
    if (day != revised_.end()) day->second.symbols.push_back(row.cell.symbol);
  }
}

bool ReplacedRows::IsRevised(const arrow::RecordBatch& rows, uint32_t row, Day day) {
  const auto found = revised_.find(day);
  if (found == revised_.end()) return false;
  const int column = rows.schema()->GetFieldIndex(symbol_column_);
  if (column < 0) return false;
  const ColumnView symbols = View(rows, column, codec::ColumnType::kText);
  if (symbols.IsNull(row)) return false;
  const auto [known, added] = found->second.known.try_emplace(symbols.Int32(row));
  if (added) {
    const std::vector<std::string>& all = found->second.symbols;
    const auto symbol = AttributeSymbol(all, stype_in_, strings_->Get(symbols.Int32(row)));
    known->second = symbol && found->second.revised.contains(all[*symbol]);
  }
  return known->second;
}

bool ReplacedRows::IsReplaced(const arrow::RecordBatch& rows, uint32_t row, int32_t source_file, Day day) {
  if (IsRevised(rows, row, day)) return true;
  if (days_.contains(day)) return true;
  const auto labels = labels_.find(day);
  if (labels == labels_.end() || source_file == codec::StringPool::kNull) return false;
  if (!labels->second.contains(std::string(strings_->Get(source_file)))) return false;
  const int column = rows.schema()->GetFieldIndex("instrument_id");
  if (column >= 0 && instruments_ != nullptr && loose_days_.contains(day) && lost_.empty()) {
    const int64_t id = View(rows, column, codec::ColumnType::kInt64).Int64(row);
    const auto delivered = instruments_->find(day);
    if (delivered == instruments_->end() || !delivered->second.contains(id)) {
      lost_ = fmt::format("instrument {} on {}", id, FormatDay(day));
    }
  }
  return true;
}

Status ReplacedRows::CheckNothingLost() const {
  if (lost_.empty()) return Ok();
  return Fail(
      ErrorKind::kBadInput,
      "{} is in the lake from a file of the same name and missing in this one; nothing says they answer the same "
      "request, so nothing was replaced: import with metadata.json, or into another dataset",
      lost_);
}

std::optional<Day> ReplacedRows::PresentModified(Day day) const {
  const auto found = modified_.find(day);
  return found == modified_.end() ? std::nullopt : found->second;
}

std::set<std::string> ReplacedRows::PartitionsTouched(const Layout& layout) const {
  std::set<std::string> paths;
  for (const auto& [day, symbol] : touched_) paths.insert(layout.PathOf(day, symbol));
  return paths;
}

}  // namespace lode::lake
