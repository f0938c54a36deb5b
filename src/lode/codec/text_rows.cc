#include "lode/codec/text_rows.h"

#include <algorithm>
#include <utility>

#include "lode/codec/dbn_layout.h"

namespace lode::codec {
namespace {

// A batch is a queue's unit of memory, so wide tables get fewer rows.
constexpr int64_t kBatchBytes = int64_t{8} << 20;
constexpr int64_t kFirstRows = 1024;
constexpr size_t kMaxRawBytes = 4096;
// The vendor makes its text from records of this DBN version, also where the raw data is older.
constexpr int kTextVersion = 3;

// Definition columns that DBN 1 and 2 do not have.
bool IsLegColumn(std::string_view name) { return name.starts_with("leg_"); }

}  // namespace

TextRows::Kind TextRows::KindOf(const Column& column) {
  switch (column.type) {
    case ColumnType::kPrice: return Kind::kPrice;
    case ColumnType::kTimestampUs: return Kind::kTimeUs;
    case ColumnType::kTimestampNs: return Kind::kTimeNs;
    case ColumnType::kUint64: return Kind::kU64;
    case ColumnType::kInt32: return column.nullable ? Kind::kLegacyInt : Kind::kInt32;
    case ColumnType::kInt64:
      if (column.name == "volume") return Kind::kVolume;
      if (column.name == "quantity") return Kind::kQuantity;
      return column.nullable ? Kind::kSize : Kind::kU32;
    default: break;
  }
  if (column.name == "symbol") return Kind::kSymbol;
  return column.nullable ? Kind::kChar : Kind::kText;
}

TextRows::TextRows(const TextOptions& options, const DecodeContext& context)
    : schema_(options.schema),
      symbology_(options.symbology),
      context_(context),
      price_shape_(ShapeOf(options.pretty_px)),
      time_shape_(ShapeOf(options.pretty_ts)),
      batch_schema_(DecodedSchema(*options.schema)),
      rtype_(FindRecordLayout(*options.schema, kTextVersion)->rtype),
      is_bar_(options.schema->name.starts_with("ohlcv-")),
      texts_(*context.strings),
      extra_(*options.schema) {
  for (const Column& column : schema_->columns) {
    if (column.origin != ColumnOrigin::kVendor && column.origin != ColumnOrigin::kExtra) continue;
    const int position = static_cast<int>(columns_.size());
    const bool may_lack = column.name == "symbol" || column.name == "ts_out" || column.name == "_extra" ||
                          (column.type == ColumnType::kInt32 && column.nullable) ||
                          column.name == "trading_reference_price";
    columns_.emplace_back(batch_schema_->field(position)->type(), column.nullable,
                          may_lack || IsLegColumn(column.name));
    if (column.origin == ColumnOrigin::kExtra) continue;
    if (!may_lack) (IsLegColumn(column.name) ? defaulted_ : needed_).set(fields_.size());
    AddField(column.name, column.name == "rtype" ? Kind::kRtype : KindOf(column), position);
  }
  // Bars do not store rtype; where the text has it, it must agree.
  if (is_bar_) AddField("rtype", Kind::kRtype, -1);
  for (size_t i = 0; i < fields_.size(); ++i) field_numbers_.emplace(fields_[i].name, static_cast<int>(i));
  columns_.emplace_back(arrow::int64(), false, false);
  source_row_column_ = static_cast<int>(columns_.size()) - 1;
  symbol_column_ = batch_schema_->GetFieldIndex("symbol");
  extra_column_ = batch_schema_->GetFieldIndex("_extra");
  instrument_column_ = batch_schema_->GetFieldIndex("instrument_id");
  day_column_ = batch_schema_->GetFieldIndex(schema_->day_column);
  fallback_day_column_ = batch_schema_->GetFieldIndex(schema_->fallback_day_column);

  int64_t row_bytes = 0;
  for (const RowColumn& column : columns_) row_bytes += column.width();
  max_rows_ = std::max<int64_t>(1, std::min(context.batch_rows, kBatchBytes / row_bytes));
}

void TextRows::AddField(std::string name, Kind kind, int column) { fields_.push_back({std::move(name), kind, column}); }

int TextRows::FindField(std::string_view name) const {
  const auto found = field_numbers_.find(name);
  return found == field_numbers_.end() ? -1 : found->second;
}

const std::string* TextRows::FindMissing(const FieldSet& present) const {
  const FieldSet missing = needed_ & ~present;
  if (missing.none()) return nullptr;
  size_t first = 0;
  while (!missing[first]) ++first;
  return &fields_[first].name;
}

Status TextRows::BeginRow() {
  if (rows_ < reserved_) return Ok();
  // The first batch grows, so that a file of a few rows costs little memory; later ones know they will be long.
  const int64_t wanted = records_ >= max_rows_ ? max_rows_ : std::max(kFirstRows, 4 * reserved_);
  reserved_ = std::min(max_rows_, wanted);
  for (RowColumn& column : columns_) LODE_TRY(column.Reserve(reserved_));
  return Ok();
}

bool TextRows::MarkPresent(int field) {
  const auto position = static_cast<size_t>(field);
  if (present_[position]) return Reject(fields_[position].name, {}, "comes twice");
  present_.set(position);
  return true;
}

bool TextRows::Reject(std::string_view field, std::string_view text, std::string_view fault) {
  if (rejected_) return false;
  rejected_ = true;
  if (field.empty()) {
    reason_ = fault;
  } else if (text.empty()) {
    reason_ = fmt::format("column {} {}", Excerpt(field), fault);
  } else {
    reason_ = fmt::format("column {}: '{}' {}", Excerpt(field), Excerpt(text), fault);
  }
  return false;
}

bool TextRows::StoreNull(const Field& field) {
  if (field.column < 0 || !columns_[static_cast<size_t>(field.column)].nullable()) {
    return Reject(field.name, {}, "is empty");
  }
  columns_[static_cast<size_t>(field.column)].SetNull(rows_);
  return true;
}

bool TextRows::PutNull(int field) { return StoreNull(fields_[static_cast<size_t>(field)]); }

bool TextRows::Put(int field_number, std::string_view text) {
  const Field& field = fields_[static_cast<size_t>(field_number)];
  if (text.empty() && field.kind != Kind::kText) return StoreNull(field);
  switch (field.kind) {
    case Kind::kPrice: {
      int64_t scaled = 0;
      if (const TextFault fault = ReadPrice(text, price_shape_, scaled)) return Reject(field.name, text, fault);
      if (scaled == kTextUndefPrice) return StoreNull(field);
      columns_[static_cast<size_t>(field.column)].Set64(rows_, scaled);
      return true;
    }
    case Kind::kTimeUs:
    case Kind::kTimeNs: return PutTime(field, text);
    case Kind::kChar:
    case Kind::kText:
    case Kind::kSymbol: return PutText(field, text);
    default: return PutInteger(field, text);
  }
}

bool TextRows::PutTime(const Field& field, std::string_view text) {
  int64_t ns = 0;
  bool is_null = false;
  if (const TextFault fault = times_.Read(text, time_shape_, ns, is_null)) return Reject(field.name, text, fault);
  if (is_null) return StoreNull(field);
  if (field.kind == Kind::kTimeUs) {
    if (ns % 1000 != 0) return Reject(field.name, text, "is not a whole microsecond");
    ns /= 1000;
  }
  columns_[static_cast<size_t>(field.column)].Set64(rows_, ns);
  return true;
}

bool TextRows::PutInteger(const Field& field, std::string_view text) {
  const bool is_signed = field.kind == Kind::kInt32 || field.kind == Kind::kLegacyInt || field.kind == Kind::kQuantity;
  int64_t value = 0;
  uint64_t magnitude = 0;
  if (is_signed ? !ParseSigned(text, value) : !ParseDigits(text, magnitude)) {
    return Reject(field.name, text, is_signed ? "is not an integer" : "is not an unsigned integer");
  }
  const auto out_of_range = [&] { return Reject(field.name, text, "is out of range"); };
  switch (field.kind) {
    case Kind::kInt32:
    case Kind::kLegacyInt:
      if (value < INT32_MIN || value > INT32_MAX) return out_of_range();
      columns_[static_cast<size_t>(field.column)].Set32(rows_, static_cast<int32_t>(value));
      return true;
    case Kind::kRtype:
      if (magnitude != static_cast<uint64_t>(rtype_) && !(is_bar_ && magnitude == kRtypeOhlcvDeprecated)) {
        return Reject(field.name, text, fmt::format("contradicts schema {}", schema_->name));
      }
      if (field.column >= 0) columns_[static_cast<size_t>(field.column)].Set32(rows_, rtype_);
      return true;
    case Kind::kQuantity:
      // INT32_MAX is DBN 1's and 2's undefined quantity; the text does not say which version it was made from.
      if (value == INT64_MAX || value == INT32_MAX) return StoreNull(field);
      break;
    case Kind::kSize:
      if (magnitude == UINT32_MAX) return StoreNull(field);
      [[fallthrough]];
    case Kind::kU32:
      if (magnitude > UINT32_MAX) return out_of_range();
      value = static_cast<int64_t>(magnitude);
      break;
    case Kind::kVolume:
      if (magnitude > uint64_t{INT64_MAX}) return out_of_range();
      value = static_cast<int64_t>(magnitude);
      break;
    default: value = static_cast<int64_t>(magnitude); break;  // kU64: the column's bits
  }
  columns_[static_cast<size_t>(field.column)].Set64(rows_, value);
  return true;
}

bool TextRows::PutText(const Field& field, std::string_view text) {
  int32_t id = StringPool::kNull;
  if (const TextFault fault = texts_.Intern(text, id)) return Reject(field.name, text, fault);
  if (field.kind == Kind::kChar && (text.size() != 1 || text[0] < 0)) {
    return Reject(field.name, text, "is not one ASCII character");
  }
  columns_[static_cast<size_t>(field.column)].Set32(rows_, id);
  return true;
}

Status TextRows::FinishExtra() {
  LODE_TRY(const int32_t id, context_.strings->Intern(extra_.Close()));
  columns_[static_cast<size_t>(extra_column_)].Set32(rows_, id);
  extra_.Clear();
  return Ok();
}

void TextRows::FillDefaults() {
  const FieldSet lacking = defaulted_ & ~present_;
  if (lacking.none()) return;
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (!lacking[i]) continue;
    RowColumn& column = columns_[static_cast<size_t>(fields_[i].column)];
    const bool is_side = fields_[i].name == "leg_side";
    if (column.nullable() && !is_side) continue;  // starts as null
    // As the vendor's own upgrade of old records: 0, "" and side N.
    int32_t id = 0;
    if ((is_side || fields_[i].kind == Kind::kText) && texts_.Intern(is_side ? "N" : "", id) != nullptr) return;
    if (column.width() == 4) {
      column.Set32(rows_, id);
    } else {
      column.Set64(rows_, 0);
    }
  }
}

