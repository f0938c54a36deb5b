#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "lode/codec/parquet_file.h"
#include "lode/codec/parquet_schema.h"

namespace lode::codec {
namespace {

constexpr int64_t kBatchRows = 65'536;  // a page of our files
// Per open column; pages are read through it.
constexpr int64_t kStreamBytes = int64_t{128} << 10;
// What decoding may take, whatever the headers claim.
constexpr int64_t kMaxReadBytes = int64_t{256} << 20;
// Our footers take a few KiB a row group; a footer that claims more is not ours.
constexpr int32_t kMaxThriftString = 1 << 20;
constexpr int32_t kMaxThriftContainer = 1 << 16;

using Buffer = std::shared_ptr<arrow::ResizableBuffer>;

Buffer Allocate(int64_t bytes) {
  PARQUET_ASSIGN_OR_THROW(std::unique_ptr<arrow::ResizableBuffer> buffer, arrow::AllocateResizableBuffer(bytes));
  return Buffer(std::move(buffer));
}

// Reads one column of the row group in hand.
class ColumnStream {
 public:
  ColumnStream(const Column& column, StringPool* strings) : column_(column), strings_(strings) {}

  void Begin(parquet::RowGroupReader& group, int index) {
    text_ids_.clear();
    reader_ = column_.type == ColumnType::kText
                  ? group.ColumnWithExposeEncoding(index, parquet::ExposedEncoding::DICTIONARY)
                  : group.Column(index);
  }
  bool HasNext() const { return reader_->HasNext(); }

  // Exactly `rows` rows as an array of the travelling type; throws or fails when the column ends before.
  Result<std::shared_ptr<arrow::Array>> Read(int64_t rows, const std::shared_ptr<arrow::DataType>& type) {
    levels_.resize(static_cast<size_t>(column_.nullable ? rows : 0));
    switch (column_.type) {
      case ColumnType::kText: return ReadText(rows, type);
      case ColumnType::kBool: return ReadBools(rows, type);
      case ColumnType::kInt32:
      case ColumnType::kDate: return ReadNumbers<parquet::Int32Type>(rows, type);
      case ColumnType::kFloat64: return ReadNumbers<parquet::DoubleType>(rows, type);
      default: return ReadNumbers<parquet::Int64Type>(rows, type);
    }
  }

 private:
  // Calls read(levels so far, values so far) until all rows are there.
  template <typename ReadSome>
  Result<int64_t> ReadAll(int64_t rows, ReadSome&& read) {
    int64_t done = 0;
    int64_t values = 0;
    while (done < rows) {
      int64_t values_read = 0;
      const int64_t levels_read = read(done, values, values_read);
      if (levels_read <= 0) return Fail(ErrorKind::kCorrupt, "column {} ends before its rows do", column_.name);
      done += levels_read;
      values += values_read;
    }
    return values;
  }
  int16_t* levels(int64_t from) { return column_.nullable ? levels_.data() + from : nullptr; }

  template <typename Type>
  Result<std::shared_ptr<arrow::Array>> ReadNumbers(int64_t rows, const std::shared_ptr<arrow::DataType>& type) {
    using T = typename Type::c_type;
    auto& reader = dynamic_cast<parquet::TypedColumnReader<Type>&>(*reader_);
    Buffer buffer = Allocate(rows * static_cast<int64_t>(sizeof(T)));
    auto* out = reinterpret_cast<T*>(buffer->mutable_data());
    LODE_TRY(const int64_t values, ReadAll(rows, [&](int64_t row, int64_t value, int64_t& values_read) {
               return reader.ReadBatch(rows - row, levels(row), nullptr, out + value, &values_read);
             }));
    return Finish(std::move(buffer), out, rows, values, type);
  }

