#include "lode/lake/import_plan.h"

#include <algorithm>
#include <numeric>

#include "lode/base/stop.h"
#include "lode/lake/import_cells.h"
#include "lode/lake/listing.h"
#include "lode/lake/receipt_folder.h"

namespace lode::lake {
namespace {

using source::files::DataFile;
using source::files::Delivery;
using source::files::SideFile;

constexpr int32_t kMaxDaysOfName = 366 * 200;

// What the ledger and the listing say about a dataset's raw files.
class Present {
 public:
  static Result<Present> Read(const PlanRequest& request, ledger::Ledger* ledger) {
    Present present;
    present.paths_ = request.paths;
    if (ledger == nullptr) return present;
    LODE_TRY(present.raw_files_, ledger->RawFiles(request.dataset));
    LODE_TRY(present.lost_, LostPartitions(*request.paths, *ledger, request.dataset));
    if (!present.lost_.empty()) LODE_TRY(present.ReadReceipts(request, *ledger));
    if (request.refetch) LODE_TRY(present.ReadExpired(request, *ledger));
    for (const ledger::RawFileRow& row : present.raw_files_) present.by_hash_[row.file.sha256].push_back(&row);
    return present;
  }

  // The file's latest record with these bytes, role and schema whose raw bytes are still where it says, or were taken
  // away by `clean`: what is in the lake, or has had its time there, does not come in again.
  Result<const ledger::RawFileRow*> Find(const std::string& sha256, const std::string& role,
                                         const std::string& schema) const {
    const auto rows = by_hash_.find(sha256);
    if (rows == by_hash_.end()) return nullptr;
    for (auto row = rows->second.rbegin(); row != rows->second.rend(); ++row) {
      const ledger::RawFile& file = (*row)->file;
      if (file.role != role || file.schema != schema) continue;
      LODE_TRY(const bool here, IsHere(file));
      if (here || (*row)->removed) return *row;
    }
    return nullptr;
  }

  // Nothing has the landed path, in the ledger or on disk.
  Result<bool> IsFree(const std::string& landed) const {
    const bool known = std::ranges::any_of(raw_files_, [&](const auto& row) { return row.file.landed == landed; });
    LODE_TRY(const auto on_disk, store::FileSize(paths_->root / landed));
    return !known && !on_disk;
  }
  // The landed path may be taken by other bytes; then the folder gets a suffix. What lies there damaged is replaced.
  Result<std::string> LandingFor(const std::string& dataset, const std::string& folder, const std::string& name,
                                 const std::string& sha256) const {
    const std::string plain = fmt::format("landing/{}/{}/{}", dataset, folder, name);
    bool taken = false, ours = false;
    for (const ledger::RawFileRow& row : raw_files_) {
      if (row.file.landed == plain) (row.file.sha256 == sha256 ? ours : taken) = true;
    }
    LODE_TRY(const auto on_disk, store::FileSize(paths_->root / plain));
    if (!taken && (ours || !on_disk)) return plain;
    return fmt::format("landing/{}/{}-{}/{}", dataset, folder, sha256.substr(0, 8), name);
  }

  // Whether landing still holds what a receipt names: a raw file, and the symbology beside it when there was one.
  Result<bool> IsHere(const ledger::RawFile& raw) const {
    LODE_TRY(const auto size, store::FileSize(raw.in_place ? fs::path(raw.landed) : paths_->root / raw.landed));
    return size && *size == raw.size;
  }
  // nullptr: its delivery had none.
  const ledger::RawFile* SymbologyOf(const ledger::RawFile& raw) const {
    const std::string beside = (fs::path(raw.landed).parent_path() / "symbology.json").string();
    const auto recorded = std::ranges::find(raw_files_, beside, [](const auto& row) { return row.file.landed; });
    return recorded == raw_files_.end() ? nullptr : &recorded->file;
  }

  // Whether `clean` removed from bronze what the receipt brought, or a part of it. Asked with `refetch` only.
  Result<bool> HasExpired(const std::string& dataset, int64_t sequence) const {
    if (expired_.empty()) return false;
    LODE_TRY(const ledger::StoredReceipt stored, ReadStoredReceipt(*paths_, dataset, sequence));
    return std::ranges::any_of(stored.receipt.cells,
                               [&](const ledger::Cell& cell) { return expired_.contains({cell.symbol, cell.day}); });
  }

