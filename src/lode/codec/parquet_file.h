// Bronze Parquet files: written deterministically, read back for merging, imported with a column mapping.
//
// The bytes of a file depend only on schema, footer facts and the values in row order: not on batch boundaries,
// string pool ids, threads, clock or host.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "lode/base/result.h"
#include "lode/codec/decoder.h"
#include "lode/codec/schema.h"
#include "lode/codec/string_pool.h"

namespace lode::codec {

struct FooterFacts {
  std::string dataset;
  std::string partition;  // path relative to bronze/<dataset>/
};

struct WrittenFile {
  uint64_t size = 0;
  std::string sha256;
  int64_t rows = 0;
};

// zstd with content checksum and settings by what a page holds (codec/page_compressor.h), page index, statistics, field
// ids, decimals as INT64, no Arrow schema blob. Encodings, chosen a column and row group: whole numbers and times
// dictionary or DELTA_BINARY_PACKED, and doubles PLAIN or BYTE_STREAM_SPLIT, by the measured size of a sample; doubles
// take a dictionary where all their values in one make it a fifth smaller; text dictionary, and PLAIN once that grows
// too large; nearly distinct text (trade ids) DELTA_BYTE_ARRAY. Pages of random bits are stored. One thread. Keeps the
// batches of the row group in hand (at most 262,144 rows and about 48 MiB of values, never less than 65,536 rows) and
// little else; 728,623 NQ bars in 17 files cost 0.12 CPU-s. A file that is not closed is removed.
class ParquetWriter {
 public:
  static Result<std::unique_ptr<ParquetWriter>> Create(const std::filesystem::path& path, const TableSchema& schema,
                                                       const FooterFacts& facts, const StringPool& strings);
  virtual ~ParquetWriter() = default;
  // Appends rows in PhysicalSchema(schema).
  virtual Status Write(const arrow::RecordBatch& rows) = 0;
  // The newest rows, whose batches and texts it still needs.
  virtual int64_t pending_rows() const = 0;
  // Writes the footer, fsyncs, returns size, hash (computed while writing) and rows.
  virtual Result<WrittenFile> Close() = 0;
};

// Streams a bronze file of ours back in StoredSchema(schema) (codec/schema.h), text interned into `strings`, in file
// order; where the table keeps no raw file (bars), source_row is -1 and source_file null. kCorrupt when the file does
// not carry the schema's columns, its row counts disagree or a page fails its checksum.
class ParquetRows {
 public:
  static Result<std::unique_ptr<ParquetRows>> Open(const std::filesystem::path& path, const TableSchema& schema,
                                                   StringPool* strings);
  virtual ~ParquetRows() = default;
  // Next batch, null at the end.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
  virtual int64_t total_rows() const = 0;
};

// How the columns of somebody's Parquet map onto a declared schema: target column -> source column name, or a constant
// ("=1" means the literal 1, "=" null). Columns not named map by equal name.
struct ColumnMapping {
  std::string schema;  // target schema when the dataset does not declare one; may be empty
  std::map<std::string, std::string> columns;
};
// Parses the text of a mapping file (TOML: `schema = "ohlcv-1d"`, `[columns]` target = "source" or target = { value = 1
// }; empty text: an empty mapping). kConfig names the bad line.
Result<ColumnMapping> ParseColumnMapping(std::string_view toml);

// Decodes foreign Parquet into DecodedSchema(schema): doubles and decimals become prices (kBadInput records where a
// double has no exact 9-digit decimal within 1e-9), timestamps of any unit and zone become UTC, dates become midnight.
// Missing publisher_id and instrument_id are 0 where `symbol` is mapped, symbol, ts_out and _extra may be absent; any
// other missing vendor column is an error, and so are whole-number prices (units or 1e-9?) and nested columns. Streams
// row group by row group; what decoding may allocate is capped whatever the file claims.
Result<std::unique_ptr<Decoder>> OpenForeignParquet(const std::filesystem::path& path, const TableSchema& schema,
                                                    const ColumnMapping& mapping, DecodeContext context);

}  // namespace lode::codec
