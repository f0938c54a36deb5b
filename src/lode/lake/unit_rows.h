// Rows of a unit on their way from the decoder to partition files.
//
// Rows of a new partition that come in their final order are written while they are decoded: event files and market
// days are sorted already, and spilling and merging them would cost as much as parsing. Everything else is collected by
// a PartitionSorter. Which way rows took does not show in the file.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lode/codec/parquet_file.h"
#include "lode/lake/derive.h"
#include "lode/lake/merge.h"
#include "lode/lake/sorter.h"

namespace lode::lake {

// A partition file that was finished while its rows were decoded.
struct DirectFile {
  std::filesystem::path temporary;
  codec::WrittenFile written;
  MergeCounts counts;
};

// Not thread-safe.
class UnitRows {
 public:
  // `may_write(partition)`: nothing of the partition is there yet, so that its rows need no merging.
  UnitRows(const codec::TableSchema& schema, codec::StringPool& strings, std::string dataset,
           std::filesystem::path temporary_dir, uint64_t sorter_bytes,
           std::function<Result<bool>(const std::string& partition)> may_write);

  // Adds rows of one partition, keeping a reference to the batch. After a row out of order in a partition whose writing
  // had begun, out_of_order() is true and the rows so far are worthless: Reset, and add all of them again.
  Status Add(const std::string& partition, Batch rows);
  bool out_of_order() const { return out_of_order_; }
  // Forgets all rows; from here on everything is sorted.
  void Reset();
  // No more rows: finishes the file in hand. Before the next two.
  Status Finish();
  const std::map<std::string, DirectFile>& direct() const { return finished_; }
  PartitionSorter& sorter() { return *sorter_; }

 private:
  // True when the rows continue the partition in hand in order.
  Result<bool> Continues(const Batch& rows) const;
  Status Begin();  // opens the file of the partition in hand and writes what was held back
  Status Write(const Batch& rows);
  Status Leave();  // done with the partition in hand: its file is finished, or its rows go to the sorter
  Status HandToSorter();

  const codec::TableSchema& schema_;
  codec::StringPool& strings_;
  const std::string dataset_;
  const std::filesystem::path temporary_dir_;
  const uint64_t sorter_bytes_;
  const std::function<Result<bool>(const std::string&)> may_write_;
  const RowOrder order_;
  std::unique_ptr<PartitionSorter> sorter_;
  bool direct_allowed_ = true, out_of_order_ = false;

  // The partition in hand. Its first rows are held back: only a large partition is worth a file begun early.
  std::string partition_;
  bool sorted_ = true;  // its rows go to the sorter
  std::vector<Batch> held_back_;
  uint64_t held_back_bytes_ = 0;
  Batch last_;  // batch of the last row
  std::unique_ptr<codec::ParquetWriter> writer_;
  std::unique_ptr<Derive> derive_;
  MergeCounts counts_;
  std::map<std::string, DirectFile> finished_;
};

}  // namespace lode::lake
