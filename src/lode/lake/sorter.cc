#include "lode/lake/sorter.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>

#include <set>

#include "lode/base/stop.h"
#include "lode/codec/arrow_result.h"

namespace lode::lake {
namespace {

constexpr int64_t kGatherRows = 65'536;
constexpr int64_t kSpillRows = 8'192;  // a batch of a run: what each run holds in memory while runs are merged

using codec::FromArrow;

// Sorted rows that are gathered a batch at a time.
class MemoryStream : public RowStream {
 public:
  MemoryStream(std::vector<Batch> batches, std::vector<RowRef> refs)
      : batches_(std::move(batches)), refs_(std::move(refs)) {}
  Result<Batch> Next() override {
    if (next_ == refs_.size()) {
      batches_.clear();
      return Batch();
    }
    const size_t count = std::min<size_t>(kGatherRows, refs_.size() - next_);
    const auto refs = std::span(refs_).subspan(next_, count);
    next_ += count;
    return GatherRows(batches_, refs);
  }

 private:
  std::vector<Batch> batches_;
  std::vector<RowRef> refs_;
  size_t next_ = 0;
};

}  // namespace

// One spilled run: an Arrow IPC file with the batches of each partition next to each other.
struct PartitionSorter::Run {
  std::filesystem::path path;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader;
  std::map<std::string, std::pair<int, int>> batches;  // partition -> [first, last) batch of the file
  ~Run() {
    reader.reset();
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
};

namespace {

class RunStream : public RowStream {
 public:
  RunStream(std::shared_ptr<void> run, arrow::ipc::RecordBatchFileReader& reader, std::pair<int, int> batches)
      : run_(std::move(run)), reader_(reader), next_(batches.first), end_(batches.second) {}
  Result<Batch> Next() override {
    if (next_ == end_) return Batch();
    LODE_TRY(auto batch, FromArrow(reader_.ReadRecordBatch(next_++), "read a spilled run"));
    return batch;
  }

 private:
  std::shared_ptr<void> run_;  // keeps the file open
  arrow::ipc::RecordBatchFileReader& reader_;
  int next_, end_;
};

}  // namespace

PartitionSorter::PartitionSorter(const codec::TableSchema& schema, const codec::StringPool& strings,
                                 std::filesystem::path temporary_dir, uint64_t limit_bytes)
    : schema_(schema), order_(schema, strings), temporary_dir_(std::move(temporary_dir)), limit_bytes_(limit_bytes) {}

PartitionSorter::~PartitionSorter() = default;

Status PartitionSorter::Add(const std::string& partition, Batch rows) {
  held_bytes_ += MemoryOf(*rows);
  held_[partition].push_back(std::move(rows));
  return held_bytes_ > limit_bytes_ ? Spill() : Ok();
}

Status PartitionSorter::Spill() {
  auto run = std::make_shared<Run>();
  run->path = temporary_dir_ / fmt::format("run-{:04}.arrow", runs_.size());
  LODE_TRY(auto file, FromArrow(arrow::io::FileOutputStream::Open(run->path.string()), "create a spill file"));
  LODE_TRY(auto writer,
           FromArrow(arrow::ipc::MakeFileWriter(file, codec::StoredSchema(schema_)), "create a spill file"));
  int written = 0;
  for (auto& [partition, batches] : held_) {
    LODE_TRY(CheckStop());
    const std::vector<RowRef> refs = order_.Sort(batches);
    const int first = written;
    for (size_t row = 0; row < refs.size(); row += kSpillRows, ++written) {
      LODE_TRY(const Batch rows,
               GatherRows(batches, std::span(refs).subspan(row, std::min<size_t>(kSpillRows, refs.size() - row))));
      LODE_TRY(FromArrow(writer->WriteRecordBatch(*rows), "write a spill file"));
    }
    run->batches[partition] = {first, written};
    batches.clear();
  }
  LODE_TRY(FromArrow(writer->Close(), "write a spill file"));
  LODE_TRY(FromArrow(file->Close(), "write a spill file"));
  held_.clear();
  held_bytes_ = 0;
  LODE_TRY(auto input, FromArrow(arrow::io::ReadableFile::Open(run->path.string()), "open a spill file"));
  LODE_TRY(run->reader, FromArrow(arrow::ipc::RecordBatchFileReader::Open(input), "open a spill file"));
  runs_.push_back(std::move(run));
  return Ok();
}

std::vector<std::string> PartitionSorter::Partitions() const {
  std::set<std::string> names;
  for (const auto& [partition, batches] : held_) names.insert(partition);
  for (const auto& run : runs_) {
    for (const auto& [partition, range] : run->batches) names.insert(partition);
  }
  return {names.begin(), names.end()};
}

Result<std::vector<std::unique_ptr<RowStream>>> PartitionSorter::TakeStreams(const std::string& partition) {
  // Merging runs and writing Parquet need room of their own; a large rest goes to disk like the others.
  if (!runs_.empty() && held_bytes_ > limit_bytes_ / 4) LODE_TRY(Spill());
  std::vector<std::unique_ptr<RowStream>> streams;
  for (const auto& run : runs_) {
    const auto range = run->batches.find(partition);
    if (range != run->batches.end()) streams.push_back(std::make_unique<RunStream>(run, *run->reader, range->second));
  }
  const auto held = held_.find(partition);
  if (held != held_.end()) {
    std::vector<RowRef> refs = order_.Sort(held->second);
    streams.push_back(std::make_unique<MemoryStream>(std::move(held->second), std::move(refs)));
    held_.erase(held);
  }
  return streams;
}

}  // namespace lode::lake
