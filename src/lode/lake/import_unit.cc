#include "lode/lake/import_unit.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lode/base/hashing.h"
#include "lode/base/stop.h"
#include "lode/codec/parquet_file.h"
#include "lode/lake/derive.h"
#include "lode/lake/disk_guard.h"
#include "lode/lake/import_decode.h"
#include "lode/lake/merge.h"
#include "lode/lake/replaced_rows.h"

namespace lode::lake {
namespace {

constexpr uint64_t kMinSorterBytes = uint64_t{8} << 20, kMaxSorterBytes = uint64_t{64} << 20;
constexpr double kDefaultRejectShare = 0.001;  // above it the default policy fails the unit

// Rows of a partition that is already there.
class ExistingRows : public RowStream {
 public:
  explicit ExistingRows(std::unique_ptr<codec::ParquetRows> rows) : rows_(std::move(rows)) {}
  Result<Batch> Next() override { return rows_->Next(); }

 private:
  std::unique_ptr<codec::ParquetRows> rows_;
};

class UnitRun {
 public:
  UnitRun(const UnitContext& context, const Unit& unit)
      : context_(context),
        unit_(unit),
        strings_(context.memory_bytes / 4),
        rows_(*context.schema, strings_, RowsOptions()) {}

  Result<UnitResult> Run() {
    LODE_TRY(CheckDisk());
    LODE_TRY(strings_.SpillTo(context_.writer->temporary()));
    LODE_TRY(StageRawFiles());
    LODE_TRY(decoded_, DecodeUnit(context_, unit_, paths_, strings_, rows_));
    LODE_TRY(CheckFilesInPlace());
    for (const KeyConflict& row : rows_.conflicts()) AddConflict(row.source_file, row.source_row, row.key);
    LODE_TRY(CheckRejects());
    if (!unit_.only_partitions) receipt_.cells = Cells();
    LODE_TRY(ReplacedRows replaced,
             ReplacedRows::Find(*context_.writer, receipt_.cells, strings_, SourceLabelsOfUnit(), StypeOfUnit()));
    replaced.set_instruments(&decoded_.instruments);
    LODE_TRY(WritePartitions(replaced));
    LODE_TRY(CheckRejects());
    LODE_TRY(StageQuarantine());
    LODE_TRY(PublishUnit());
    return result_;
  }

 private:
  UnitRowsOptions RowsOptions() {
    return {.dataset = context_.writer->dataset(),
            .temporary_dir = context_.writer->temporary(),
            .sorter_bytes = std::clamp(context_.memory_bytes / 9, kMinSorterBytes, kMaxSorterBytes),
            .one_file = unit_.files.size() == 1,
            .may_write = [this](const std::string& partition) { return IsNewPartition(partition); }};
  }

  // Raw copy, Parquet and spills: three times the raw bytes is more than any delivery has needed.
  Status CheckDisk() const {
    uint64_t raw = 0;
    for (const UnitFile& file : unit_.files) raw += file.record.size;
    for (const auto& side : unit_.side_files) raw += side.size;
    Status room = CheckRoom(context_.writer->paths(), 3 * raw + (uint64_t{16} << 20), context_.min_free_bytes);
    if (!room) return std::unexpected(std::move(room).error().With(unit_.name));
    return Ok();
  }

  // Copies one raw file beside the lake's data and proves the copy is what was planned. Adds it to the receipt.
  Result<fs::path> StageCopy(const fs::path& from, ledger::RawFile record) {
    const fs::path temporary = context_.writer->temporary() / fmt::format("raw-{:05}", staged_.size());
    LODE_TRY(const store::Digest copy, store::CopyDurable(from, temporary));
    if (copy.size != record.size || (!record.sha256.empty() && copy.sha256 != record.sha256)) {
      return std::unexpected(FileChanged(record).error());
    }
    const fs::path target = context_.writer->paths().root / record.landed;
    LODE_TRY(const auto damaged_size, store::FileSize(target));
    std::string damaged;
    if (damaged_size) {
      LODE_TRY(const store::Digest digest, store::HashFile(target));
      damaged = digest.sha256;
    }
    Stage(temporary, record.landed, copy.sha256, damaged);
    record.sha256 = copy.sha256;
    raw_files_.push_back(std::move(record));
    return temporary;
  }

