// Random rows of a schema, written to and read back from Parquet: shared by the Parquet tests.
#pragma once

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "lode/codec/parquet_file.h"

namespace lode::codec::fixture {

using Batch = std::shared_ptr<arrow::RecordBatch>;

// A folder that goes with the test.
class ParquetTest : public ::testing::Test {
 protected:
  ParquetTest();
  ~ParquetTest() override;
  std::filesystem::path Path(const std::string& name) const { return folder_ / name; }

 private:
  std::filesystem::path folder_;
};

std::string ReadBytes(const std::filesystem::path& path);
void WriteBytes(const std::filesystem::path& path, const std::string& bytes);

// Columns that are constant, of few values, climbing or any bits; with no, some, long runs of, or only nulls.
Batch RandomRows(const TableSchema& schema, int64_t rows, const StringPool& strings, std::mt19937_64& random);
void FillPool(StringPool& strings, int count);
// Every column type, nullable and not: more than the vendor schemas have.
TableSchema AllTypes();

Result<WrittenFile> WriteRows(const std::filesystem::path& path, const TableSchema& schema, const StringPool& strings,
                              const std::vector<Batch>& batches);
Result<std::vector<Batch>> ReadAll(const std::filesystem::path& path, const TableSchema& schema, StringPool& strings);
// What any Parquet reader should see of a travelling column.
std::shared_ptr<arrow::Array> AsRead(const Column& column, const arrow::Array& values, const StringPool& strings);
// Compares what ParquetRows read with what was written: text by value, since the pools differ.
void ExpectStored(const TableSchema& schema, const arrow::RecordBatch& written, const StringPool& written_strings,
                  const std::vector<Batch>& read, const StringPool& read_strings);

}  // namespace lode::codec::fixture