  const std::set<std::string>& lost() const { return lost_; }
  const std::map<int64_t, ledger::Receipt>& receipts() const { return receipts_; }
  // The receipt wrote to one of the partitions, and `clean` has not taken that version out since.
  bool Feeds(const ledger::Receipt& receipt, const std::set<std::string>& partitions) const {
    return std::ranges::any_of(receipt.partitions, [&](const ledger::Partition& partition) {
      if (!partitions.contains(partition.path)) return false;
      const auto removed = removed_at_.find(partition.path);
      return removed == removed_at_.end() || removed->second < receipt.sequence;
    });
  }
  const std::map<Day, std::set<int64_t>>& cell_receipts() const { return cell_receipts_; }
  // Whether rows of the cell, as a receipt has it, gave way to a later answer.
  bool IsOutdated(const ledger::Cell& cell, int64_t sequence, codec::MergeRule merge) const {
    const auto now = cells_.find({cell.symbol, cell.day});
    if (now == cells_.end()) return false;
    if (merge == codec::MergeRule::kReplaceSymbol) return now->second.sequence != sequence;
    return merge == codec::MergeRule::kNewestByKey && IsRevision(now->second.cell, cell);
  }

 private:
  Status ReadExpired(const PlanRequest& request, ledger::Ledger& ledger) {
    LODE_TRY(const auto cells, ledger.Cells(request.dataset));
    for (const ledger::CellRow& row : cells) {
      if (row.cell.state == ledger::CellState::kExpired) expired_.emplace(row.cell.symbol, row.cell.day);
    }
    return Ok();
  }

  Status ReadReceipts(const PlanRequest& request, ledger::Ledger& ledger) {
    LODE_TRY(const auto rows, ledger.Receipts(request.dataset));
    const std::string bronze = fmt::format("bronze/{}/", request.dataset);
    for (const ledger::ReceiptRow& row : rows) {
      const fs::path file = request.paths->receipts(request.dataset) / ledger::ReceiptFileName(row.sequence);
      LODE_TRY(const std::string text, store::ReadFile(file, uint64_t{1} << 30));
      auto receipt = ledger::ReadReceipt(text);
      if (!receipt) return std::unexpected(std::move(receipt).error().With(file.string()));
      for (const ledger::Removal& removal : receipt->removed) {
        if (removal.path.starts_with(bronze)) removed_at_[removal.path.substr(bronze.size())] = row.sequence;
      }
      receipts_.emplace(row.sequence, std::move(*receipt));
    }
    LODE_TRY(const auto cells, ledger.Cells(request.dataset));
    for (const ledger::CellRow& row : cells) {
      cell_receipts_[row.cell.day].insert(row.sequence);
      cells_.emplace(std::pair(row.cell.symbol, row.cell.day), row);
    }
    return Ok();
  }

  const LakePaths* paths_ = nullptr;
  std::vector<ledger::RawFileRow> raw_files_;
  std::map<std::string, std::vector<const ledger::RawFileRow*>> by_hash_;
  std::set<std::string> lost_;
  std::map<int64_t, ledger::Receipt> receipts_;                   // only read when partitions are lost
  std::map<std::string, int64_t> removed_at_;                     // likewise: by partition, the last receipt that did
  std::map<Day, std::set<int64_t>> cell_receipts_;                // likewise
  std::set<std::pair<std::string, Day>> expired_;                 // only read with `refetch`
  std::map<std::pair<std::string, Day>, ledger::CellRow> cells_;  // likewise
};

std::string FolderOf(const Delivery& delivery) {
  std::string id = delivery.manifest && !delivery.manifest->job_id.empty() ? delivery.manifest->job_id
                   : delivery.query                                        ? delivery.query->job_id
                                                                           : "";
  const bool plain = !id.empty() && id.size() <= 64 && id.front() != '.' && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
  if (plain) return id;
  return delivery.query ? "delivery" : "files";
}

class Planner {
 public:
  Planner(const PlanRequest& request, const Present& present) : request_(request), present_(present) {}

  Result<DatasetPlan> Plan(const std::vector<HashedFile>& files) {
    if (!present_.lost().empty()) LODE_TRY(AddRepair(files));
    std::vector<UnitFile> fresh;
    std::set<std::string> seen;
    for (const HashedFile& file : files) {
      LODE_TRY(CheckStop());
      if (file.data == nullptr) continue;
      if (std::ranges::find(file.data->schemas, request_.schema) == file.data->schemas.end()) continue;
      if (!file.sha256.empty() && !seen.insert(file.sha256 + file.data->name).second) continue;
      LODE_TRY(const auto* known, present_.Find(file.sha256, "data", request_.schema->name));
      bool is_known = known != nullptr || restored_.contains(file.sha256);
      if (known != nullptr && request_.refetch) {
        LODE_TRY(const bool expired, present_.HasExpired(request_.dataset, known->sequence));
        is_known = !expired;
      }
      if (is_known) {
        ++plan_.files_unchanged;
        continue;
      }
      LODE_TRY(UnitFile input, NewFile(file));
      fresh.push_back(std::move(input));
    }
    GroupIntoUnits(std::move(fresh));
    LODE_TRY(AddDeliveryUnits(files));
    return std::move(plan_);
  }

