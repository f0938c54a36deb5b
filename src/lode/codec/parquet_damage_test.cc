// Damaged files, full disks: nothing wrong may be read, nothing half-written may stay.
#include <gtest/gtest.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <sys/resource.h>

#include <csignal>
#include <random>

#include "lode/codec/parquet_file.h"
#include "lode/codec/testing/parquet_test.h"

namespace lode::codec {
namespace {

using fixture::Batch;
using fixture::ExpectStored;
using fixture::FillPool;
using fixture::RandomRows;
using fixture::ReadAll;
using fixture::ReadBytes;
using fixture::WriteBytes;
using fixture::WriteRows;

class ParquetDamage : public fixture::ParquetTest {};

// Places of the pages' compressed bytes, headers left out.
std::vector<std::pair<size_t, size_t>> PageBodies(const std::filesystem::path& path, const std::string& bytes) {
  std::vector<std::pair<size_t, size_t>> bodies;
  const auto reader = parquet::ParquetFileReader::OpenFile(path.string(), false);
  for (int i = 0; i < reader->metadata()->num_columns(); ++i) {
    const auto pages = reader->GetPageIndexReader()->RowGroup(0)->GetOffsetIndex(i);
    for (const auto& page : pages->page_locations()) {
      const auto end = static_cast<size_t>(page.offset + page.compressed_page_size);
      const size_t body = bytes.find("\x28\xB5\x2F\xFD", static_cast<size_t>(page.offset));
      EXPECT_LT(body, end);
      bodies.emplace_back(body, end);
    }
  }
  return bodies;
}

TEST_F(ParquetDamage, AFlippedBitOfADataPageNeverChangesAValue) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  StringPool strings;
  FillPool(strings, 50);
  const TableSchema& schema = *FindDatabentoSchema("trades");  // ParquetRows reads all its columns
  const Batch batch = RandomRows(schema, 500, strings, random);
  ASSERT_TRUE(WriteRows(Path("x"), schema, strings, {batch}));
  const std::string bytes = ReadBytes(Path("x"));
  int flips = 0;
  int noticed = 0;
  for (const auto& [begin, end] : PageBodies(Path("x"), bytes)) {
    for (int round = 0; round < 20; ++round) {
      const size_t at = begin + random() % (end - begin);
      const auto bit = static_cast<unsigned>(random() % 8);
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ 1u << bit);
      WriteBytes(Path("damaged"), damaged);
      StringPool read_strings;
      const auto read = ReadAll(Path("damaged"), schema, read_strings);
      SCOPED_TRACE(fmt::format("byte {} bit {}", at, bit));
      ++flips;
      if (!read) {
        ++noticed;
        EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt);
      } else {
        // zstd has a few bits without meaning (unused header bits, padding): the values are what they were.
        ExpectStored(schema, *batch, strings, *read, read_strings);
      }
    }
  }
  EXPECT_GT(noticed, flips * 90 / 100);
}

TEST_F(ParquetDamage, DamageAnywhereIsAnErrorOrHarmless) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  StringPool strings;
  FillPool(strings, 50);
  const TableSchema& schema = *FindDatabentoSchema("trades");
  ASSERT_TRUE(WriteRows(Path("x"), schema, strings, {RandomRows(schema, 300, strings, random)}));
  const std::string bytes = ReadBytes(Path("x"));
  for (int round = 0; round < 300; ++round) {
    std::string damaged = bytes;
    for (uint64_t i = 0; i <= random() % 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    if (round % 3 == 0) damaged.resize(random() % damaged.size());
    WriteBytes(Path("damaged"), damaged);
    StringPool read_strings;
    const auto read = ReadAll(Path("damaged"), schema, read_strings);
    if (!read) {
      EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt) << read.error().ToString();
    }
  }
}

TEST_F(ParquetDamage, RowsOfAnotherSchemaAreCorrupt) {
  std::mt19937_64 random(1);
  StringPool strings;
  FillPool(strings, 10);
  const TableSchema& daily = *FindDatabentoSchema("ohlcv-1d");
  ASSERT_TRUE(WriteRows(Path("x"), daily, strings, {RandomRows(daily, 10, strings, random)}));
  const auto rows = ParquetRows::Open(Path("x"), *FindDatabentoSchema("ohlcv-1m"), &strings);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(ParquetRows::Open(Path("none"), daily, &strings).error().kind, ErrorKind::kNotFound);
}

TEST_F(ParquetDamage, AnAbandonedFileIsRemoved) {
  StringPool strings;
  const TableSchema& schema = *FindDatabentoSchema("trades");
  {
    const auto writer = ParquetWriter::Create(Path("x"), schema, {}, strings);
    ASSERT_TRUE(writer);
    EXPECT_TRUE(std::filesystem::exists(Path("x")));
  }
  EXPECT_FALSE(std::filesystem::exists(Path("x")));
}

TEST_F(ParquetDamage, AFullDiskIsAStorageError) {
  std::mt19937_64 random(1);
  StringPool strings;
  FillPool(strings, 10);
  const TableSchema& schema = *FindDatabentoSchema("mbp-10");
  const Batch batch = RandomRows(schema, 3000, strings, random);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{64 << 10, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto written = WriteRows(Path("x"), schema, strings, {batch});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, previous);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kStorage);
  EXPECT_FALSE(std::filesystem::exists(Path("x")));
  EXPECT_EQ(ParquetWriter::Create(Path("none") / "x", schema, {}, strings).error().kind, ErrorKind::kStorage);
}

}  // namespace
}  // namespace lode::codec