void TextRows::ResolveSymbol() {
  RowColumn& symbol = columns_[static_cast<size_t>(symbol_column_)];
  if (!symbol.IsNull(rows_)) return;
  int day_column = day_column_;
  if (columns_[static_cast<size_t>(day_column)].IsNull(rows_)) day_column = fallback_day_column_;
  if (day_column < 0 || columns_[static_cast<size_t>(day_column)].IsNull(rows_)) return;
  int64_t instant = columns_[static_cast<size_t>(day_column)].Get64(rows_);
  // Bars keep microseconds. Floor, then scale: the last microsecond of a day stays in its day.
  const Day day = is_bar_ ? Day{static_cast<int32_t>((instant - (instant < 0 ? 86'399'999'999 : 0)) / 86'400'000'000)}
                          : DayOf(instant);
  const auto instrument = columns_[static_cast<size_t>(instrument_column_)].Get64(rows_);
  const int32_t id = symbology_->Find(static_cast<uint32_t>(instrument), day);
  if (id != StringPool::kNull) symbol.Set32(rows_, id);
}

void TextRows::RestartRow() {
  for (RowColumn& column : columns_) column.Reset(rows_);
  rejected_ = false;
  extra_.Clear();
}

void TextRows::AddBadRecord(const RecordPlace& place) {
  context_.bad_records->Add({.source_row = place.row,
                             .offset = place.offset,
                             .reason = fmt::format("line {}: {}", place.line, reason_),
                             .raw = std::string(place.raw.substr(0, kMaxRawBytes))});
}

Status TextRows::EndRow(const RecordPlace& place) {
  ++records_;
  if (!rejected_) FillDefaults();
  if (texts_.failure()) return std::unexpected(*texts_.failure());
  if (rejected_) {
    AddBadRecord(place);
    RestartRow();
    return Ok();
  }
  if (symbology_ != nullptr) ResolveSymbol();
  if (!extra_.empty()) LODE_TRY(FinishExtra());
  columns_[static_cast<size_t>(source_row_column_)].Set64(rows_, place.row);
  ++rows_;
  return Ok();
}

DecodedBatch TextRows::Take() {
  arrow::ArrayVector arrays;
  for (RowColumn& column : columns_) arrays.push_back(column.Finish(rows_));
  auto batch = arrow::RecordBatch::Make(batch_schema_, rows_, std::move(arrays));
  rows_ = reserved_ = 0;
  return {schema_, std::move(batch)};
}

}  // namespace lode::codec