 private:
  Result<ledger::RawFile> RecordOf(const HashedFile& file, const std::string& name, const fs::path& path,
                                   uint64_t size) {
    ledger::RawFile record;
    record.name = name;
    record.size = size;
    record.sha256 = file.sha256;
    record.in_place = request_.in_place;
    if (request_.in_place) {
      LODE_TRY(EnsureHash(path, record));
      record.landed = path.string();
      return record;
    }
    const std::string folder = FolderOf(*file.delivery);
    record.landed = fmt::format("landing/{}/{}/{}", request_.dataset, folder, name);
    LODE_TRY(const bool free, present_.IsFree(record.landed));
    if (!free) {
      LODE_TRY(EnsureHash(path, record));
      LODE_TRY(record.landed, present_.LandingFor(request_.dataset, folder, name, record.sha256));
    }
    // Two files of one name in one import: the second gets its own folder.
    if (!landings_.insert(record.landed).second) {
      LODE_TRY(EnsureHash(path, record));
      record.landed = fmt::format("landing/{}/{}-{}/{}", request_.dataset, folder, record.sha256.substr(0, 8), name);
      landings_.insert(record.landed);
    }
    return record;
  }

  static Status EnsureHash(const fs::path& path, ledger::RawFile& record) {
    if (!record.sha256.empty()) return Ok();
    LODE_TRY(const store::Digest digest, store::HashFile(path));
    record.sha256 = digest.sha256;
    return Ok();
  }

  Result<UnitFile> NewFile(const HashedFile& file) {
    UnitFile input;
    input.delivery = file.delivery;
    input.file = file.data;
    input.landed = request_.in_place;
    LODE_TRY(input.record, RecordOf(file, file.data->name, file.data->path, file.data->size));
    input.record.role = "data";
    input.record.encoding = Name(file.data->encoding);
    input.record.schema = request_.schema->name;
    input.record.pretty_px = file.data->pretty_px;
    input.record.pretty_ts = file.data->pretty_ts;
    if (file.data->encoding == source::files::Encoding::kParquet) input.record.mapping = request_.mapping;
    return input;
  }

  // The partitions a file will feed, as far as its name or metadata tell.
  std::set<std::string> ExpectedPartitions(const UnitFile& input) const {
    std::optional<Day> first = input.file->name_facts.first, last = input.file->name_facts.last;
    const codec::StreamFacts& stream = input.file->stream;
    if (!first && stream.start_ns && stream.end_ns && *stream.end_ns > *stream.start_ns) {
      first = DayOf(*stream.start_ns);
      last = DayOf(*stream.end_ns - 1);
    }
    std::set<std::string> paths;
    const std::string symbol = CellSymbols(*input.delivery, *input.file, stream).front();
    if (!first || last->since_epoch - first->since_epoch > kMaxDaysOfName) return {"?"};
    for (Day day = *first; day <= *last; day = day + 1) paths.insert(request_.layout->PathOf(day, symbol));
    return paths;
  }

  // Files that feed a common partition go into one unit, so that each partition is written once.
  void GroupIntoUnits(std::vector<UnitFile> files) {
    std::vector<size_t> group(files.size());
    std::iota(group.begin(), group.end(), size_t{0});
    const auto root = [&](size_t i) {
      while (group[i] != i) i = group[i] = group[group[i]];
      return i;
    };
    std::map<std::string, size_t> first_of;
    for (size_t i = 0; i < files.size(); ++i) {
      for (const std::string& path : ExpectedPartitions(files[i])) {
        const auto [other, added] = first_of.try_emplace(path, i);
        if (!added) group[root(i)] = root(other->second);
      }
    }
    std::map<size_t, Unit> units;
    std::vector<size_t> order;
    for (size_t i = 0; i < files.size(); ++i) {
      const size_t key = root(i);
      if (!units.contains(key)) order.push_back(key);
      units[key].files.push_back(std::move(files[i]));
    }
    for (const size_t key : order) {
      Unit& unit = units[key];
      const std::string &first = unit.files.front().record.name, &last = unit.files.back().record.name;
      unit.name = unit.files.size() == 1 ? first : fmt::format("{} .. {}", first, last);
      if (unit.files[0].delivery->query) unit.request = unit.files[0].delivery->query->json;
      plan_.units.push_back(std::move(unit));
    }
  }