  Result<std::shared_ptr<arrow::Array>> ReadBools(int64_t rows, const std::shared_ptr<arrow::DataType>& type) {
    auto& reader = dynamic_cast<parquet::BoolReader&>(*reader_);
    const auto bools = std::make_unique<bool[]>(static_cast<size_t>(rows));
    LODE_TRY(const int64_t values, ReadAll(rows, [&](int64_t row, int64_t value, int64_t& values_read) {
               return reader.ReadBatch(rows - row, levels(row), nullptr, bools.get() + value, &values_read);
             }));
    LODE_TRY(const Buffer validity, Spread(bools.get(), rows, values));
    const Buffer bits = Allocate((rows + 7) / 8);
    std::fill_n(bits->mutable_data(), bits->size(), uint8_t{0});
    for (int64_t i = 0; i < rows; ++i) {
      if (bools[static_cast<size_t>(i)]) bits->mutable_data()[i / 8] |= static_cast<uint8_t>(1u << (i % 8));
    }
    return arrow::MakeArray(arrow::ArrayData::Make(type, rows, {validity, bits}, rows - values));
  }

  Result<std::shared_ptr<arrow::Array>> ReadText(int64_t rows, const std::shared_ptr<arrow::DataType>& type) {
    auto& reader = dynamic_cast<parquet::ByteArrayReader&>(*reader_);
    Buffer buffer = Allocate(rows * static_cast<int64_t>(sizeof(int32_t)));
    auto* out = reinterpret_cast<int32_t*>(buffer->mutable_data());
    std::optional<Error> failure;
    const bool dictionary = reader.GetExposedEncoding() == parquet::ExposedEncoding::DICTIONARY;
    if (!dictionary) texts_.resize(static_cast<size_t>(rows));
    const auto read_some = [&](int64_t row, int64_t value, int64_t& values_read) -> int64_t {
      int64_t levels_read = 0;
      Status interned;
      if (dictionary) {
        const parquet::ByteArray* entries = nullptr;
        int32_t count = 0;
        levels_read = reader.ReadBatchWithDictionary(rows - row, levels(row), nullptr, out + value, &values_read,
                                                     &entries, &count);
        interned = FromDictionary({out + value, static_cast<size_t>(values_read)}, entries, count);
      } else {
        levels_read = reader.ReadBatch(rows - row, levels(row), nullptr, texts_.data(), &values_read);
        interned = Intern({texts_.data(), static_cast<size_t>(values_read)}, out + value);
      }
      if (interned) return levels_read;
      failure = std::move(interned).error();
      return 0;
    };
    auto values = ReadAll(rows, read_some);
    if (failure) return std::unexpected(*std::move(failure));
    if (!values) return std::unexpected(std::move(values).error());
    return Finish(std::move(buffer), out, rows, *values, type);
  }

  // Dictionary indices to pool ids, in place.
  Status FromDictionary(std::span<int32_t> indices, const parquet::ByteArray* entries, int32_t count) {
    if (text_ids_.empty() && entries != nullptr) {
      text_ids_.resize(static_cast<size_t>(count));
      LODE_TRY(Intern({entries, text_ids_.size()}, text_ids_.data()));
    }
    for (int32_t& index : indices) {
      if (index < 0 || static_cast<size_t>(index) >= text_ids_.size()) {
        return Fail(ErrorKind::kCorrupt, "column {} has an index outside its dictionary", column_.name);
      }
      index = text_ids_[static_cast<size_t>(index)];
    }
    return Ok();
  }

  Status Intern(std::span<const parquet::ByteArray> texts, int32_t* ids) {
    for (const parquet::ByteArray& text : texts) {
      const std::string_view view(reinterpret_cast<const char*>(text.ptr), text.len);
      LODE_TRY(*ids++, column_.distinct ? strings_->Append(view) : strings_->Intern(view));
    }
    return Ok();
  }

  template <typename T>
  Result<std::shared_ptr<arrow::Array>> Finish(Buffer buffer, T* values_at, int64_t rows, int64_t values,
                                               const std::shared_ptr<arrow::DataType>& type) {
    LODE_TRY(const Buffer validity, Spread(values_at, rows, values));
    return arrow::MakeArray(arrow::ArrayData::Make(type, rows, {validity, std::move(buffer)}, rows - values));
  }