  // A file of ours that nobody writes any more needs no copy. It stays where it is until the caller removes it.
  Result<fs::path> StageLink(const fs::path& from, const ledger::RawFile& record) {
    const fs::path temporary = context_.writer->temporary() / fmt::format("raw-{:05}", staged_.size());
    LODE_TRY(store::MakeDirectories(temporary.parent_path()));
    LODE_TRY(store::Remove(temporary));
    std::error_code problem;
    fs::create_hard_link(from, temporary, problem);
    if (problem) return StageCopy(from, record);  // a file system without links
    Stage(temporary, record.landed, record.sha256, "");
    linked_.push_back(temporary);
    raw_files_.push_back(record);
    return temporary;
  }

  void Stage(const fs::path& temporary, const std::string& target, const std::string& sha256,
             const std::string& old_sha256) {
    const std::string relative = temporary.lexically_relative(context_.writer->paths().root).string();
    staged_.push_back({relative, target, sha256, old_sha256});
  }

  Status StageRawFiles() {
    for (const UnitFile& input : unit_.files) {
      result_.bytes_in += input.record.size;
      if (input.landed) {
        paths_.push_back(input.record.in_place ? fs::path(input.record.landed)
                                               : context_.writer->paths().root / input.record.landed);
        if (!IsNewInPlace(input)) {
          LODE_TRY(const bool unchanged, IsUnchanged(paths_.back(), input.record));
          if (!unchanged) {
            return Fail(ErrorKind::kCorrupt, "{}: its bytes are not those of its receipt; run `lode verify`",
                        paths_.back().string());
          }
        }
        raw_files_.push_back(input.record);
        continue;
      }
      LODE_TRY(fs::path staged,
               input.ours ? StageLink(input.file->path, input.record) : StageCopy(input.file->path, input.record));
      paths_.push_back(std::move(staged));
    }
    LODE_TRY(store::SyncFiles(linked_));
    for (size_t i = 0; i < unit_.side_records.size(); ++i) {
      if (i < unit_.side_files.size()) {
        LODE_TRY(StageCopy(unit_.side_files[i].path, unit_.side_records[i]));
      } else {
        raw_files_.push_back(unit_.side_records[i]);  // in place
      }
    }
    return Ok();
  }

  // Somebody else's file, hashed when the import was planned.
  static bool IsNewInPlace(const UnitFile& input) { return input.record.in_place && input.sequence == 0; }

  // Its owner may write to it while it is read: what was decoded is what was hashed only if that holds afterwards.
  Status CheckFilesInPlace() const {
    for (size_t i = 0; i < unit_.files.size(); ++i) {
      if (!IsNewInPlace(unit_.files[i])) continue;
      LODE_TRY(const bool unchanged, IsUnchanged(paths_[i], unit_.files[i].record));
      if (!unchanged) return FileChanged(unit_.files[i].record);
    }
    return Ok();
  }

  // Whether this unit brings the file into landing.
  bool HasLanded(const ledger::RawFile& record) const {
    return std::ranges::any_of(staged_, [&](const StagedFile& file) { return file.target == record.landed; });
  }

  static Status FileChanged(const ledger::RawFile& record) {
    return Fail(ErrorKind::kCorrupt, "{}: the file changed while it was imported; run again", record.name);
  }

  static Result<bool> IsUnchanged(const fs::path& path, const ledger::RawFile& record) {
    LODE_TRY(const store::Digest digest, store::HashFile(path));
    return digest.size == record.size && digest.sha256 == record.sha256;
  }

  Status CheckRejects() const {
    const int64_t rejected = decoded_.rejected_count;
    if (rejected == 0 || context_.policy == BadRecordPolicy::kQuarantine) return Ok();
    const bool tolerable = static_cast<double>(rejected) <= kDefaultRejectShare * static_cast<double>(decoded_.records);
    if (context_.policy == BadRecordPolicy::kDefault && tolerable) return Ok();
    const std::string first =
        decoded_.rejected.empty()
            ? ""
            : fmt::format("; first: {}: record {}: {}", decoded_.rejected[0].file,
                          decoded_.rejected[0].record.source_row, decoded_.rejected[0].record.reason);
    auto failure = Fail(ErrorKind::kBadInput,
                        "{}: {} of {} records are bad, which on_bad_record does not allow{}; nothing of this unit was "
                        "taken in",
                        unit_.name, rejected, decoded_.records, first);
    // Files over the wire were asked for one by one: the worst one is named, and the others need not wait for it.
    const bool is_alone = unit_.files.size() == 1 || !unit_.files.front().from_wire;
    if (is_alone) return failure;
    const auto worst = std::ranges::max_element(decoded_.files, {}, &DecodedFile::rejected);
    if (worst->rejected == 0) return failure;
    const auto at = static_cast<size_t>(worst - decoded_.files.begin());
    return std::unexpected(std::move(failure).error().With(unit_.files[at].record.name));
  }