  // Side files and cells without a file: one unit a delivery, after its data. Skipped when they are already known.
  Status AddDeliveryUnits(const std::vector<HashedFile>& files) {
    std::map<const Delivery*, Unit> units;
    for (const HashedFile& file : files) {
      if (file.side == nullptr || file.delivery->data.empty()) continue;
      if (std::ranges::find(file.delivery->data.front().schemas, request_.schema) ==
          file.delivery->data.front().schemas.end())
        continue;
      LODE_TRY(const auto* known, present_.Find(file.sha256, file.side->role, ""));
      // What `clean` took away comes back with the data it belongs to.
      if (known != nullptr && (!known->removed || restored_.empty())) continue;
      Unit& unit = units[file.delivery];
      LODE_TRY(ledger::RawFile record, RecordOf(file, file.side->name, file.side->path, file.side->size));
      record.role = file.side->role;
      if (!request_.in_place) unit.side_files.push_back(*file.side);
      unit.side_records.push_back(std::move(record));
    }
    for (auto& [delivery, unit] : units) {
      unit.name = "delivery " + FolderOf(*delivery);
      unit.delivery = delivery;
      if (delivery->query) unit.request = delivery->query->json;
      plan_.units.push_back(std::move(unit));
    }
    return Ok();
  }

  // Rows of lost partitions come again from every raw file that ever fed them and still counts. Before anything else:
  // a unit that adds rows to a partition needs those it had.
  Status AddRepair(const std::vector<HashedFile>& files) {
    LODE_TRY(const std::set<std::string> lost, Repairable(files));
    if (lost.empty()) return Ok();
    Unit unit;
    unit.name = fmt::format("repair of {} lost partition{}", lost.size(), lost.size() == 1 ? "" : "s");
    unit.only_partitions = lost;
    std::set<std::string> taken;
    for (const auto& [sequence, receipt] : present_.receipts()) {
      if (!present_.Feeds(receipt, lost)) continue;
      for (const ledger::RawFile& raw : receipt.raw_files) {
        if (raw.role != "data" || !taken.insert(raw.landed).second) continue;
        LODE_TRY(UnitFile input, Replay(receipt, raw, files));
        if (!input.only_days || !input.only_days->empty()) unit.files.push_back(std::move(input));
      }
    }
    plan_.units.push_back(std::move(unit));
    return Ok();
  }

  // The lost partitions whose raw files are all in landing or among the files given now. The others stay lost, and so
  // do those that share a raw file with them.
  Result<std::set<std::string>> Repairable(const std::vector<HashedFile>& files) {
    std::set<std::string> lost = present_.lost();
    for (const auto& [sequence, receipt] : present_.receipts()) {
      if (!present_.Feeds(receipt, lost)) continue;
      for (const ledger::RawFile& raw : receipt.raw_files) {
        if (raw.role != "data") continue;
        LODE_TRY(const bool here, present_.IsHere(raw));
        LODE_TRY(const bool symbology, HasSymbologyOf(raw, files));
        if (symbology && (here || Given(raw, files) != nullptr)) continue;
        plan_.notices.push_back(
            fmt::format("{}: lost bronze files cannot be written again without {}; give it to import", request_.dataset,
                        symbology ? raw.landed : (fs::path(raw.landed).parent_path() / "symbology.json").string()));
        for (const ledger::Partition& partition : receipt.partitions) lost.erase(partition.path);
        break;
      }
    }
    return lost;
  }

  Result<bool> HasSymbologyOf(const ledger::RawFile& raw, const std::vector<HashedFile>& files) const {
    const ledger::RawFile* symbology = present_.SymbologyOf(raw);
    if (symbology == nullptr || GivenBeside(*symbology, files) != nullptr) return true;
    return present_.IsHere(*symbology);
  }

  // A side file with the same bytes among the files given now.
  static const SideFile* GivenBeside(const ledger::RawFile& raw, const std::vector<HashedFile>& files) {
    const auto given = std::ranges::find_if(
        files, [&](const HashedFile& file) { return file.side != nullptr && file.sha256 == raw.sha256; });
    return given == files.end() ? nullptr : given->side;
  }

  // The same bytes among the files given now.
  static const HashedFile* Given(const ledger::RawFile& raw, const std::vector<HashedFile>& files) {
    const auto given = std::ranges::find_if(
        files, [&](const HashedFile& file) { return file.data != nullptr && file.sha256 == raw.sha256; });
    return given == files.end() || raw.in_place ? nullptr : &*given;
  }

