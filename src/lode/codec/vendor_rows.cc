#include "lode/codec/vendor_rows.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "lode/codec/batch_memory.h"
#include "lode/codec/digits.h"
#include "lode/codec/option_ticker.h"
#include "lode/codec/text_values.h"

namespace lode::codec {
namespace {

// A batch is a queue's unit of memory, so wide tables get fewer rows.
constexpr int64_t kBatchBytes = int64_t{8} << 20;
// Of the first batch: a file of a few rows costs little memory.
constexpr int64_t kFirstRows = 4096;
constexpr size_t kMaxRawBytes = 4096;

// Most texts are short: compared without a call.
[[gnu::always_inline]] inline bool AreEqual(std::string_view a, std::string_view b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
  if (size < 8 || size > 16) return a == b;
  uint64_t of_a[2], of_b[2];
  std::memcpy(&of_a[0], a.data(), 8);
  std::memcpy(&of_b[0], b.data(), 8);
  std::memcpy(&of_a[1], a.data() + size - 8, 8);
  std::memcpy(&of_b[1], b.data() + size - 8, 8);
  return ((of_a[0] ^ of_b[0]) | (of_a[1] ^ of_b[1])) == 0;
}

// One to seven characters and their number, which tell the text; eight bytes from its last one on are readable.
[[gnu::always_inline]] inline uint64_t WordOf(std::string_view text) {
  uint64_t word;
  std::memcpy(&word, text.data(), sizeof word);
  return (word << (64 - 8 * text.size())) | text.size();
}

}  // namespace

VendorRows::Kind VendorRows::KindOf(const TableSchema& schema, const Column& column) {
  switch (column.type) {
    case ColumnType::kBool: return Kind::kBool;
    case ColumnType::kInt32: return Kind::kInt32;
    case ColumnType::kInt64: return Kind::kInt64;
    case ColumnType::kTimestampUs: return schema.source == "polygon" ? Kind::kEpochNsInUs : Kind::kEpochUs;
    case ColumnType::kTimestampNs: return Kind::kEpochNs;
    case ColumnType::kText: return column.distinct ? Kind::kDistinctText : Kind::kText;
    default: return Kind::kDouble;
  }
}

VendorRows::VendorRows(const TableSchema& schema, const DecodeContext& context)
    : schema_(schema),
      context_(context),
      batch_schema_(DecodedSchema(schema)),
      ticker_column_(batch_schema_->GetFieldIndex("ticker")),
      session_column_(batch_schema_->GetFieldIndex("session_date")),
      underlying_column_(batch_schema_->GetFieldIndex("underlying")),
      extra_column_(batch_schema_->GetFieldIndex("_extra")),
      source_row_column_(batch_schema_->GetFieldIndex("source_row")),
      texts_(*context.strings),
      extra_(schema) {}

Status VendorRows::Bind(std::span<const std::string> file_columns) {
  for (const std::string& name : file_columns) {
    Field& field = fields_.emplace_back(Field{.kind = Kind::kUnknown, .column = -1, .name = name});
    for (const Column& column : schema_.columns) {
      if (!IsVendorColumn(column) || column.vendor_name() != name) continue;
      field.kind = KindOf(schema_, column);
      field.column = batch_schema_->GetFieldIndex(column.name);
    }
    if (field.kind == Kind::kUnknown) extra_.NoteDrift(name);
  }
  const bool any_unknown = std::ranges::any_of(fields_, [](const Field& f) { return f.kind == Kind::kUnknown; });
  for (int i = 0; i < batch_schema_->num_fields(); ++i) {
    const arrow::Field& field = *batch_schema_->field(i);
    columns_.emplace_back(field.type(), field.nullable(), i == extra_column_ && !any_unknown);
  }
  const int64_t row_bytes = RowBytes(columns_);
  max_rows_ = std::max<int64_t>(1, std::min(context_.batch_rows, kBatchBytes / row_bytes));
  max_rows_ = RowsInHugePages(max_rows_, row_bytes);
  return Ok();
}

Status VendorRows::Reserve() {
  capacity_ = records_ < kFirstRows ? std::min(kFirstRows, max_rows_) : max_rows_;
  LODE_TRY(ReserveColumns(columns_, capacity_));
  for (Field& field : fields_) {
    if (field.column >= 0) field.values = Buffer(field.column).values<std::byte>();
  }
  return Ok();
}

Status VendorRows::Add(const CsvReader& line) {
  if (rows_ == 0) LODE_TRY(Reserve());
  ++records_;
  const bool good = PutLine(line);
  if (failure_) return std::unexpected(*failure_);
  if (texts_.failure()) return std::unexpected(*texts_.failure());
  if (!good) {
    context_.bad_records->Add({.source_row = line.row(),
                               .offset = line.offset(),
                               .reason = fmt::format("line {}: {}", line.line_number(), reason_),
                               .raw = std::string(line.raw().substr(0, kMaxRawBytes))});
    RestoreRow();
    return Ok();
  }
  if (session_column_ >= 0) LODE_TRY(PutComputed());
  if (!extra_.empty()) {
    LODE_TRY(Buffer(extra_column_).values<int32_t>()[rows_], context_.strings->Intern(extra_.Close()));
    extra_.Clear();
  } else if (!Buffer(extra_column_).always_null()) {
    Buffer(extra_column_).SetNull(rows_);
  }
  Buffer(source_row_column_).values<int64_t>()[rows_] = line.row();
  ++rows_;
  return Ok();
}

bool VendorRows::PutLine(const CsvReader& line) {
  if (line.fault() != nullptr) {
    reason_ = line.fault();
    return false;
  }
  const std::string_view* text = line.fields().data();
  for (Field& field : fields_) {
    if (!Put(field, *text++)) return false;
  }
  return true;
}

inline bool VendorRows::Put(Field& field, std::string_view text) {
  if (text.empty() && field.kind != Kind::kUnknown) return PutNull(field);
  switch (field.kind) {
    case Kind::kDouble: {
      double value = 0;
      if (!ReadShortDecimal(text, value)) {
        if (const TextFault fault = ReadDouble(text, value)) return Reject(field, text, fault);
      }
      Set(field, value);
      return true;
    }
    case Kind::kInt32:
    case Kind::kInt64: return PutInteger(field, text);
    case Kind::kEpochUs:
    case Kind::kEpochNs:
    case Kind::kEpochNsInUs: return PutTime(field, text);
    case Kind::kBool: return PutBool(field, text);
    case Kind::kText: return PutText(field, text);
    case Kind::kDistinctText: return PutDistinctText(field, text);
    case Kind::kUnknown:
      if (extra_.PutText(field.name, text)) return true;
      return Reject(field, text, "holds a control character or bytes that are not UTF-8");
  }
  return true;
}

bool VendorRows::PutInteger(const Field& field, std::string_view text) {
  uint64_t short_value = 0;
  int64_t value = 0;
  if (ReadShortWhole(text, short_value)) {
    value = static_cast<int64_t>(short_value);
  } else if (!ParseSigned(text, value)) {
    return Reject(field, text, "is not an integer");
  }
  if (field.kind == Kind::kInt64) {
    Set(field, value);
    return true;
  }
  if (value < INT32_MIN || value > INT32_MAX) return Reject(field, text, "is out of range");
  Set(field, static_cast<int32_t>(value));
  return true;
}

bool VendorRows::PutTime(const Field& field, std::string_view text) {
  int64_t value = 0;
  if (field.kind == Kind::kEpochUs) {
    if (const TextFault fault = ReadEpochUs(text, value)) return Reject(field, text, fault);
    Set(field, value);
    return true;
  }
  if (text == "0" && Buffer(field.column).nullable()) return PutNull(field);
  if (const TextFault fault = ReadEpochNs(text, value)) return Reject(field, text, fault);
  if (!Buffer(field.column).nullable()) session_clock_ns_ = value;
  if (field.kind == Kind::kEpochNsInUs) {
    if (value % 1000 != 0) return Reject(field, text, "is not a whole microsecond");
    value /= 1000;
  }
  Set(field, value);
  return true;
}

bool VendorRows::PutBool(const Field& field, std::string_view text) {
  if (text != "true" && text != "false") return Reject(field, text, "is neither true nor false");
  Buffer(field.column).SetBit(rows_, text == "true");
  return true;
}

// Columns of few values: constant ones, and those that go to and fro, like a side. Which of the two a short text is
// decides no branch: a wrong guess of the processor costs more than both comparisons.
bool VendorRows::PutText(Field& field, std::string_view text) {
  if (text.size() < sizeof(uint64_t)) {
    const uint64_t word = WordOf(text);
    const uint64_t off_first = word ^ field.recent[0].word, off_second = word ^ field.recent[1].word;
    if (std::min(off_first, off_second) != 0) return PutNewText(field, text, word);
    Set(field, field.recent[off_first != 0].id);
    return true;
  }
  if (!AreEqual(field.recent[0].text, text)) return PutNewText(field, text, 0);
  Set(field, field.recent[0].id);
  return true;
}

bool VendorRows::PutNewText(Field& field, std::string_view text, uint64_t word) {
  int32_t id = StringPool::kNull;
  if (const TextFault fault = texts_.Intern(text, id)) return Reject(field, text, fault);
  field.recent[1] = std::exchange(field.recent[0], {context_.strings->Get(id), word, id});
  Set(field, id);
  return true;
}

bool VendorRows::PutDistinctText(const Field& field, std::string_view text) {
  if (const TextFault fault = CheckText(text)) return Reject(field, text, fault);
  auto id = context_.strings->Append(text);
  if (!id) {
    failure_ = std::move(id).error();
    return false;
  }
  Set(field, *id);
  return true;
}

bool VendorRows::PutNull(const Field& field) {
  if (!Buffer(field.column).nullable()) return Reject(field, {}, "is empty");
  Buffer(field.column).SetNull(rows_);
  return true;
}

bool VendorRows::Reject(const Field& field, std::string_view text, std::string_view fault) {
  reason_ = text.empty() ? fmt::format("column {} {}", Excerpt(field.name), fault)
                         : fmt::format("column {}: '{}' {}", Excerpt(field.name), Excerpt(text), fault);
  return false;
}

void VendorRows::RestoreRow() {
  for (ColumnBuffer& column : columns_) column.Restore(rows_);
  extra_.Clear();
}

Status VendorRows::PutComputed() {
  Buffer(session_column_).values<int32_t>()[rows_] = days_.Of(session_clock_ns_).since_epoch;
  if (underlying_column_ < 0) return Ok();
  const int32_t ticker = Buffer(ticker_column_).values<int32_t>()[rows_];
  if (ticker != option_.ticker) {
    LODE_TRY(ParseTicker(context_.strings->Get(ticker)));
    option_.ticker = ticker;
  }
  // The four columns stand together.
  ColumnBuffer *const underlying = &Buffer(underlying_column_), *const expiry = underlying + 1,
                      *const type = underlying + 2, *const strike = underlying + 3;
  if (!option_.parsed) {
    for (ColumnBuffer* part : {underlying, expiry, type, strike}) part->SetNull(rows_);
    return Ok();
  }
  underlying->values<int32_t>()[rows_] = option_.underlying;
  expiry->values<int32_t>()[rows_] = option_.expiry;
  type->values<int32_t>()[rows_] = option_.type;
  strike->values<double>()[rows_] = option_.strike;
  return Ok();
}

Status VendorRows::ParseTicker(std::string_view ticker) {
  const auto parts = ParseOptionTicker(ticker);
  option_.parsed = parts.has_value();
  if (!parts) return Ok();
  LODE_TRY(option_.underlying, context_.strings->Intern(parts->underlying));
  LODE_TRY(option_.type, context_.strings->Intern({&parts->type, 1}));
  option_.expiry = parts->expiry.since_epoch;
  option_.strike = parts->strike;
  return Ok();
}

DecodedBatch VendorRows::Take() {
  arrow::ArrayVector arrays;
  arrays.reserve(columns_.size());
  for (ColumnBuffer& column : columns_) arrays.push_back(column.Take(rows_));
  return {&schema_, arrow::RecordBatch::Make(batch_schema_, std::exchange(rows_, 0), std::move(arrays))};
}

}  // namespace lode::codec