  // Moves the values to their rows, as the levels say; returns the validity bits, nullptr without nulls.
  template <typename T>
  Result<Buffer> Spread(T* data, int64_t rows, int64_t values) {
    if (values == rows) return Buffer();
    if (values > rows || std::count(levels_.begin(), levels_.end(), 1) != values) {
      return Fail(ErrorKind::kCorrupt, "column {} has more or fewer values than its levels say", column_.name);
    }
    Buffer validity = Allocate((rows + 7) / 8);
    std::fill_n(validity->mutable_data(), validity->size(), uint8_t{0});
    int64_t value = values;
    for (int64_t i = rows; i-- > 0;) {
      if (levels_[static_cast<size_t>(i)] == 1) {
        data[i] = data[--value];
        validity->mutable_data()[i / 8] |= static_cast<uint8_t>(1u << (i % 8));
      } else {
        data[i] = T{};
      }
    }
    return validity;
  }

  const Column& column_;
  StringPool* const strings_;
  std::shared_ptr<parquet::ColumnReader> reader_;
  std::vector<int16_t> levels_;
  std::vector<int32_t> text_ids_;  // dictionary index -> pool id, of the row group in hand
  std::vector<parquet::ByteArray> texts_;
};

class ParquetRowsImpl final : public ParquetRows {
 public:
  ParquetRowsImpl(const TableSchema& schema, StringPool* strings, std::filesystem::path path)
      : schema_(schema),
        strings_(strings),
        path_(std::move(path)),
        stored_(StoredSchema(schema)),
        pool_(arrow::MemoryPool::CreateDefault()),
        capped_(pool_.get(), kMaxReadBytes) {}

  Status Start(std::shared_ptr<arrow::io::RandomAccessFile> file) {
    return Guard([&]() -> Status {
      parquet::ReaderProperties properties(&capped_);
      properties.enable_buffered_stream();
      properties.set_buffer_size(kStreamBytes);
      properties.set_thrift_string_size_limit(kMaxThriftString);
      properties.set_thrift_container_size_limit(kMaxThriftContainer);
      reader_ = parquet::ParquetFileReader::Open(std::move(file), properties);
      LODE_TRY(CheckFooter());
      for (const auto& field : stored_->fields()) {
        const int index = schema_.Find(field->name());
        indices_.push_back(index);
        if (index >= 0) {
          streams_.push_back(std::make_unique<ColumnStream>(schema_.columns[static_cast<size_t>(index)], strings_));
        } else {
          streams_.push_back(nullptr);
        }
      }
      return Ok();
    });
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    std::shared_ptr<arrow::RecordBatch> batch;
    const Status read = Guard([&]() -> Status {
      if (rows_left_ == 0) LODE_TRY(NextRowGroup());
      if (rows_left_ == 0) return Ok();
      const int64_t rows = std::min(rows_left_, kBatchRows);
      std::vector<std::shared_ptr<arrow::Array>> columns;
      for (size_t i = 0; i < streams_.size(); ++i) {
        const auto& type = stored_->field(static_cast<int>(i))->type();
        if (streams_[i]) {
          LODE_TRY(auto column, streams_[i]->Read(rows, type));
          columns.push_back(std::move(column));
        } else {
          columns.push_back(Absent(*type, rows));
        }
      }
      rows_left_ -= rows;
      batch = arrow::RecordBatch::Make(stored_, rows, std::move(columns));
      return Ok();
    });
    if (!read) return std::unexpected(read.error());
    return batch;
  }

  int64_t total_rows() const override { return reader_->metadata()->num_rows(); }

 private:
  template <typename Body>
  Status Guard(Body&& body) {
    Status status = CatchParquet(ErrorKind::kCorrupt, std::forward<Body>(body));
    if (!status) return std::unexpected(std::move(status).error().With(path_.string()));
    return status;
  }

