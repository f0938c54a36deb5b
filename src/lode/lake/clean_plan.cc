#include "lode/lake/clean_plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "lode/base/stop.h"
#include "lode/codec/schema.h"
#include "lode/lake/layout.h"
#include "lode/lake/receipt_folder.h"
#include "lode/source/files/discover.h"

namespace lode::lake {
namespace {

// Whether a file is there with its recorded size; why not.
Result<std::string> ProblemOfSize(const fs::path& file, uint64_t size) {
  const Result<std::optional<uint64_t>> found = store::FileSize(file);
  if (!found && found.error().kind == ErrorKind::kStorage) return std::unexpected(found.error());
  if (!found) return "is no regular file";
  if (!*found) return "is gone";
  return **found == size ? "" : "is not of the size its receipt says";
}

// Landing files: each judged by all receipts that name it.
class LandingPlan {
 public:
  LandingPlan(const CleanRequest& request, ledger::Ledger& ledger, const ledger::DatasetRow& dataset)
      : request_(request), ledger_(ledger), dataset_(dataset), schema_(codec::FindSchema(dataset.schema)) {}

  Result<CleanPlan> Make() {
    LODE_TRY(const auto partitions, ledger_.Partitions(dataset_.name));
    for (const ledger::PartitionRow& row : partitions) partitions_.emplace(row.partition.path, row.partition);
    LODE_TRY(const auto removed, ledger_.Removed(dataset_.name));
    for (const ledger::RemovedRow& row : removed) removed_.insert(row.removal.path);
    LODE_TRY(const auto rows, ledger_.RawFiles(dataset_.name));
    std::map<std::string, std::vector<const ledger::RawFileRow*>> files;  // by landed path
    for (const ledger::RawFileRow& row : rows) {
      if (!row.file.in_place && !row.removed) files[row.file.landed].push_back(&row);
    }
    // A delivery's manifest and symbology go with its last data file.
    std::set<fs::path> folders_in_use;
    for (const bool data : {true, false}) {
      for (const auto& [path, records] : files) {
        LODE_TRY(CheckStop());
        if ((records.front()->file.role == "data") != data) continue;
        const fs::path folder = fs::path(path).parent_path();
        const bool held = !data && folders_in_use.contains(folder);
        LODE_TRY(const bool goes, held ? Result<bool>(false) : Judge(path, records));
        if (!goes && data) folders_in_use.insert(folder);
      }
    }
    std::ranges::sort(plan_.files, {}, [](const Removable& one) { return one.removal.path; });
    std::ranges::sort(plan_.kept, {}, &KeptFile::path);
    return std::move(plan_);
  }

 private:
  Result<bool> Judge(const std::string& path, const std::vector<const ledger::RawFileRow*>& records) {
    for (const ledger::RawFileRow* row : records) {
      LODE_TRY(const ledger::Receipt* receipt, ReceiptOf(row->sequence));
      if (!IsOld(*receipt, row->file)) return false;
    }
    for (const ledger::RawFileRow* row : records) {
      LODE_TRY(const ledger::Receipt* receipt, ReceiptOf(row->sequence));
      LODE_TRY(const std::string reason, NeededFor(*receipt, row->file));
      if (reason.empty()) continue;
      plan_.kept.push_back({path, reason});
      return false;
    }
    const ledger::RawFile& newest = records.back()->file;
    LODE_TRY(const std::string problem, ProblemOfSize(request_.paths.root / path, newest.size));
    if (!problem.empty()) {
      plan_.kept.push_back({path, problem + "; see `lode verify`"});
      return false;
    }
    plan_.files.push_back({.removal = {.path = path, .size = newest.size, .sha256 = newest.sha256}, .cells = {}});
    return true;
  }

  // Receipts name the cells of a unit; of its files the name tells the days.
  bool IsOld(const ledger::Receipt& receipt, const ledger::RawFile& file) const {
    if (file.role == "data" && schema_ != nullptr) {
      const source::FileNameFacts facts = source::files::ParseName(file.name, *schema_);
      if (facts.last) return *facts.last < request_.keep_from;
    }
    if (receipt.cells.empty()) return file.role != "data" && receipt.partitions.empty();
    return std::ranges::all_of(receipt.cells, [&](const ledger::Cell& cell) { return cell.day < request_.keep_from; });
  }

  // Why a later layer, or lode itself, may still need the file; empty: nothing does.
  Result<std::string> NeededFor(const ledger::Receipt& receipt, const ledger::RawFile& file) {
    if (file.role != "data") return "";
    if (receipt.rejected > 0) {
      return fmt::format("{} of the records it came with are in no layer but here and {}", receipt.rejected,
                         receipt.quarantine);
    }
    for (const ledger::Partition& partition : receipt.partitions) {
      LODE_TRY(const bool whole, IsWhole(partition.path));
      if (!whole) {
        return fmt::format("bronze/{}/{}, made of it, is gone or damaged; see `lode verify`", dataset_.name,
                           partition.path);
      }
    }
    return "";
  }

