#include <arrow/api.h>
#include <arrow/util/compression.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/column_writer.h>
#include <parquet/file_writer.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/properties.h>
#include <zstd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "lode/codec/hashing_file.h"
#include "lode/codec/parquet_chunk.h"
#include "lode/codec/parquet_file.h"
#include "lode/codec/parquet_schema.h"

namespace lode::codec {
namespace {

constexpr int kZstdLevel = 3;
constexpr int64_t kMaxGroupRows = 262'144;
constexpr int64_t kMinGroupRows = 65'536;
constexpr int64_t kMaxGroupBytes = int64_t{48} << 20;  // of travelling values

int64_t TravellingBytes(ColumnType type) {
  switch (type) {
    case ColumnType::kBool: return 1;
    case ColumnType::kInt32:
    case ColumnType::kDate:
    case ColumnType::kText: return 4;
    default: return 8;
  }
}

// Rows a row group, from the schema alone: whole pages, about kMaxGroupBytes of values.
int64_t GroupRows(const TableSchema& schema) {
  int64_t row_bytes = 0;
  for (const Column& column : schema.columns) row_bytes += TravellingBytes(column.type);
  const int64_t rows = kMaxGroupBytes / row_bytes / kMinGroupRows * kMinGroupRows;
  return std::clamp(rows, kMinGroupRows, kMaxGroupRows);
}

std::shared_ptr<arrow::util::ZstdCodecOptions> CodecOptions() {
  auto options = std::make_shared<arrow::util::ZstdCodecOptions>();
  options->compression_level = kZstdLevel;
  // Without it a flipped bit in a literal decompresses to a wrong value.
  // Tables that stay in the first caches, as PageCompressor's: only dictionary pages come this way.
  options->compression_context_params = {{ZSTD_c_checksumFlag, 1},
                                         {ZSTD_c_strategy, ZSTD_dfast},
                                         {ZSTD_c_hashLog, 14},
                                         {ZSTD_c_chainLog, 13},
                                         {ZSTD_c_minMatch, 4}};
  return options;
}

class ParquetWriterImpl final : public ParquetWriter {
 public:
  ParquetWriterImpl(const TableSchema& schema, FooterFacts facts, const StringPool& strings,
                    std::shared_ptr<HashingFile> file)
      : schema_(schema),
        facts_(std::move(facts)),
        physical_(PhysicalSchema(schema)),
        group_rows_(GroupRows(schema)),
        file_(std::move(file)),
        codec_(CodecOptions()),
        encoder_(strings),
        choices_(schema.columns.size()) {}

  // Throws what the Parquet library throws.
  void Start() {
    nodes_.Init(ParquetNodes(schema_));
    properties_ = parquet::WriterProperties::Builder()
                      .version(parquet::ParquetVersion::PARQUET_2_6)
                      ->compression(parquet::Compression::ZSTD)
                      ->codec_options(codec_)
                      ->enable_write_page_index()
                      ->build();
    metadata_ = parquet::FileMetaDataBuilder::Make(&nodes_, properties_);
    page_index_ = parquet::PageIndexBuilder::Make(&nodes_);
    PARQUET_THROW_NOT_OK(file_->Write("PAR1", 4));
  }

  Status Write(const arrow::RecordBatch& rows) override {
    if (closed_) return Fail(ErrorKind::kInternal, "row written to a closed Parquet file");
    if (!rows.schema()->Equals(*physical_, /*check_metadata=*/false)) {
      return Fail(ErrorKind::kInternal, "rows are not in the physical schema of {}", schema_.name);
    }
    for (int64_t row = 0; row < rows.num_rows();) {
      const int64_t count = std::min(group_rows_ - pending_rows_, rows.num_rows() - row);
      pending_.push_back(rows.Slice(row, count));
      pending_rows_ += count;
      row += count;
      if (pending_rows_ == group_rows_) LODE_TRY(WriteRowGroup());
    }
    return Ok();
  }

  int64_t pending_rows() const override { return pending_rows_; }

