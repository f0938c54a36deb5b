#include "lode/lake/import_cells.h"

#include <algorithm>
#include <set>

#include "lode/symbol/contract.h"

namespace lode::lake {
namespace {

using ledger::Cell;
using ledger::CellState;
using source::FileNameFacts;
using source::databento::Condition;
using source::files::DataFile;
using source::files::Delivery;
using source::files::Encoding;

// A hostile header may claim any range of days; beyond this many cells only days with rows are recorded.
constexpr int64_t kMaxCoveredCells = 1'000'000;

// No delivery's file covers two centuries; a name that says so is not believed.
constexpr int32_t kMaxDaysOfFile = 366 * 200;

struct Range {
  Day first, last;  // inclusive
};

const Condition* FindCondition(const Delivery& delivery, Day day) {
  const auto found = std::ranges::lower_bound(delivery.conditions, day, {}, &Condition::day);
  return found != delivery.conditions.end() && found->day == day ? &*found : nullptr;
}

std::optional<Range> QueryRange(std::optional<int64_t> start_ns, std::optional<int64_t> end_ns) {
  if (!start_ns || !end_ns || *end_ns <= *start_ns) return std::nullopt;
  return Range{DayOf(*start_ns), DayOf(*end_ns - 1)};
}

std::optional<Range> Intersect(std::optional<Range> a, std::optional<Range> b) {
  if (!a || !b) return a ? a : b;
  const Range both{std::max(a->first, b->first), std::min(a->last, b->last)};
  return both.first <= both.last ? std::optional(both) : std::nullopt;
}

// The days a file answers for, as far as its name and its request say.
std::optional<Range> CoveredRange(const Delivery& delivery, const DecodedFile& decoded) {
  const FileNameFacts& name = decoded.file->name_facts;
  const std::optional<Range> named = name.first ? std::optional(Range{*name.first, *name.last}) : std::nullopt;
  const std::optional<Range> asked = delivery.query ? QueryRange(delivery.query->start_ns, delivery.query->end_ns)
                                                    : QueryRange(decoded.stream.start_ns, decoded.stream.end_ns);
  return Intersect(named, asked);
}

// Why a day with rows is only partly covered; empty when it is covered whole.
std::string PartialReason(const Delivery& delivery, const DecodedFile& decoded, Day day) {
  const auto start = delivery.query ? delivery.query->start_ns : decoded.stream.start_ns;
  const auto end = delivery.query ? delivery.query->end_ns : decoded.stream.end_ns;
  const FileNameFacts& name = decoded.file->name_facts;
  if (decoded.stream.ended_open && !name.compressed) return "the file's last line has no end: it may be cut short";
  const uint64_t limit = delivery.query ? delivery.query->limit : decoded.stream.limit;
  if (limit > 0 && static_cast<uint64_t>(decoded.stream.records) >= limit && !decoded.days.empty() &&
      day >= decoded.days.rbegin()->first) {
    return fmt::format("the request's limit of {} records ends here", limit);
  }
  if (start && DayOf(*start) == day && *start > day.start_ns()) return "requested only from " + FormatIsoNs(*start);
  if (end && *end > day.start_ns() && *end < (day + 1).start_ns()) return "requested only until " + FormatIsoNs(*end);
  return "";
}

std::string ProofOf(const Delivery& delivery, const DataFile& file, Day day) {
  const Condition* condition = FindCondition(delivery, day);
  if (condition != nullptr && !condition->version.empty()) return ledger::VersionProof(condition->version);
  if (delivery.manifest && delivery.manifest->Find(file.name) != nullptr) return "manifest";
  const bool framed = file.encoding == Encoding::kDbn || file.encoding == Encoding::kDbnFragment ||
                      file.encoding == Encoding::kParquet || file.name_facts.compressed;
  return framed ? "stream" : "file end";
}

// A cell with what the vendor's condition list says of its day.
Cell CellFor(const Delivery& delivery, std::string symbol, Day day) {
  Cell cell;
  cell.symbol = std::move(symbol);
  cell.day = day;
  if (const Condition* condition = FindCondition(delivery, day)) {
    cell.modified = condition->modified;
    cell.degraded = condition->state == Condition::State::kDegraded;
  }
  return cell;
}

// A day the vendor answered for without rows.
Cell EmptyCell(const Delivery& delivery, std::string symbol, Day day, const std::string& proof) {
  Cell cell = CellFor(delivery, std::move(symbol), day);
  cell.rows = 0;
  const Condition* condition = FindCondition(delivery, day);
  if (condition != nullptr && condition->state == Condition::State::kPending) {
    cell.state = CellState::kPending;
    cell.reason = "the vendor's condition list says pending";
  } else if (condition != nullptr && condition->state == Condition::State::kMissing) {
    cell.state = CellState::kMissing;
    cell.reason = "the vendor's condition list says missing";
  } else {
    cell.state = CellState::kEmpty;
    cell.proof = proof;
  }
  return cell;
}

// The state of a day that has rows.
void SettleWithRows(const Delivery& delivery, const DecodedFile& decoded, const DayRows& rows, Cell& cell) {
  const Condition* condition = FindCondition(delivery, cell.day);
  cell.proof = ProofOf(delivery, *decoded.file, cell.day);
  cell.state = CellState::kComplete;
  if (rows.rejected > 0) cell.reason = fmt::format("{} records in quarantine", rows.rejected);
  if (condition != nullptr && condition->state == Condition::State::kPending) {
    cell.state = CellState::kPending;
    cell.reason = "the vendor's condition list says pending";
  }
  if (const std::string partial = PartialReason(delivery, decoded, cell.day); !partial.empty()) {
    cell.state = CellState::kPartial;
    cell.reason = partial;
  }
  if (cell.state != CellState::kComplete) cell.proof.clear();
}

bool Covers(const FileNameFacts& name, Day day) { return name.first && *name.first <= day && day <= *name.last; }

}  // namespace

std::vector<std::string> CellSymbols(const Delivery& delivery, const DataFile& file, const codec::StreamFacts& stream) {
  const std::vector<std::string>& asked = delivery.query ? delivery.query->symbols : stream.symbols;
  const std::set<std::string> distinct(asked.begin(), asked.end());
  if (!distinct.empty()) return {distinct.begin(), distinct.end()};
  if (!file.name_facts.symbol.empty()) return {file.name_facts.symbol};
  return {std::string(kFileGroupPrefix) + (file.name_facts.group.empty() ? file.name : file.name_facts.group)};
}

bool IsRevision(const ledger::Cell& newer, const ledger::Cell& older) {
  using enum ledger::CellState;
  if (newer.symbol.starts_with(kFileGroupPrefix) || !newer.modified || !older.modified) return false;
  return (newer.state == kComplete || newer.state == kEmpty) && *newer.modified > *older.modified;
}

std::optional<size_t> AttributeSymbol(const std::vector<std::string>& symbols, std::string_view stype_in,
                                      std::string_view row_symbol) {
  if (symbols.size() == 1) return 0;
  const auto exact = std::ranges::lower_bound(symbols, row_symbol);
  if (exact != symbols.end() && *exact == row_symbol) return static_cast<size_t>(exact - symbols.begin());
  if (stype_in != "parent") return std::nullopt;
  const std::string root = std::string(symbol::Root(row_symbol)) + ".";
  const auto parent = std::ranges::lower_bound(symbols, root);
  if (parent == symbols.end() || !parent->starts_with(root)) return std::nullopt;
  // ROOT.FUT and ROOT.OPT asked together cannot be told apart by root alone.
  const auto next = parent + 1;
  if (next != symbols.end() && next->starts_with(root)) return std::nullopt;
  return static_cast<size_t>(parent - symbols.begin());
}

std::vector<Cell> CellsOfFile(const Delivery& delivery, const DecodedFile& decoded) {
  const std::vector<std::string> symbols = CellSymbols(delivery, *decoded.file, decoded.stream);
  std::vector<Cell> cells;
  for (const auto& [day, rows] : decoded.days) {
    for (size_t i = 0; i < symbols.size(); ++i) {
      const auto attributed = rows.by_symbol.find(i);
      const int64_t own_rows = attributed == rows.by_symbol.end() ? 0 : attributed->second;
      if (own_rows == 0 && rows.unattributed == 0 && rows.rejected == 0) {
        cells.push_back(EmptyCell(delivery, symbols[i], day, ProofOf(delivery, *decoded.file, day)));
        continue;
      }
      Cell cell = CellFor(delivery, symbols[i], day);
      if (rows.unattributed == 0) cell.rows = own_rows;
      SettleWithRows(delivery, decoded, rows, cell);
      cells.push_back(std::move(cell));
    }
  }
  const auto covered = CoveredRange(delivery, decoded);
  const bool cut_by_limit =
      !decoded.days.empty() &&
      PartialReason(delivery, decoded, decoded.days.rbegin()->first).starts_with("the request's limit");
  if (covered && !cut_by_limit &&
      (int64_t{covered->last.since_epoch} - covered->first.since_epoch + 1) * static_cast<int64_t>(symbols.size()) <=
          kMaxCoveredCells) {
    for (Day day = covered->first; day <= covered->last; day = day + 1) {
      if (decoded.days.contains(day)) continue;
      // With the vendor's calendar only its days should exist; without one every day of the range was answered.
      if (!delivery.conditions.empty() && FindCondition(delivery, day) == nullptr) continue;
      if (!PartialReason(delivery, decoded, day).empty()) continue;
      for (const std::string& symbol : symbols) {
        cells.push_back(EmptyCell(delivery, symbol, day, ProofOf(delivery, *decoded.file, day)));
      }
    }
  }
  return cells;
}

std::vector<Cell> CellsWithoutFile(const Delivery& delivery, const std::map<std::string, std::string>& failed) {
  std::vector<Cell> cells;
  if (!delivery.query) return cells;
  const std::vector<std::string> symbols = [&] {
    std::set<std::string> distinct(delivery.query->symbols.begin(), delivery.query->symbols.end());
    if (distinct.empty()) distinct.insert("ALL_SYMBOLS");
    return std::vector<std::string>(distinct.begin(), distinct.end());
  }();
  struct Lack {
    CellState state;
    std::string reason;
  };
  std::map<Day, Lack> lacking;
  const auto lacks = [&](const std::string& file, const Lack& lack) {
    const FileNameFacts name = source::databento::ParseDataFileName(file);
    if (!name.first || name.last->since_epoch - name.first->since_epoch > kMaxDaysOfFile) return;
    for (Day day = *name.first; day <= *name.last; day = day + 1) {
      if (delivery.conditions.empty() || FindCondition(delivery, day) != nullptr) lacking.emplace(day, lack);
    }
  };
  for (const auto& absent : delivery.absent) {
    lacks(absent.name, {CellState::kMissing, "the manifest lists a file that is not here"});
  }
  for (const auto& [name, why] : failed) lacks(name, {CellState::kFailed, why});
  for (const std::string& symbol : symbols) {
    for (const auto& [day, lack] : lacking) {
      Cell cell = CellFor(delivery, symbol, day);
      cell.state = lack.state;
      cell.reason = lack.reason;
      cells.push_back(std::move(cell));
    }
  }
  const auto asked = QueryRange(delivery.query->start_ns, delivery.query->end_ns);
  if (!asked) return cells;
  for (const Condition& condition : delivery.conditions) {
    const Day day = condition.day;
    if (day < asked->first || day > asked->last || lacking.contains(day)) continue;
    if (std::ranges::any_of(delivery.data, [&](const DataFile& file) { return Covers(file.name_facts, day); }))
      continue;
    for (const std::string& symbol : symbols) {
      if (delivery.manifest) {
        cells.push_back(EmptyCell(delivery, symbol, day, "manifest"));
        continue;
      }
      Cell cell = CellFor(delivery, symbol, day);
      cell.state = CellState::kMissing;
      cell.reason = "no file, and no manifest that says there is none";
      cells.push_back(std::move(cell));
    }
  }
  return cells;
}

}  // namespace lode::lake
