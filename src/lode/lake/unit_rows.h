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
#include <set>
#include <string>
#include <vector>

#include "lode/codec/parquet_file.h"
#include "lode/lake/derive.h"
#include "lode/lake/merge.h"
#include "lode/lake/sorter.h"

namespace lode::lake {

// A row whose key another row of the unit has with other values.
struct KeyConflict {
  int32_t source_file = 0;
  int64_t source_row = 0;
  std::string key;
};

// A partition file that was finished while its rows were decoded; without rows there is none.
struct DirectFile {
  std::filesystem::path temporary;
  codec::WrittenFile written;
  MergeCounts counts;
};

struct UnitRowsOptions {
  std::string dataset;
  std::filesystem::path temporary_dir;
  uint64_t sorter_bytes = 0;  // rows in hand before they are spilled
  bool one_file = false;      // its partitions follow each other, most likely
  // Nothing of the partition is there yet, so that its rows need no merging.
  std::function<Result<bool>(const std::string& partition)> may_write;
};

// Not thread-safe.
class UnitRows {
 public:
  UnitRows(const codec::TableSchema& schema, codec::StringPool& strings, UnitRowsOptions options);

  // The decoder is about to append the texts of its next batch, whose rows come next.
  void BeginBatch() { batch_mark_ = strings_.mark(); }
  // Adds rows of one partition, keeping a reference to the batch. After a row of a partition whose writing was begun or
  // finished without it, out_of_order() is true and the rows so far are worthless: Reset, and add all of them again.
  Status Add(const std::string& partition, Batch rows);
  bool out_of_order() const { return out_of_order_; }
  // Forgets all rows; from here on everything is sorted.
  void Reset();
  // No more rows: finishes the file in hand. Before the next two.
  Status Finish();
  const std::map<std::string, DirectFile>& direct() const { return finished_; }
  // Met while those files were written.
  const std::vector<KeyConflict>& conflicts() const { return conflicts_; }
  PartitionSorter& sorter() { return *sorter_; }

 private:
  // What becomes of the rows of the partition in hand.
  enum class Way {
    kSort,    // to the sorter
    kHold,    // held back, in order so far: only a large partition is worth a file begun early
    kGather,  // held back, not in order: to be sorted when the next partition begins
    kWrite,   // into its file
  };
  // True when the rows continue the partition in hand in order.
  bool Continues(const Batch& rows) const;
  Status Begin();  // opens the file of the partition in hand and writes what was held back
  Status Write(const Batch& rows);
  Status Leave();  // done with the partition in hand
  Status CloseFile();
  Status WriteHeldBack();
  Status HandToSorter();
  Status Sort(Batch rows);  // rows of the partition in hand
  // Texts of rows that are in the file need no memory any more.
  void ForgetWritten(const Batch& newest);
  std::filesystem::path NextTemporary() const;

  const codec::TableSchema& schema_;
  codec::StringPool& strings_;
  const UnitRowsOptions options_;
  const RowOrder order_;
  std::unique_ptr<PartitionSorter> sorter_;
  std::set<std::string> sorted_;  // partitions the sorter has rows of: all of theirs go there
  bool early_ = true, out_of_order_ = false;
  uint64_t batch_mark_ = 0;  // before the texts of the batch in hand

  std::string partition_;  // in hand
  Way way_ = Way::kSort;
  std::vector<Batch> held_back_;
  uint64_t held_back_bytes_ = 0;
  Batch last_;  // batch of the last row, in order
  std::unique_ptr<codec::ParquetWriter> writer_;
  std::unique_ptr<Derive> derive_;
  MergeCounts counts_;
  std::map<std::string, DirectFile> finished_;
  std::vector<KeyConflict> conflicts_;
};

}  // namespace lode::lake
