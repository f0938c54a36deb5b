#include "lode/codec/foreign_column.h"

#include <arrow/api.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "lode/base/decimal.h"
#include "lode/base/time.h"
#include "lode/codec/text_values.h"

namespace lode::codec {
namespace {

constexpr int32_t kBadText = -2;
// What vendor tools make of INT64_MAX when they divide by 1e9.
constexpr double kUndefPriceDouble = 9223372036.854775807;

bool IsText(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY: return true;
    default: return false;
  }
}

bool IsFloating(const arrow::DataType& type) {
  return type.id() == arrow::Type::DOUBLE || type.id() == arrow::Type::FLOAT;
}

// Why a source type cannot become the target; nullptr when it can.
const char* WhyNot(ColumnType target, const arrow::DataType& type) {
  switch (target) {
    case ColumnType::kInt32:
    case ColumnType::kInt64:
    case ColumnType::kUint64: return arrow::is_integer(type.id()) || IsFloating(type) ? nullptr : "is not a number";
    case ColumnType::kFloat64: return arrow::is_integer(type.id()) || IsFloating(type) ? nullptr : "is not a number";
    case ColumnType::kPrice:
      if (arrow::is_integer(type.id())) return "could count whole units or 1e-9: store it as a decimal or a double";
      if (type.id() == arrow::Type::DECIMAL256) return "has more digits than a price";
      return IsFloating(type) || arrow::is_decimal(type.id()) ? nullptr : "is neither a decimal nor a double";
    case ColumnType::kTimestampUs:
    case ColumnType::kTimestampNs:
      return type.id() == arrow::Type::TIMESTAMP || type.id() == arrow::Type::DATE32 || type.id() == arrow::Type::DATE64
                 ? nullptr
                 : "is neither a timestamp nor a date";
    case ColumnType::kText: {
      if (type.id() != arrow::Type::DICTIONARY) return IsText(type) ? nullptr : "is not text";
      return IsText(*static_cast<const arrow::DictionaryType&>(type).value_type()) ? nullptr : "is not text";
    }
    case ColumnType::kBool:
    case ColumnType::kDate: break;
  }
  return "has a type no vendor column has";
}

// Ticks of a source time as the target's unit; false when it overflows or the target is too coarse.
struct TimeScale {
  int64_t multiply = 1;
  int64_t divide = 1;
};

TimeScale ScaleOf(const arrow::DataType& type, ColumnType target) {
  int64_t per_day = 1;
  if (type.id() == arrow::Type::DATE64) {
    per_day = 86'400'000;
  } else if (type.id() == arrow::Type::TIMESTAMP) {
    switch (static_cast<const arrow::TimestampType&>(type).unit()) {
      case arrow::TimeUnit::SECOND: per_day = 86'400; break;
      case arrow::TimeUnit::MILLI: per_day = 86'400'000; break;
      case arrow::TimeUnit::MICRO: per_day = 86'400'000'000; break;
      case arrow::TimeUnit::NANO: per_day = kNsPerDay; break;
    }
  }
  const int64_t wanted = target == ColumnType::kTimestampUs ? kNsPerDay / 1000 : kNsPerDay;
  return wanted >= per_day ? TimeScale{wanted / per_day, 1} : TimeScale{1, per_day / wanted};
}

// Shortest decimal text of a floating value, as a price.
template <typename T>
std::optional<int64_t> PriceOfShortestText(T value) {
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (end.ec != std::errc()) return std::nullopt;
  const auto price = ParseDecimal9({text.data(), static_cast<size_t>(end.ptr - text.data())});
  return price ? std::optional(*price) : std::nullopt;
}

}  // namespace