  Result<UnitFile> Replay(const ledger::Receipt& receipt, const ledger::RawFile& raw,
                          const std::vector<HashedFile>& files) {
    Delivery& delivery = plan_.replay_deliveries.emplace_back();
    DataFile& file = delivery.data.emplace_back();
    file.path = raw.in_place ? fs::path(raw.landed) : request_.paths->root / raw.landed;
    file.name = raw.name;
    file.size = raw.size;
    LODE_TRY(file.encoding, source::files::ParseEncoding(raw.encoding));
    file.schemas = {request_.schema};
    file.pretty_px = raw.pretty_px;
    file.pretty_ts = raw.pretty_ts;
    file.name_facts = source::files::ParseName(raw.name, *request_.schema);
    // The delivery's symbology lies beside it, landed by the delivery's own receipt.
    const fs::path symbology = file.path.parent_path() / "symbology.json";
    LODE_TRY(const auto symbology_size, store::FileSize(symbology));
    if (symbology_size) {
      delivery.symbology = symbology;
    } else if (const ledger::RawFile* recorded = present_.SymbologyOf(raw)) {
      if (const SideFile* given = GivenBeside(*recorded, files)) delivery.symbology = given->path;
    }
    UnitFile input;
    input.delivery = &delivery;
    input.file = &file;
    input.record = raw;
    input.from_wire = receipt.origin == "api";
    LODE_TRY(input.landed, present_.IsHere(raw));
    if (!input.landed) {
      file.path = Given(raw, files)->data->path;
      restored_.insert(raw.sha256);
    }
    input.sequence = receipt.sequence;
    std::set<Day> days;
    const codec::MergeRule merge = request_.schema->merge;
    for (const ledger::Cell& cell : receipt.cells) {
      input.replay_modified[cell.day] = cell.modified;
      if (present_.IsOutdated(cell, receipt.sequence, merge)) input.outdated[cell.day].insert(cell.symbol);
      const auto current = present_.cell_receipts().find(cell.day);
      const bool is_current = current != present_.cell_receipts().end() && current->second.contains(receipt.sequence);
      if (is_current || !GivesWay(cell)) days.insert(cell.day);
    }
    const bool tells_symbols = merge == codec::MergeRule::kNewestByKey || merge == codec::MergeRule::kReplaceSymbol;
    if (!tells_symbols) input.only_days = std::move(days);
    return input;
  }

  // Whether the cell's rows are gone once a later receipt has the cell; bars of files without a proper name are merged.
  bool GivesWay(const ledger::Cell& cell) const {
    return request_.schema->merge != codec::MergeRule::kReplaceDays || !cell.symbol.starts_with(kFileGroupPrefix);
  }

  const PlanRequest& request_;
  const Present& present_;
  DatasetPlan plan_;
  std::set<std::string> landings_;  // landed paths given out by this plan
  std::set<std::string> restored_;  // hashes of raw files that a repair lands again
};

}  // namespace

Result<std::vector<HashedFile>> HashFiles(const source::files::Discovery& discovery,
                                          const std::set<uint64_t>& known_sizes) {
  std::map<uint64_t, int> files_of_size;
  for (const Delivery& delivery : discovery.deliveries) {
    for (const DataFile& data : delivery.data) ++files_of_size[data.size];
  }
  std::vector<HashedFile> files;
  for (const Delivery& delivery : discovery.deliveries) {
    const auto add = [&](const fs::path& path, const std::string& name, HashedFile file) -> Status {
      LODE_TRY(CheckStop());
      file.delivery = &delivery;
      const auto* listed = delivery.manifest ? delivery.manifest->Find(name) : nullptr;
      const bool surely_new = file.data != nullptr && listed == nullptr && !known_sizes.contains(file.data->size) &&
                              files_of_size[file.data->size] == 1;
      if (!surely_new) {
        LODE_TRY(const store::Digest digest, store::HashFile(path));
        file.sha256 = digest.sha256;
      }
      if (listed != nullptr && listed->sha256 != file.sha256) {
        return Fail(ErrorKind::kCorrupt, "{}: its SHA-256 is not the manifest's; download it again", name);
      }
      files.push_back(std::move(file));
      return Ok();
    };
    for (const DataFile& data : delivery.data) LODE_TRY(add(data.path, data.name, {.data = &data}));
    for (const SideFile& side : delivery.side) LODE_TRY(add(side.path, side.name, {.side = &side}));
  }
  return files;
}

Result<DatasetPlan> PlanDataset(const PlanRequest& request, const std::vector<HashedFile>& files,
                                ledger::Ledger* ledger) {
  LODE_TRY(const Present present, Present::Read(request, ledger));
  return Planner(request, present).Plan(files);
}

}  // namespace lode::lake