  // Cells of all files of the unit; a cell that several files answer takes the better state and the sum of rows.
  std::vector<ledger::Cell> Cells() const {
    std::map<std::pair<std::string, Day>, ledger::Cell> cells;
    const auto add = [&](const ledger::Cell& cell) {
      const auto [found, added] = cells.try_emplace({cell.symbol, cell.day}, cell);
      if (added) return;
      ledger::Cell& known = found->second;
      const std::optional<int64_t> sum =
          known.rows && cell.rows ? std::optional(*known.rows + *cell.rows) : std::nullopt;
      const std::optional<Day> modified = std::max(known.modified, cell.modified);
      if (known.state == ledger::CellState::kEmpty || ledger::IsSettled(known.state) < ledger::IsSettled(cell.state))
        known = cell;
      known.rows = sum;
      known.modified = modified;
    };
    for (size_t i = 0; i < decoded_.files.size(); ++i) {
      for (const ledger::Cell& cell : CellsOfFile(*unit_.files[i].delivery, decoded_.files[i])) add(cell);
    }
    for (const ledger::Cell& cell : unit_.extra_cells) add(cell);
    std::vector<ledger::Cell> list;
    for (auto& [key, cell] : cells) list.push_back(std::move(cell));
    return list;
  }

  // A dataset is of one symbol type.
  std::string StypeOfUnit() const {
    const bool asked = !unit_.files.empty() && unit_.files.front().delivery->query;
    return asked ? unit_.files.front().delivery->query->stype_in : "";
  }

  std::vector<std::string> SourceLabelsOfUnit() const {
    std::vector<std::string> labels;
    for (size_t i = 0; i < unit_.files.size(); ++i) labels.emplace_back(strings_.Get(decoded_.source_ids[i]));
    return labels;
  }

  // Vendor date and receipt order of a row, by the raw file it came from.
  Precedence PrecedenceOf(int32_t source_file, Day day, const ReplacedRows& replaced) const {
    const auto known = std::ranges::find(decoded_.source_ids, source_file);
    if (known == decoded_.source_ids.end()) return {replaced.PresentModified(day), 0};
    const UnitFile& input = unit_.files[static_cast<size_t>(known - decoded_.source_ids.begin())];
    const int64_t sequence = input.sequence == 0 ? INT64_MAX : input.sequence;
    if (const auto replay = input.replay_modified.find(day); replay != input.replay_modified.end()) {
      return {replay->second, sequence};
    }
    const auto condition =
        std::ranges::lower_bound(input.delivery->conditions, day, {}, &source::databento::Condition::day);
    if (condition != input.delivery->conditions.end() && condition->day == day && condition->modified) {
      return {condition->modified, sequence};
    }
    return {replaced.PresentModified(day), sequence};  // no vendor date: the later receipt wins
  }

  // As the ledger has it; nullptr: it does not.
  Result<const ledger::Partition*> Present(const std::string& path) {
    auto found = present_.find(path);
    if (found == present_.end()) {
      LODE_TRY(auto row, context_.writer->ledger().FindPartition(context_.writer->dataset(), path));
      found = present_.emplace(path, std::nullopt).first;
      if (row) found->second = std::move(row->partition);
    }
    return found->second ? &*found->second : nullptr;
  }

  // Neither ledger nor disk know it: its rows meet no others.
  Result<bool> IsNewPartition(const std::string& path) {
    if (unit_.only_partitions) return false;
    LODE_TRY(const ledger::Partition* present, Present(path));
    if (present != nullptr) return false;
    LODE_TRY(const auto size, store::FileSize(context_.writer->paths().bronze(context_.writer->dataset()) / path));
    return !size;
  }