std::optional<int64_t> PriceOfDouble(double value) {
  constexpr double kScale = 1e9;
  // Below this neighbours lie closer than 1e-9: at most one nine-digit decimal is near, and scaling stays exact enough.
  if (std::abs(value) < 1e6) {
    const double scaled = std::nearbyint(value * kScale);
    const double noise = 4 * std::numeric_limits<double>::epsilon() * std::abs(value);
    if (std::abs(scaled / kScale - value) > noise) return std::nullopt;
    return static_cast<int64_t>(scaled);
  }
  if (!(std::abs(value) < 1e9)) return std::nullopt;
  return PriceOfShortestText(value);
}

std::optional<int64_t> PriceOfFloat(float value) {
  if (!(std::abs(value) < 1e9f)) return std::nullopt;
  return PriceOfShortestText(value);
}

std::string RenderValue(const arrow::Array& values, int64_t row) {
  if (values.IsNull(row)) return "null";
  if (values.type_id() == arrow::Type::DICTIONARY) {
    const auto& dictionary = static_cast<const arrow::DictionaryArray&>(values);
    const int64_t index = dictionary.GetValueIndex(row);
    const bool known = index >= 0 && index < dictionary.dictionary()->length();
    return known ? RenderValue(*dictionary.dictionary(), index) : "?";
  }
  const auto value = values.GetScalar(row);
  return value.ok() ? Excerpt((*value)->ToString()) : "?";
}

void RowFaults::Reset(int64_t rows) {
  rows_ = rows;
  count_ = 0;
  reasons_.clear();
}

void RowFaults::Add(int64_t row, std::string reason) {
  if (reasons_.empty()) reasons_.resize(static_cast<size_t>(rows_));
  std::string& first = reasons_[static_cast<size_t>(row)];
  if (!first.empty()) return;
  first = std::move(reason);
  ++count_;
}

void ColumnSlots::Reset(int64_t rows) {
  values.assign(static_cast<size_t>(rows), 0);
  valid.assign(static_cast<size_t>(rows), 0);
}

Result<ForeignColumn> ForeignColumn::FromSource(const Column& target, std::string source, const arrow::DataType& type,
                                                StringPool* strings) {
  if (const char* why = WhyNot(target.type, type)) {
    // Dictionaries are how text is read, nothing the file's owner knows of.
    const bool dictionary = type.id() == arrow::Type::DICTIONARY;
    const arrow::DataType& known = dictionary ? *static_cast<const arrow::DictionaryType&>(type).value_type() : type;
    return Fail(ErrorKind::kUnsupported, "column {} cannot become {}: its type {} {}", Excerpt(source), target.name,
                known.ToString(), why);
  }
  return ForeignColumn(target, std::move(source), strings);
}

Result<ForeignColumn> ForeignColumn::FromLiteral(const Column& target, const std::string& literal,
                                                 StringPool* strings) {
  ForeignColumn column(target, "", strings);
  const auto refuse = [&] {
    return Fail(ErrorKind::kConfig, "column mapping: '{}' is not a value of {}", Excerpt(literal), target.name);
  };
  if (literal.empty() && target.nullable) return column;
  switch (target.type) {
    case ColumnType::kText: {
      if (CheckText(literal) != nullptr) return refuse();
      LODE_TRY(column.literal_, strings->Intern(literal));
      return column;
    }
    case ColumnType::kInt32:
    case ColumnType::kInt64:
    case ColumnType::kUint64: {
      int64_t value = 0;
      if (!ParseSigned(literal, value)) return refuse();
      if (target.type == ColumnType::kInt32 && value != static_cast<int32_t>(value)) return refuse();
      if (target.type == ColumnType::kUint64 && value < 0) return refuse();
      column.literal_ = value;
      return column;
    }
    case ColumnType::kPrice: {
      const auto price = ParseDecimal9(literal);
      if (!price) return refuse();
      column.literal_ = *price;
      return column;
    }
    case ColumnType::kTimestampUs:
    case ColumnType::kTimestampNs: {
      const auto ns = ParseIsoNs(literal);
      const int64_t unit_ns = target.type == ColumnType::kTimestampUs ? 1000 : 1;
      if (!ns || *ns % unit_ns != 0) return refuse();
      column.literal_ = *ns / unit_ns;
      return column;
    }
    default: return refuse();
  }
}