  Result<WrittenFile> Close() override {
    if (closed_) return Fail(ErrorKind::kInternal, "Parquet file closed twice");
    if (pending_rows_ > 0) LODE_TRY(WriteRowGroup());
    closed_ = true;
    LODE_TRY(Guard([&]() -> Status {
      WriteFooter();
      return Ok();
    }));
    WrittenFile written;
    LODE_TRY(written.sha256, file_->Finish());
    written.size = static_cast<uint64_t>(*file_->Tell());
    written.rows = rows_;
    return written;
  }

 private:
  // Library exceptions become errors; a failed write keeps what the operating system said.
  template <typename Body>
  Status Guard(Body&& body) {
    Status status = CatchParquet(ErrorKind::kInternal, std::forward<Body>(body));
    if (file_->failure()) return std::unexpected(*file_->failure());
    return status;
  }

  Status WriteRowGroup() {
    Status status = Guard([&]() -> Status {
      if (row_groups_ == INT16_MAX) {
        return Fail(ErrorKind::kUnsupported, "more than {} rows in one partition", rows_);
      }
      parquet::RowGroupMetaDataBuilder* group = metadata_->AppendRowGroup();
      page_index_->AppendRowGroup();
      int64_t bytes = 0;
      for (size_t i = 0; i < schema_.columns.size(); ++i) {
        const auto index = static_cast<int>(i);
        parquet::ColumnChunkMetaDataBuilder* chunk = group->NextColumnChunk();
        auto pages = parquet::PageWriter::Open(
            file_, parquet::Compression::ZSTD, chunk, row_groups_, static_cast<int16_t>(index),
            arrow::default_memory_pool(), /*buffered_row_group=*/false, nullptr, nullptr,
            /*page_write_checksum_enabled=*/false, page_index_->GetColumnIndexBuilder(index),
            page_index_->GetOffsetIndexBuilder(index), *codec_);
        LODE_TRY(const int64_t chunk_bytes,
                 encoder_.Write(schema_.columns[i], index, pending_, choices_[i], {pages.get(), chunk}));
        bytes += chunk_bytes;
      }
      group->set_num_rows(pending_rows_);
      group->Finish(bytes, row_groups_++);
      return Ok();
    });
    rows_ += std::exchange(pending_rows_, 0);
    pending_.clear();
    return status;
  }

  void WriteFooter() {
    page_index_->Finish();
    const auto locations = page_index_->WriteTo(file_.get());
    metadata_->SetIndexLocations(parquet::IndexKind::kColumnIndex, locations.column_index_locations);
    metadata_->SetIndexLocations(parquet::IndexKind::kOffsetIndex, locations.offset_index_locations);
    const auto facts = arrow::key_value_metadata(
        {kFooterDataset, kFooterSchema, kFooterSchemaVersion, kFooterPartition, kFooterRows},
        {facts_.dataset, schema_.name, std::to_string(schema_.version), facts_.partition, std::to_string(rows_)});
    parquet::WriteFileMetaData(*metadata_->Finish(facts), file_.get());
  }

  const TableSchema& schema_;
  const FooterFacts facts_;
  const std::shared_ptr<arrow::Schema> physical_;
  const int64_t group_rows_;
  const std::shared_ptr<HashingFile> file_;
  const std::shared_ptr<arrow::util::ZstdCodecOptions> codec_;
  parquet::SchemaDescriptor nodes_;
  std::shared_ptr<parquet::WriterProperties> properties_;
  std::unique_ptr<parquet::FileMetaDataBuilder> metadata_;
  std::unique_ptr<parquet::PageIndexBuilder> page_index_;
  ChunkEncoder encoder_;
  std::vector<std::optional<EncodingChoice>> choices_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> pending_;  // the row group in hand
  int64_t pending_rows_ = 0;
  int64_t rows_ = 0;
  int16_t row_groups_ = 0;
  bool closed_ = false;
};

}  // namespace

Result<std::unique_ptr<ParquetWriter>> ParquetWriter::Create(const std::filesystem::path& path,
                                                             const TableSchema& schema, const FooterFacts& facts,
                                                             const StringPool& strings) {
  LODE_TRY(auto file, HashingFile::Create(path));
  return CatchParquet(ErrorKind::kInternal, [&]() -> Result<std::unique_ptr<ParquetWriter>> {
    auto writer = std::make_unique<ParquetWriterImpl>(schema, facts, strings, std::move(file));
    writer->Start();
    return writer;
  });
}

}  // namespace lode::codec
