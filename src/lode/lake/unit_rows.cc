#include "lode/lake/unit_rows.h"

#include <arrow/api.h>

#include <algorithm>
#include <utility>

namespace lode::lake {
namespace {

// Below it sorting in memory is cheap, and one row that comes late costs no second reading.
constexpr uint64_t kHoldBackBytes = uint64_t{16} << 20;

}  // namespace

UnitRows::UnitRows(const codec::TableSchema& schema, codec::StringPool& strings, UnitRowsOptions options)
    : schema_(schema), strings_(strings), options_(std::move(options)), order_(schema, strings) {
  Reset();
  early_ = true;
}

void UnitRows::Reset() {
  sorter_ = std::make_unique<PartitionSorter>(schema_, strings_, options_.temporary_dir, options_.sorter_bytes);
  early_ = out_of_order_ = false;
  partition_.clear();
  way_ = Way::kSort;
  held_back_.clear();
  held_back_bytes_ = 0;
  last_.reset();
  writer_.reset();  // removes its file
  derive_.reset();
  counts_ = {};
  for (const auto& [partition, file] : finished_) {
    std::error_code ignored;
    std::filesystem::remove(file.temporary, ignored);
  }
  finished_.clear();
  conflicts_.clear();
  strings_.ForgetAppended(strings_.mark());
}

bool UnitRows::Continues(const Batch& rows) const {
  const RowOrder::Keys keys = order_.Bind(*rows);
  if (last_ != nullptr) {
    const auto last_row = static_cast<uint32_t>(last_->num_rows() - 1);
    if (order_.Compare(order_.Bind(*last_), last_row, keys, 0) >= 0) return false;
  }
  return order_.Ascends(keys, static_cast<uint32_t>(rows->num_rows()));
}

Status UnitRows::Add(const std::string& partition, Batch rows) {
  if (out_of_order_) return Ok();
  if (!early_) return sorter_->Add(partition, std::move(rows));
  if (partition != partition_) {
    LODE_TRY(Leave());
    out_of_order_ = finished_.contains(partition);
    if (out_of_order_) return Ok();
    partition_ = partition;
    way_ = Way::kSort;
    if (!sorted_.contains(partition)) {
      LODE_TRY(const bool may_write, options_.may_write(partition));
      if (may_write) way_ = Way::kHold;
    }
  }
  if (way_ == Way::kSort) return Sort(std::move(rows));
  if (way_ != Way::kGather && !Continues(rows)) {
    out_of_order_ = way_ == Way::kWrite;
    if (out_of_order_) return Ok();
    way_ = Way::kGather;
    if (!options_.one_file) LODE_TRY(HandToSorter());
    if (way_ == Way::kSort) return Sort(std::move(rows));
  }
  last_ = rows;
  if (way_ == Way::kWrite) {
    LODE_TRY(Write(rows));
    ForgetWritten(rows);
    return Ok();
  }
  held_back_bytes_ += MemoryOf(*rows);
  held_back_.push_back(std::move(rows));
  if (way_ == Way::kGather) return held_back_bytes_ < options_.sorter_bytes ? Ok() : HandToSorter();
  return held_back_bytes_ < std::min(kHoldBackBytes, options_.sorter_bytes) ? Ok() : Begin();
}

std::filesystem::path UnitRows::NextTemporary() const {
  return options_.temporary_dir / fmt::format("direct-{:05}.parquet", finished_.size());
}

Status UnitRows::Begin() {
  const codec::FooterFacts facts{options_.dataset, partition_};
  LODE_TRY(writer_, codec::ParquetWriter::Create(NextTemporary(), schema_, facts, strings_));
  derive_ = std::make_unique<Derive>(schema_, strings_);
  counts_ = {};
  counts_.min_key = order_.Describe(order_.Bind(*held_back_.front()), 0);
  held_back_bytes_ = 0;
  way_ = Way::kWrite;
  for (const Batch& rows : std::exchange(held_back_, {})) LODE_TRY(Write(rows));
  return Ok();
}

Status UnitRows::Write(const Batch& rows) {
  LODE_TRY(const Batch physical, (*derive_)(rows));
  counts_.rows += rows->num_rows();
  return writer_->Write(*physical);
}

void UnitRows::ForgetWritten(const Batch& newest) {
  const bool only_newest_wait = sorted_.empty() && writer_->pending_rows() <= newest->num_rows();
  if (only_newest_wait) strings_.ForgetAppended(batch_mark_);
}

Status UnitRows::Sort(Batch rows) {
  sorted_.insert(partition_);
  return sorter_->Add(partition_, std::move(rows));
}

Status UnitRows::HandToSorter() {
  for (Batch& rows : std::exchange(held_back_, {})) LODE_TRY(Sort(std::move(rows)));
  held_back_bytes_ = 0;
  way_ = Way::kSort;
  return Ok();
}

Status UnitRows::Leave() {
  const Batch last = std::exchange(last_, nullptr);
  switch (std::exchange(way_, Way::kSort)) {
    case Way::kSort: return Ok();
    case Way::kWrite:
      counts_.max_key = order_.Describe(order_.Bind(*last), static_cast<uint32_t>(last->num_rows() - 1));
      return CloseFile();
    case Way::kHold:
    case Way::kGather: return options_.one_file ? WriteHeldBack() : HandToSorter();
  }
  return Ok();
}

Status UnitRows::CloseFile() {
  DirectFile file{.temporary = NextTemporary(), .written = {}, .counts = std::exchange(counts_, {})};
  LODE_TRY(file.written, writer_->Close());
  writer_.reset();
  derive_.reset();
  finished_.emplace(partition_, std::move(file));
  return Ok();
}

// Rows of one file in a partition that nothing else feeds: all of one precedence.
Status UnitRows::WriteHeldBack() {
  PartitionSorter sorter(schema_, strings_, options_.temporary_dir, UINT64_MAX);
  for (Batch& rows : std::exchange(held_back_, {})) LODE_TRY(sorter.Add(partition_, std::move(rows)));
  held_back_bytes_ = 0;
  LODE_TRY(auto streams, sorter.TakeStreams(partition_));
  const codec::FooterFacts facts{options_.dataset, partition_};
  LODE_TRY(writer_, codec::ParquetWriter::Create(NextTemporary(), schema_, facts, strings_));
  Derive derive(schema_, strings_);
  const MergeRules rules{
      .precedence = [](int32_t, Day) { return Precedence{}; },
      .replaced = nullptr,
      .conflict = [this](int32_t source_file, int64_t source_row,
                         const std::string& key) { conflicts_.push_back({source_file, source_row, key}); }};
  LODE_TRY(counts_,
           MergeStreams(schema_, strings_, nullptr, std::move(streams), rules, [&](const Batch& rows) -> Status {
             LODE_TRY(const Batch physical, derive(rows));
             return writer_->Write(*physical);
           }));
  if (counts_.rows > 0) return CloseFile();
  writer_.reset();  // every row contradicted another
  finished_.emplace(partition_, DirectFile{});
  return Ok();
}

Status UnitRows::Finish() {
  LODE_TRY(Leave());
  partition_.clear();
  return Ok();
}

}  // namespace lode::lake