  Status WritePartitions(ReplacedRows& replaced) {
    std::set<std::string> paths;
    for (std::string& path : rows_.sorter().Partitions()) paths.insert(std::move(path));
    for (const auto& [path, file] : rows_.direct()) paths.insert(path);
    for (const std::string& path : replaced.PartitionsTouched(*context_.layout)) {
      if (unit_.only_partitions && !unit_.only_partitions->contains(path)) continue;
      LODE_TRY(const ledger::Partition* present, Present(path));
      if (present != nullptr) paths.insert(path);
    }
    for (const std::string& path : paths) {
      Status status = Ok();
      if (const auto direct = rows_.direct().find(path); direct != rows_.direct().end()) {
        result_.duplicates += direct->second.counts.duplicates;
        if (direct->second.counts.rows == 0) continue;
        status =
            RecordPartition(path, direct->second.temporary, direct->second.written, direct->second.counts, nullptr, "");
      } else {
        LODE_TRY(const ledger::Partition* old, Present(path));
        status = WritePartition(path, old, replaced);
      }
      if (!status) return std::unexpected(std::move(status).error().With(path));
    }
    return Ok();
  }

  Status WritePartition(const std::string& path, const ledger::Partition* old, ReplacedRows& replaced) {
    const fs::path file = context_.writer->paths().bronze(context_.writer->dataset()) / path;
    LODE_TRY(const auto present_size, store::FileSize(file));
    const bool merge_present = old != nullptr && present_size && *present_size == old->size;
    if (old != nullptr && !merge_present && !unit_.only_partitions && !unit_.renewed.contains(path)) {
      return Fail(ErrorKind::kCorrupt,
                  "the file is gone or changed and could not be written again; give import what it came from as well "
                  "(`lode verify` names what is gone). Nothing of {} was taken in",
                  unit_.name);
    }
    std::string found_sha256;  // what Publish will replace; a file somebody else put there is not merged
    if (present_size) {
      LODE_TRY(const store::Digest digest, store::HashFile(file));
      found_sha256 = digest.sha256;
    }
    std::unique_ptr<RowStream> existing;
    if (merge_present) {
      if (found_sha256 != old->sha256) {
        return Fail(ErrorKind::kCorrupt,
                    "the file differs from its receipt; delete it and import again, or see `lode verify`");
      }
      LODE_TRY(auto rows, codec::ParquetRows::Open(file, *context_.schema, &strings_));
      existing = std::make_unique<ExistingRows>(std::move(rows));
    }
    LODE_TRY(auto incoming, rows_.sorter().TakeStreams(path));
    const fs::path temporary = context_.writer->temporary() / fmt::format("partition-{:05}.parquet", staged_.size());
    LODE_TRY(auto parquet,
             codec::ParquetWriter::Create(temporary, *context_.schema, {context_.writer->dataset(), path}, strings_));
    Derive derive(*context_.schema, strings_);
    MergeRules rules{
        .precedence = [&](int32_t source, Day day) { return PrecedenceOf(source, day, replaced); },
        .replaced = nullptr,
        .conflict = [&](int32_t source, int64_t row, const std::string& key) { AddConflict(source, row, key); }};
    if (replaced.any()) {
      rules.replaced = [&](const arrow::RecordBatch& rows, uint32_t row, int32_t source, Day day) {
        return replaced.IsReplaced(rows, row, source, day);
      };
    }
    LODE_TRY(const MergeCounts counts, MergeStreams(*context_.schema, strings_, std::move(existing),
                                                    std::move(incoming), rules, [&](const Batch& rows) -> Status {
                                                      LODE_TRY(const Batch physical, derive(rows));
                                                      return parquet->Write(*physical);
                                                    }));
    LODE_TRY(replaced.CheckNothingLost());
    LODE_TRY(const codec::WrittenFile written, parquet->Close());
    result_.duplicates += counts.duplicates;
    if (counts.rows == 0 && !merge_present) return store::Remove(temporary);
    return RecordPartition(path, temporary, written, counts, old, found_sha256);
  }