Status ForeignColumn::Convert(const arrow::Array* values, int64_t rows, RowFaults& faults, ColumnSlots& out) {
  out.Reset(rows);
  if (values == nullptr) {
    for (int64_t row = 0; row < rows && literal_; ++row) out.Set(row, *literal_);
    return Ok();
  }
  switch (target_->type) {
    case ColumnType::kText: return ConvertText(*values, faults, out);
    case ColumnType::kPrice: ConvertPrice(*values, faults, out); break;
    case ColumnType::kTimestampUs:
    case ColumnType::kTimestampNs: ConvertTime(*values, faults, out); break;
    case ColumnType::kFloat64: ConvertFloat(*values, faults, out); break;
    default: ConvertInteger(*values, faults, out);
  }
  if (target_->nullable) return Ok();
  for (int64_t row = 0; row < rows; ++row) {
    if (out.valid[static_cast<size_t>(row)] == 0) faults.Add(row, fmt::format("{} is null", target_->name));
  }
  return Ok();
}

void ForeignColumn::Reject(RowFaults& faults, int64_t row, const arrow::Array& values, std::string_view why) const {
  faults.Add(row, fmt::format("{} '{}' {}", target_->name, RenderValue(values, row), why));
}

// take(value, row, out) sets the slot, or leaves it null; returns why the row is bad, nullptr when it is not.
template <typename ArrayType, typename Take>
void ForeignColumn::EachValue(const arrow::Array& values, RowFaults& faults, ColumnSlots& out, Take&& take) const {
  const auto& typed = static_cast<const ArrayType&>(values);
  for (int64_t row = 0; row < typed.length(); ++row) {
    if (typed.IsNull(row)) continue;
    const char* fault = take(typed.Value(row), row, out);
    if (fault != nullptr) Reject(faults, row, values, fault);
  }
}

void ForeignColumn::ConvertInteger(const arrow::Array& values, RowFaults& faults, ColumnSlots& out) const {
  const auto take_integer = [&](auto value, int64_t row, ColumnSlots& slots) -> const char* {
    const bool fits = target_->type == ColumnType::kInt32    ? std::in_range<int32_t>(value)
                      : target_->type == ColumnType::kUint64 ? std::in_range<uint64_t>(value)
                                                             : std::in_range<int64_t>(value);
    if (!fits) return "is out of range";
    slots.Set(row, static_cast<int64_t>(value));
    return nullptr;
  };
  // Whole doubles count: pandas turns integers with gaps into doubles with NaN.
  const auto take_double = [&](double value, int64_t row, ColumnSlots& slots) -> const char* {
    if (std::isnan(value)) return nullptr;
    if (value != std::trunc(value)) return "is not a whole number";
    if (!(std::abs(value) <= 0x1p53)) return "is out of range";
    return take_integer(static_cast<int64_t>(value), row, slots);
  };
  switch (values.type_id()) {
    case arrow::Type::INT8: return EachValue<arrow::Int8Array>(values, faults, out, take_integer);
    case arrow::Type::INT16: return EachValue<arrow::Int16Array>(values, faults, out, take_integer);
    case arrow::Type::INT32: return EachValue<arrow::Int32Array>(values, faults, out, take_integer);
    case arrow::Type::INT64: return EachValue<arrow::Int64Array>(values, faults, out, take_integer);
    case arrow::Type::UINT8: return EachValue<arrow::UInt8Array>(values, faults, out, take_integer);
    case arrow::Type::UINT16: return EachValue<arrow::UInt16Array>(values, faults, out, take_integer);
    case arrow::Type::UINT32: return EachValue<arrow::UInt32Array>(values, faults, out, take_integer);
    case arrow::Type::UINT64: return EachValue<arrow::UInt64Array>(values, faults, out, take_integer);
    case arrow::Type::FLOAT: return EachValue<arrow::FloatArray>(values, faults, out, take_double);
    default: return EachValue<arrow::DoubleArray>(values, faults, out, take_double);
  }
}