  // The file must carry exactly the schema's columns, and the row counts must agree.
  Status CheckFooter() const {
    const parquet::FileMetaData& metadata = *reader_->metadata();
    const auto expected = ParquetNodes(schema_);
    const parquet::schema::GroupNode& found = *metadata.schema()->group_node();
    if (found.field_count() != expected->field_count()) {
      return Fail(ErrorKind::kCorrupt, "has {} columns, {} version {} has {}", found.field_count(), schema_.name,
                  schema_.version, expected->field_count());
    }
    for (int i = 0; i < expected->field_count(); ++i) {
      if (!expected->field(i)->Equals(found.field(i).get())) {
        return Fail(ErrorKind::kCorrupt, "column {} is not {} as {} version {} has it", i + 1,
                    expected->field(i)->name(), schema_.name, schema_.version);
      }
    }
    int64_t rows = 0;
    for (int i = 0; i < metadata.num_row_groups(); ++i) {
      const int64_t group_rows = metadata.RowGroup(i)->num_rows();
      if (group_rows < 0 || group_rows > metadata.num_rows() - rows) {
        return Fail(ErrorKind::kCorrupt, "row groups hold other than {} rows", metadata.num_rows());
      }
      rows += group_rows;
    }
    const auto facts = metadata.key_value_metadata();
    const auto stated = facts ? facts->Get(kFooterRows) : arrow::Result<std::string>("");
    if (rows != metadata.num_rows() || !stated.ok() || *stated != std::to_string(rows)) {
      return Fail(ErrorKind::kCorrupt, "the footer's row counts disagree");
    }
    return Ok();
  }

  Status NextRowGroup() {
    for (size_t i = 0; i < streams_.size() && group_ != nullptr; ++i) {
      if (streams_[i] && streams_[i]->HasNext()) {
        return Fail(ErrorKind::kCorrupt, "column {} has more values than rows",
                    stored_->field(static_cast<int>(i))->name());
      }
    }
    while (rows_left_ == 0 && next_group_ < reader_->metadata()->num_row_groups()) {
      group_ = reader_->RowGroup(next_group_++);
      rows_left_ = group_->metadata()->num_rows();
      for (size_t i = 0; i < streams_.size(); ++i) {
        if (streams_[i]) streams_[i]->Begin(*group_, indices_[i]);
      }
    }
    return Ok();
  }

  // Columns a merged file does not keep: the row's number is -1, its raw file null.
  static std::shared_ptr<arrow::Array> Absent(const arrow::DataType& type, int64_t rows) {
    if (type.id() == arrow::Type::INT64) {
      PARQUET_ASSIGN_OR_THROW(auto array, arrow::MakeArrayFromScalar(arrow::Int64Scalar(-1), rows));
      return array;
    }
    PARQUET_ASSIGN_OR_THROW(auto array, arrow::MakeArrayOfNull(arrow::int32(), rows));
    return array;
  }

  const TableSchema& schema_;
  StringPool* const strings_;
  const std::filesystem::path path_;
  const std::shared_ptr<arrow::Schema> stored_;
  const std::unique_ptr<arrow::MemoryPool> pool_;
  arrow::CappedMemoryPool capped_;
  std::unique_ptr<parquet::ParquetFileReader> reader_;
  std::shared_ptr<parquet::RowGroupReader> group_;
  std::vector<int> indices_;                            // field of stored_ -> column of the file, -1
  std::vector<std::unique_ptr<ColumnStream>> streams_;  // nullptr where the file has no such column
  int next_group_ = 0;
  int64_t rows_left_ = 0;  // of the row group in hand
};

}  // namespace

Result<std::unique_ptr<ParquetRows>> ParquetRows::Open(const std::filesystem::path& path, const TableSchema& schema,
                                                       StringPool* strings) {
  auto file = arrow::io::ReadableFile::Open(path.string());
  if (!file.ok()) {
    std::error_code error;
    const bool exists = std::filesystem::exists(path, error);
    return Fail(exists ? ErrorKind::kStorage : ErrorKind::kNotFound, "cannot open {}: {}", path.string(),
                file.status().message());
  }
  auto rows = std::make_unique<ParquetRowsImpl>(schema, strings, path);
  LODE_TRY(rows->Start(*std::move(file)));
  return rows;
}

}  // namespace lode::codec
