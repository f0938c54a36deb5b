// Collects a unit's rows a partition, in bounded memory: past the limit they are sorted and spilled to a temporary run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lode/lake/rows.h"

namespace lode::lake {

// A sorted stream of rows in StoredSchema.
class RowStream {
 public:
  virtual ~RowStream() = default;
  // Next batch (never empty), null at the end.
  virtual Result<Batch> Next() = 0;
};

// Not thread-safe. Temporaries are removed by the destructor; those of a killed run by the next DatasetWriter::Open.
class PartitionSorter {
 public:
  PartitionSorter(const codec::TableSchema& schema, const codec::StringPool& strings,
                  std::filesystem::path temporary_dir, uint64_t limit_bytes);
  ~PartitionSorter();

  // Adds rows of one partition; keeps a reference to the batch.
  Status Add(const std::string& partition, Batch rows);
  // Partitions that have rows, sorted.
  std::vector<std::string> Partitions() const;
  // The partition's rows as sorted streams: one of what is in memory and one a spilled run. Called once a partition;
  // releases the partition's memory as the stream is read.
  Result<std::vector<std::unique_ptr<RowStream>>> TakeStreams(const std::string& partition);

 private:
  struct Run;
  Status Spill();
  const codec::TableSchema& schema_;
  RowOrder order_;
  std::filesystem::path temporary_dir_;
  uint64_t limit_bytes_, held_bytes_ = 0;
  std::map<std::string, std::vector<Batch>> held_;
  std::vector<std::shared_ptr<Run>> runs_;
};

}  // namespace lode::lake