void ForeignColumn::ConvertFloat(const arrow::Array& values, RowFaults& faults, ColumnSlots& out) const {
  const auto take = [](auto value, int64_t row, ColumnSlots& slots) -> const char* {
    const auto as_double = static_cast<double>(value);
    if (std::isnan(as_double)) return nullptr;
    if (std::abs(as_double) > 0x1p53 && std::is_integral_v<decltype(value)>) return "has no exact double";
    slots.Set(row, std::bit_cast<int64_t>(as_double));
    return nullptr;
  };
  switch (values.type_id()) {
    case arrow::Type::INT8: return EachValue<arrow::Int8Array>(values, faults, out, take);
    case arrow::Type::INT16: return EachValue<arrow::Int16Array>(values, faults, out, take);
    case arrow::Type::INT32: return EachValue<arrow::Int32Array>(values, faults, out, take);
    case arrow::Type::INT64: return EachValue<arrow::Int64Array>(values, faults, out, take);
    case arrow::Type::UINT8: return EachValue<arrow::UInt8Array>(values, faults, out, take);
    case arrow::Type::UINT16: return EachValue<arrow::UInt16Array>(values, faults, out, take);
    case arrow::Type::UINT32: return EachValue<arrow::UInt32Array>(values, faults, out, take);
    case arrow::Type::UINT64: return EachValue<arrow::UInt64Array>(values, faults, out, take);
    case arrow::Type::FLOAT: return EachValue<arrow::FloatArray>(values, faults, out, take);
    default: return EachValue<arrow::DoubleArray>(values, faults, out, take);
  }
}

void ForeignColumn::ConvertPrice(const arrow::Array& values, RowFaults& faults, ColumnSlots& out) const {
  constexpr const char* kInexact = "has no exact price of nine decimals within DECIMAL(18,9)";
  const auto keep = [&](std::optional<int64_t> price, int64_t row, ColumnSlots& slots) -> const char* {
    if (!price || !FitsDecimal9(*price)) return kInexact;
    slots.Set(row, *price);
    return nullptr;
  };
  if (values.type_id() == arrow::Type::DOUBLE) {
    return EachValue<arrow::DoubleArray>(values, faults, out, [&](double value, int64_t row, ColumnSlots& slots) {
      return std::isnan(value) || value == kUndefPriceDouble ? nullptr : keep(PriceOfDouble(value), row, slots);
    });
  }
  if (values.type_id() == arrow::Type::FLOAT) {
    return EachValue<arrow::FloatArray>(values, faults, out, [&](float value, int64_t row, ColumnSlots& slots) {
      return std::isnan(value) ? nullptr : keep(PriceOfFloat(value), row, slots);
    });
  }
  const int scale = static_cast<const arrow::DecimalType&>(*values.type()).scale();
  const auto take_decimal = [&](const arrow::Decimal128& value, int64_t row, ColumnSlots& slots) -> const char* {
    const auto price = value.Rescale(scale, 9);
    if (!price.ok()) return kInexact;
    if (*price == arrow::Decimal128(kTextUndefPrice)) return nullptr;
    const bool fits = *price <= arrow::Decimal128(kDecimal9Max) && *price >= arrow::Decimal128(-kDecimal9Max);
    return keep(fits ? std::optional(static_cast<int64_t>(*price)) : std::nullopt, row, slots);
  };
  const auto& bytes = static_cast<const arrow::FixedSizeBinaryArray&>(values);
  for (int64_t row = 0; row < values.length(); ++row) {
    if (values.IsNull(row)) continue;
    arrow::Decimal128 value;
    switch (values.type_id()) {
      case arrow::Type::DECIMAL32: value = arrow::Decimal128(arrow::Decimal32(bytes.GetValue(row)).value()); break;
      case arrow::Type::DECIMAL64: value = arrow::Decimal128(arrow::Decimal64(bytes.GetValue(row)).value()); break;
      default: value = arrow::Decimal128(bytes.GetValue(row));
    }
    if (const char* fault = take_decimal(value, row, out)) Reject(faults, row, values, fault);
  }
}