  Status RecordPartition(const std::string& path, const fs::path& temporary, const codec::WrittenFile& written,
                         const MergeCounts& counts, const ledger::Partition* old, const std::string& found_sha256) {
    ledger::Partition partition;
    partition.path = path;
    partition.size = written.size;
    partition.sha256 = written.sha256;
    partition.rows = written.rows;
    partition.min_key = counts.min_key;
    partition.max_key = counts.max_key;
    partition.replaces = old == nullptr ? "" : old->sha256;
    result_.rows += written.rows;
    const bool unchanged = found_sha256 == written.sha256;
    if (unchanged) {
      LODE_TRY(store::Remove(temporary));
    } else {
      ++result_.partitions;
      result_.bytes_out += written.size;
      Stage(temporary, fmt::format("bronze/{}/{}", context_.writer->dataset(), path), written.sha256, found_sha256);
    }
    receipt_.partitions.push_back(std::move(partition));
    return Ok();
  }

  void AddConflict(int32_t source, int64_t row, const std::string& key) {
    codec::BadRecord record;
    record.source_row = row;
    record.reason = fmt::format("another value for the same key {} in this import", key);
    const std::string file(source == codec::StringPool::kNull ? "" : strings_.Get(source));
    if (decoded_.rejected.size() < codec::BadRecords::kMaxKept) decoded_.rejected.push_back({file, std::move(record)});
    ++decoded_.rejected_count;
  }

  Status StageQuarantine() {
    if (decoded_.rejected_count == 0 || unit_.only_partitions) return Ok();
    LODE_TRY(const int64_t sequence, context_.writer->ledger().NextSequence(context_.writer->dataset()));
    std::string text;
    for (const Rejected& rejected : decoded_.rejected) {
      const nlohmann::json line = {{"file", rejected.file},
                                   {"record", rejected.record.source_row},
                                   {"offset", rejected.record.offset},
                                   {"reason", rejected.record.reason},
                                   {"raw", rejected.record.raw}};
      text += line.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
    }
    const fs::path temporary = context_.writer->temporary() / fmt::format("quarantine-{:05}", staged_.size());
    LODE_TRY(store::WriteDurable(temporary, text));
    receipt_.quarantine = fmt::format("quarantine/{}/{:08}.ndjson", context_.writer->dataset(), sequence);
    Stage(temporary, receipt_.quarantine, Sha256Hex(text), "");
    context_.notice(fmt::format("{}: {} of {} records are bad and went to {}", unit_.name, decoded_.rejected_count,
                                decoded_.records, receipt_.quarantine));
    return Ok();
  }

  Status PublishUnit() {
    LODE_TRY(CheckStop());
    receipt_.dataset = context_.writer->dataset();
    receipt_.schema = context_.schema->name;
    receipt_.schema_version = context_.schema->version;
    receipt_.layout = context_.layout->text();
    receipt_.origin = unit_.origin;
    receipt_.attempts = unit_.attempts;
    receipt_.unit = unit_.name;
    receipt_.request = unit_.request;
    receipt_.started_at = context_.started_at;
    receipt_.finished_at = FormatIsoNs(NowNs());
    receipt_.program = LODE_VERSION;
    if (unit_.only_partitions) receipt_.origin = "repair";
    receipt_.raw_files = std::move(raw_files_);
    if (unit_.only_partitions) {
      // The older receipts still hold, but for files that are here again.
      std::erase_if(receipt_.raw_files, [this](const ledger::RawFile& file) { return !HasLanded(file); });
    } else {
      receipt_.records = decoded_.records;
      receipt_.rejected = decoded_.rejected_count;
    }
    receipt_.duplicates = result_.duplicates;
    result_.records = decoded_.records;
    result_.rejected = decoded_.rejected_count;
    return Publish(*context_.writer, staged_, std::move(receipt_));
  }

  const UnitContext& context_;
  const Unit& unit_;
  codec::StringPool strings_;
  UnitRows rows_;
  std::map<std::string, std::optional<ledger::Partition>> present_;  // looked up so far
  std::vector<fs::path> paths_;                                      // where each unit file is read from
  std::vector<ledger::RawFile> raw_files_;
  std::vector<StagedFile> staged_;
  std::vector<fs::path> linked_;  // of these, links to files that may not be durable yet
  DecodedUnit decoded_;
  ledger::Receipt receipt_;
  UnitResult result_;
};

}  // namespace

Result<UnitResult> RunUnit(const UnitContext& context, const Unit& unit) {
  auto result = UnitRun(context, unit).Run();
  if (!result) context.writer->DropTemporaries();  // keeps what an interrupted publish still needs
  return result;
}

}  // namespace lode::lake
