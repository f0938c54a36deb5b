#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "lode/base/log.h"
#include "lode/codec/foreign_column.h"
#include "lode/codec/parquet_file.h"
#include "lode/codec/parquet_schema.h"
#include "lode/codec/text_values.h"

namespace lode::codec {
namespace {

// A file may claim any size; what reading it may take is bounded here.
constexpr int64_t kMaxFooterBytes = int64_t{16} << 20;
constexpr int64_t kMaxReadBytes = int64_t{256} << 20;
constexpr int32_t kMaxThriftString = 16 << 20;
constexpr int32_t kMaxThriftContainer = 1 << 18;
constexpr int64_t kStreamBytes = int64_t{64} << 10;
constexpr size_t kMaxRenderedBytes = 4096;

// Magic and footer length, before the Parquet library allocates anything.
Status CheckEnds(arrow::io::RandomAccessFile& file) {
  const auto size = file.GetSize();
  std::array<uint8_t, 8> tail{};
  if (!size.ok() || *size < 12) return Fail(ErrorKind::kBadInput, "too short for a Parquet file");
  const auto read = file.ReadAt(*size - 8, 8, tail.data());
  if (!read.ok()) return Fail(ErrorKind::kStorage, "{}", read.status().message());
  if (std::memcmp(tail.data() + 4, "PARE", 4) == 0) return Fail(ErrorKind::kUnsupported, "encrypted Parquet");
  if (*read != 8 || std::memcmp(tail.data() + 4, "PAR1", 4) != 0) {
    return Fail(ErrorKind::kBadInput, "not a Parquet file, or cut short: no PAR1 at its end");
  }
  uint32_t footer = 0;
  std::memcpy(&footer, tail.data(), sizeof(footer));
  if (footer > *size - 12) return Fail(ErrorKind::kBadInput, "the footer claims {} bytes of {}", footer, *size);
  if (footer > kMaxFooterBytes) return Fail(ErrorKind::kUnsupported, "a Parquet footer of {} MiB", footer >> 20);
  return Ok();
}

std::string Join(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

class ForeignParquet final : public Decoder {
 public:
  ForeignParquet(const TableSchema& schema, DecodeContext context)
      : schema_(schema),
        context_(context),
        decoded_(DecodedSchema(schema)),
        pool_(arrow::MemoryPool::CreateDefault()),
        capped_(pool_.get(), kMaxReadBytes) {
    facts_.schema = schema.name;
  }

  Status Open(std::shared_ptr<arrow::io::RandomAccessFile> file, const ColumnMapping& mapping) {
    return CatchParquet(ErrorKind::kBadInput, [&]() -> Status {
      parquet::ReaderProperties properties(&capped_);
      properties.enable_buffered_stream();
      properties.set_buffer_size(kStreamBytes);
      properties.set_thrift_string_size_limit(kMaxThriftString);
      properties.set_thrift_container_size_limit(kMaxThriftContainer);
      auto parquet = parquet::ParquetFileReader::Open(std::move(file), properties);
      const parquet::SchemaDescriptor& columns = *parquet->metadata()->schema();
      LODE_TRY(ChooseSources(columns, mapping));

      parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
      arrow_properties.set_pre_buffer(false);
      arrow_properties.set_batch_size(context_.batch_rows);
      const bool coarse =
          schema_.columns[static_cast<size_t>(schema_.Find(schema_.day_column))].type == ColumnType::kTimestampUs;
      arrow_properties.set_coerce_int96_timestamp_unit(coarse ? arrow::TimeUnit::MICRO : arrow::TimeUnit::NANO);
      for (const int leaf : leaves_) {
        const bool text = columns.Column(leaf)->physical_type() == parquet::Type::BYTE_ARRAY &&
                          !columns.Column(leaf)->logical_type()->is_decimal();
        if (text) arrow_properties.set_read_dictionary(leaf, true);
      }
      PARQUET_ASSIGN_OR_THROW(reader_,
                              parquet::arrow::FileReader::Make(&capped_, std::move(parquet), arrow_properties));
      return MakeColumns();
    });
  }

  Result<std::optional<DecodedBatch>> Next() override {
    std::optional<DecodedBatch> decoded;
    const Status read = CatchParquet(ErrorKind::kBadInput, [&]() -> Status {
      while (!decoded && !facts_.ended) {
        LODE_TRY(const auto batch, NextSourceBatch());
        if (batch == nullptr) {
          facts_.ended = true;
        } else if (batch->num_rows() > 0) {
          LODE_TRY(decoded, Convert(*batch));
        }
      }
      return Ok();
    });
    if (!read) return std::unexpected(read.error());
    return decoded;
  }

  const StreamFacts& facts() const override { return facts_; }

 private:
  // Where a target column comes from.
  struct Origin {
    const Column* target;
    std::string source;  // "" : null in every row; "=…": a literal; else a column of the file
  };

  // Decides every target's origin and which leaves are read; refuses what is missing, doubled or nested.
  Status ChooseSources(const parquet::SchemaDescriptor& columns, const ColumnMapping& mapping) {
    const parquet::schema::GroupNode& root = *columns.group_node();
    std::vector<std::string> names;
    for (int i = 0; i < root.field_count(); ++i) names.push_back(Excerpt(root.field(i)->name()));
    for (const auto& [target, source] : mapping.columns) {
      const int index = schema_.Find(target);
      if (index < 0 || !IsDecoded(schema_.columns[static_cast<size_t>(index)])) {
        return Fail(ErrorKind::kConfig, "column mapping: {} has no vendor column {}", schema_.name, target);
      }
      if (!source.starts_with('=') && root.FieldIndex(source) < 0) {
        return Fail(ErrorKind::kBadInput, "no column {}, which the mapping names for {}; the file has: {}", source,
                    target, Join(names));
      }
    }
    const auto source_of = [&](const std::string& target) -> std::string {
      const auto mapped = mapping.columns.find(target);
      if (mapped != mapping.columns.end()) return mapped->second;
      return root.FieldIndex(target) >= 0 ? target : "";
    };
    std::vector<std::string> missing;
    for (const Column& column : schema_.columns) {
      if (!IsDecoded(column)) continue;
      std::string source = source_of(column.name);
      const bool is_id = column.name == "publisher_id" || column.name == "instrument_id";
      if (source.empty() && is_id && !source_of("symbol").empty()) source = "=0";
      if (source.empty() && !MayBeAbsent(column)) missing.push_back(column.name);
      origins_.push_back({&column, std::move(source)});
    }
    if (!missing.empty()) {
      return Fail(
          ErrorKind::kBadInput,
          "no column for {} of {}: name it in the mapping (target = \"source\" or target = {{ value = … }}); the "
          "file has: {}",
          Join(missing), schema_.name, Join(names));
    }
    return ChooseLeaves(columns, names);
  }

  Status ChooseLeaves(const parquet::SchemaDescriptor& columns, const std::vector<std::string>& names) {
    const parquet::schema::GroupNode& root = *columns.group_node();
    std::set<std::string> used;
    for (const Origin& origin : origins_) {
      if (!origin.source.empty() && !origin.source.starts_with('=')) used.insert(origin.source);
    }
    std::vector<std::string> ignored;
    std::set<std::string> seen;
    for (int i = 0; i < root.field_count(); ++i) {
      const parquet::schema::Node& field = *root.field(i);
      if (!used.contains(field.name())) {
        if (schema_.Find(field.name()) < 0) ignored.push_back(names[static_cast<size_t>(i)]);
        continue;
      }
      if (!seen.insert(field.name()).second) return Fail(ErrorKind::kBadInput, "two columns {}", field.name());
      if (!field.is_primitive() || field.is_repeated()) {
        return Fail(ErrorKind::kUnsupported, "column {} is nested; only flat columns can be mapped", field.name());
      }
      leaves_.push_back(columns.ColumnIndex(field));
    }
    if (!ignored.empty()) log::Info("Parquet columns without a place in {}: {}", schema_.name, Join(ignored));
    if (leaves_.empty()) return Fail(ErrorKind::kBadInput, "no column of the file is mapped");
    return Ok();
  }

  static bool IsDecoded(const Column& column) {
    return column.origin == ColumnOrigin::kVendor || column.origin == ColumnOrigin::kExtra;
  }
  // Columns that vendor files lack as well.
  static bool MayBeAbsent(const Column& column) {
    return column.name == "symbol" || column.name == "ts_out" || column.origin == ColumnOrigin::kExtra;
  }

  Status MakeColumns() {
    std::shared_ptr<arrow::Schema> found;
    PARQUET_THROW_NOT_OK(reader_->GetSchema(&found));
    for (const Origin& origin : origins_) {
      if (origin.source.empty()) {
        columns_.push_back(ForeignColumn::Null(*origin.target));
      } else if (origin.source.starts_with('=')) {
        LODE_TRY(auto column, ForeignColumn::FromLiteral(*origin.target, origin.source.substr(1), context_.strings));
        columns_.push_back(std::move(column));
      } else {
        const auto field = found->GetFieldByName(origin.source);
        if (field == nullptr) return Fail(ErrorKind::kBadInput, "column {} has no readable type", origin.source);
        LODE_TRY(auto column,
                 ForeignColumn::FromSource(*origin.target, origin.source, *field->type(), context_.strings));
        columns_.push_back(std::move(column));
      }
    }
    return Ok();
  }

  // One row group after the other: its pages are released before the next one is opened.
  Result<std::shared_ptr<arrow::RecordBatch>> NextSourceBatch() {
    while (true) {
      if (batches_ == nullptr) {
        if (row_group_ == reader_->num_row_groups()) return nullptr;
        PARQUET_ASSIGN_OR_THROW(batches_, reader_->GetRecordBatchReader({row_group_++}, leaves_));
      }
      std::shared_ptr<arrow::RecordBatch> batch;
      PARQUET_THROW_NOT_OK(batches_->ReadNext(&batch));
      if (batch != nullptr) return batch;
      batches_ = nullptr;
    }
  }

  Result<std::optional<DecodedBatch>> Convert(const arrow::RecordBatch& batch) {
    const int64_t rows = batch.num_rows();
    faults_.Reset(rows);
    slots_.resize(columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string& source = columns_[i].source();
      const auto values = source.empty() ? nullptr : batch.GetColumnByName(source);
      if (!source.empty() && values == nullptr) return Fail(ErrorKind::kBadInput, "column {} cannot be read", source);
      LODE_TRY(columns_[i].Convert(values.get(), rows, faults_, slots_[i]));
    }
    for (int64_t row = 0; row < rows && !faults_.empty(); ++row) {
      if (!faults_.IsBad(row)) continue;
      context_.bad_records->Add({.source_row = facts_.records + row,
                                 .offset = 0,  // a row of Parquet has no place of its own
                                 .reason = faults_.reason(row),
                                 .raw = Render(batch, row)});
    }
    const int64_t first_row = std::exchange(facts_.records, facts_.records + rows);
    if (faults_.count() == rows) return std::nullopt;
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (size_t i = 0; i < columns_.size(); ++i) {
      LODE_TRY(auto array, Build(slots_[i], *decoded_->field(static_cast<int>(i))));
      arrays.push_back(std::move(array));
    }
    for (int64_t row = 0; row < rows; ++row) slots_[0].Set(row, first_row + row);
    LODE_TRY(auto numbers, Build(slots_[0], *decoded_->fields().back()));
    arrays.push_back(std::move(numbers));
    return DecodedBatch{&schema_, arrow::RecordBatch::Make(decoded_, rows - faults_.count(), std::move(arrays))};
  }

  // A row as text, for quarantine.
  static std::string Render(const arrow::RecordBatch& batch, int64_t row) {
    std::string text;
    for (int i = 0; i < batch.num_columns() && text.size() < kMaxRenderedBytes; ++i) {
      text +=
          fmt::format("{}{}={}", i == 0 ? "" : ", ", Excerpt(batch.column_name(i)), RenderValue(*batch.column(i), row));
    }
    return text.substr(0, kMaxRenderedBytes);
  }

  // The good rows of a column as an array of its travelling type.
  Result<std::shared_ptr<arrow::Array>> Build(const ColumnSlots& slots, const arrow::Field& field) const {
    const auto rows = static_cast<int64_t>(slots.values.size());
    const int64_t good = rows - faults_.count();
    const int64_t width = field.type()->byte_width();
    PARQUET_ASSIGN_OR_THROW(std::shared_ptr<arrow::Buffer> values, arrow::AllocateBuffer(good * width));
    PARQUET_ASSIGN_OR_THROW(std::shared_ptr<arrow::Buffer> validity, arrow::AllocateEmptyBitmap(good));
    int64_t out = 0;
    int64_t nulls = 0;
    for (int64_t row = 0; row < rows; ++row) {
      if (faults_.IsBad(row)) continue;
      // Little-endian: the low bytes of an int64 are the int32.
      std::memcpy(values->mutable_data() + out * width, &slots.values[static_cast<size_t>(row)],
                  static_cast<size_t>(width));
      if (slots.valid[static_cast<size_t>(row)] != 0) {
        validity->mutable_data()[out / 8] |= static_cast<uint8_t>(1u << (out % 8));
      } else {
        ++nulls;
      }
      ++out;
    }
    if (nulls == 0) validity = nullptr;
    return arrow::MakeArray(arrow::ArrayData::Make(field.type(), good, {validity, values}, nulls));
  }

  const TableSchema& schema_;
  const DecodeContext context_;
  const std::shared_ptr<arrow::Schema> decoded_;
  const std::unique_ptr<arrow::MemoryPool> pool_;
  arrow::CappedMemoryPool capped_;
  StreamFacts facts_;
  std::vector<Origin> origins_;
  std::vector<int> leaves_;
  std::vector<ForeignColumn> columns_;
  std::vector<ColumnSlots> slots_;
  RowFaults faults_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  int row_group_ = 0;
};

}  // namespace

Result<std::unique_ptr<Decoder>> OpenForeignParquet(const std::filesystem::path& path, const TableSchema& schema,
                                                    const ColumnMapping& mapping, DecodeContext context) {
  auto file = arrow::io::ReadableFile::Open(path.string());
  if (!file.ok()) return Fail(ErrorKind::kStorage, "cannot open {}: {}", path.string(), file.status().message());
  LODE_TRY(CheckEnds(**file));
  auto decoder = std::make_unique<ForeignParquet>(schema, context);
  LODE_TRY(decoder->Open(*std::move(file), mapping));
  return decoder;
}

}  // namespace lode::codec