void ForeignColumn::ConvertTime(const arrow::Array& values, RowFaults& faults, ColumnSlots& out) const {
  const TimeScale scale = ScaleOf(*values.type(), target_->type);
  const auto take = [&](auto ticks, int64_t row, ColumnSlots& slots) -> const char* {
    int64_t scaled = 0;
    if (__builtin_mul_overflow(int64_t{ticks}, scale.multiply, &scaled)) return "is out of range";
    if (scaled % scale.divide != 0) return "is not a whole microsecond";
    slots.Set(row, scaled / scale.divide);
    return nullptr;
  };
  switch (values.type_id()) {
    case arrow::Type::DATE32: return EachValue<arrow::Date32Array>(values, faults, out, take);
    case arrow::Type::DATE64: return EachValue<arrow::Date64Array>(values, faults, out, take);
    default: return EachValue<arrow::TimestampArray>(values, faults, out, take);
  }
}

// Interns a dictionary once, however many batches share it.
Status ForeignColumn::IndexDictionary(const std::shared_ptr<arrow::Array>& dictionary) {
  if (dictionary == dictionary_) return Ok();
  dictionary_ = dictionary;
  text_ids_.clear();
  const auto intern = [&](std::optional<std::string_view> text) -> Status {
    if (!text) {
      text_ids_.push_back(StringPool::kNull);
      return Ok();
    }
    const bool allowed = target_->origin == ColumnOrigin::kExtra ? IsPrintableUtf8(*text) : CheckText(*text) == nullptr;
    if (!allowed) {
      text_ids_.push_back(kBadText);
      return Ok();
    }
    LODE_TRY(const int32_t id, strings_->Intern(*text));
    text_ids_.push_back(id);
    return Ok();
  };
  const auto intern_all = [&](const auto& texts) -> Status {
    for (int64_t i = 0; i < texts.length(); ++i) {
      LODE_TRY(intern(texts.IsNull(i) ? std::nullopt : std::optional<std::string_view>(texts.GetView(i))));
    }
    return Ok();
  };
  if (dictionary->type_id() == arrow::Type::LARGE_STRING || dictionary->type_id() == arrow::Type::LARGE_BINARY) {
    return intern_all(static_cast<const arrow::LargeBinaryArray&>(*dictionary));
  }
  return intern_all(static_cast<const arrow::BinaryArray&>(*dictionary));
}

Status ForeignColumn::ConvertText(const arrow::Array& values, RowFaults& faults, ColumnSlots& out) {
  const auto* dictionary =
      values.type_id() == arrow::Type::DICTIONARY ? static_cast<const arrow::DictionaryArray*>(&values) : nullptr;
  if (dictionary != nullptr) {
    LODE_TRY(IndexDictionary(dictionary->dictionary()));
  } else {
    dictionary_ = nullptr;
    LODE_TRY(IndexDictionary(arrow::MakeArray(values.data())));
  }
  std::optional<int32_t> empty;
  for (int64_t row = 0; row < values.length(); ++row) {
    int32_t id = StringPool::kNull;
    if (!values.IsNull(row)) {
      const int64_t index = dictionary != nullptr ? dictionary->GetValueIndex(row) : row;
      id = index < 0 || index >= static_cast<int64_t>(text_ids_.size()) ? kBadText
                                                                        : text_ids_[static_cast<size_t>(index)];
    }
    if (id == kBadText) {
      Reject(faults, row, values, "is longer than 256 bytes, not UTF-8 or holds a control character");
    } else if (id >= 0) {
      out.Set(row, id);
    } else if (!target_->nullable) {
      // Fixed-width vendor text knows no null.
      if (!empty) {
        LODE_TRY(empty, strings_->Intern(""));
      }
      out.Set(row, *empty);
    }
  }
  return Ok();
}

}  // namespace lode::codec
