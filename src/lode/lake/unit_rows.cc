#include "lode/lake/unit_rows.h"

#include <arrow/api.h>
#include <arrow/util/byte_size.h>

#include <utility>

namespace lode::lake {
namespace {

// Below it sorting in memory is cheap, and a partition of which one row comes late costs no second reading.
constexpr uint64_t kHoldBackBytes = uint64_t{16} << 20;

}  // namespace

UnitRows::UnitRows(const codec::TableSchema& schema, codec::StringPool& strings, std::string dataset,
                   std::filesystem::path temporary_dir, uint64_t sorter_bytes,
                   std::function<Result<bool>(const std::string&)> may_write)
    : schema_(schema),
      strings_(strings),
      dataset_(std::move(dataset)),
      temporary_dir_(std::move(temporary_dir)),
      sorter_bytes_(sorter_bytes),
      may_write_(std::move(may_write)),
      order_(schema, strings) {
  Reset();
  direct_allowed_ = true;
}

void UnitRows::Reset() {
  sorter_ = std::make_unique<PartitionSorter>(schema_, strings_, temporary_dir_, sorter_bytes_);
  direct_allowed_ = out_of_order_ = false;
  partition_.clear();
  sorted_ = true;
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
}

Result<bool> UnitRows::Continues(const Batch& rows) const {
  const RowOrder::Keys keys = order_.Bind(*rows);
  if (last_ != nullptr) {
    const auto last_row = static_cast<uint32_t>(last_->num_rows() - 1);
    if (order_.Compare(order_.Bind(*last_), last_row, keys, 0) >= 0) return false;
  }
  return order_.Ascends(keys, static_cast<uint32_t>(rows->num_rows()));
}

Status UnitRows::Add(const std::string& partition, Batch rows) {
  if (out_of_order_) return Ok();
  if (!direct_allowed_) return sorter_->Add(partition, std::move(rows));
  if (partition != partition_) {
    LODE_TRY(Leave());
    if (finished_.contains(partition)) {
      out_of_order_ = true;
      return Ok();
    }
    partition_ = partition;
    LODE_TRY(const bool may_write, may_write_(partition));
    sorted_ = !may_write;
  }
  if (sorted_) return sorter_->Add(partition, std::move(rows));
  LODE_TRY(const bool in_order, Continues(rows));
  if (!in_order) {
    if (writer_ != nullptr) {
      out_of_order_ = true;
      return Ok();
    }
    LODE_TRY(HandToSorter());
    return sorter_->Add(partition, std::move(rows));
  }
  last_ = rows;
  if (writer_ != nullptr) return Write(rows);
  held_back_bytes_ += static_cast<uint64_t>(arrow::util::ReferencedBufferSize(*rows).ValueOr(0));
  held_back_.push_back(std::move(rows));
  return held_back_bytes_ < std::min(kHoldBackBytes, sorter_bytes_) ? Ok() : Begin();
}

Status UnitRows::Begin() {
  const auto temporary = temporary_dir_ / fmt::format("direct-{:05}.parquet", finished_.size());
  LODE_TRY(writer_, codec::ParquetWriter::Create(temporary, schema_, {dataset_, partition_}, strings_));
  derive_ = std::make_unique<Derive>(schema_, strings_);
  counts_ = {};
  counts_.min_key = order_.Describe(order_.Bind(*held_back_.front()), 0);
  held_back_bytes_ = 0;
  for (const Batch& rows : std::exchange(held_back_, {})) LODE_TRY(Write(rows));
  return Ok();
}

Status UnitRows::Write(const Batch& rows) {
  LODE_TRY(const Batch physical, (*derive_)(rows));
  counts_.rows += rows->num_rows();
  return writer_->Write(*physical);
}

Status UnitRows::HandToSorter() {
  for (Batch& rows : std::exchange(held_back_, {})) LODE_TRY(sorter_->Add(partition_, std::move(rows)));
  held_back_bytes_ = 0;
  last_.reset();
  sorted_ = true;
  return Ok();
}

Status UnitRows::Leave() {
  if (writer_ == nullptr) return HandToSorter();
  DirectFile file;
  file.temporary = temporary_dir_ / fmt::format("direct-{:05}.parquet", finished_.size());
  counts_.max_key = order_.Describe(order_.Bind(*last_), static_cast<uint32_t>(last_->num_rows() - 1));
  file.counts = std::exchange(counts_, {});
  LODE_TRY(file.written, writer_->Close());
  writer_.reset();
  derive_.reset();
  last_.reset();
  finished_.emplace(partition_, std::move(file));
  return Ok();
}

Status UnitRows::Finish() {
  LODE_TRY(Leave());
  partition_.clear();
  sorted_ = true;
  return Ok();
}

}  // namespace lode::lake