  // The partition's present version is what its receipt says, or clean has taken it out.
  Result<bool> IsWhole(const std::string& path) {
    if (const auto known = whole_.find(path); known != whole_.end()) return known->second;
    LODE_TRY(CheckStop());
    const auto row = partitions_.find(path);
    bool whole = row == partitions_.end() && removed_.contains(fmt::format("bronze/{}/{}", dataset_.name, path));
    if (row != partitions_.end()) {
      const Result<store::Digest> digest = store::HashFile(request_.paths.bronze(dataset_.name) / path);
      if (!digest && digest.error().kind == ErrorKind::kStorage) return std::unexpected(digest.error());
      whole = digest && digest->size == row->second.size && digest->sha256 == row->second.sha256;
    }
    whole_.emplace(path, whole);
    return whole;
  }

  Result<const ledger::Receipt*> ReceiptOf(int64_t sequence) {
    auto found = receipts_.find(sequence);
    if (found == receipts_.end()) {
      LODE_TRY(ledger::StoredReceipt stored, ReadStoredReceipt(request_.paths, dataset_.name, sequence));
      found = receipts_.emplace(sequence, std::move(stored.receipt)).first;
    }
    return &found->second;
  }

  const CleanRequest& request_;
  ledger::Ledger& ledger_;
  const ledger::DatasetRow& dataset_;
  const codec::TableSchema* schema_;  // null: of a newer lode; then no name tells days
  std::map<std::string, ledger::Partition> partitions_;
  std::set<std::string> removed_;
  std::map<int64_t, ledger::Receipt> receipts_;
  std::map<std::string, bool> whole_;
  CleanPlan plan_;
};

// What a cell says once its partition is taken out; nullopt: it stays as it is.
std::optional<ledger::Cell> Expired(const ledger::Cell& cell) {
  const bool had_rows = ledger::HoldsRows(cell.state);
  if (!had_rows && ledger::IsSettled(cell.state)) return std::nullopt;
  return ledger::Cell{
      .symbol = cell.symbol,
      .day = cell.day,
      .state = ledger::CellState::kExpired,
      .reason = had_rows ? "removed by clean"
                         : fmt::format("was {} when clean removed the rest of its file", ledger::Name(cell.state))};
}

Result<CleanPlan> PlanBronze(const CleanRequest& request, ledger::Ledger& ledger, const ledger::DatasetRow& dataset) {
  LODE_TRY(const Layout layout, Layout::Parse(dataset.layout));
  LODE_TRY(const auto cells, ledger.Cells(dataset.name));
  // A partition is of one stretch of days: one that ends before the first day that is kept does not hold that day.
  std::set<std::string> young;
  std::map<std::string, std::vector<ledger::Cell>> expired;  // by partition
  for (const ledger::CellRow& row : cells) {
    young.insert(layout.PathOf(request.keep_from, row.cell.symbol));
    if (row.cell.day >= request.keep_from) continue;
    std::vector<ledger::Cell>& of_partition = expired[layout.PathOf(row.cell.day, row.cell.symbol)];
    if (auto cell = Expired(row.cell)) of_partition.push_back(*std::move(cell));
  }
  CleanPlan plan;
  LODE_TRY(const auto partitions, ledger.Partitions(dataset.name));
  for (const ledger::PartitionRow& row : partitions) {
    const auto old = expired.find(row.partition.path);
    if (old == expired.end() || young.contains(row.partition.path)) continue;
    const std::string path = fmt::format("bronze/{}/{}", dataset.name, row.partition.path);
    LODE_TRY(const std::string problem, ProblemOfSize(request.paths.root / path, row.partition.size));
    // One that is gone has had its time as well; one that is another file is not ours to delete.
    if (!problem.empty() && problem != "is gone") {
      plan.kept.push_back({path, problem + "; see `lode verify`"});
      continue;
    }
    plan.files.push_back({.removal = {.path = path, .size = row.partition.size, .sha256 = row.partition.sha256},
                          .cells = std::move(old->second)});
  }
  return plan;
}

}  // namespace

Result<CleanPlan> PlanClean(const CleanRequest& request, ledger::Ledger& ledger, const ledger::DatasetRow& dataset) {
  LODE_TRY(CleanPlan plan, request.layer == CleanLayer::kBronze ? PlanBronze(request, ledger, dataset)
                                                                : LandingPlan(request, ledger, dataset).Make());
  LODE_TRY(const auto removed, ledger.Removed(dataset.name));
  for (const ledger::RemovedRow& row : removed) {
    LODE_TRY(const std::string problem, ProblemOfSize(request.paths.root / row.removal.path, row.removal.size));
    if (problem.empty()) plan.leftovers.push_back(row.removal);
  }
  return plan;
}

}  // namespace lode::lake
