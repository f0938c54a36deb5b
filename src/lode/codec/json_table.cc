#include "lode/codec/json_table.h"

#include <arrow/api.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "lode/codec/appended_text.h"
#include "lode/codec/arrow_result.h"
#include "lode/codec/text_values.h"

namespace lode::codec {
namespace {

namespace dom = lode_simdjson::dom;

constexpr size_t kMaxRawBytes = 4096;

// All of it, a finite number.
bool ParseDouble(std::string_view text, double& value) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size() && std::isfinite(value);
}

std::string JsonOf(const dom::element& value) { return lode_simdjson::minify(value); }

}  // namespace

struct JsonTable::Builders {
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> columns;
};

JsonTable::JsonTable(const TableSchema& schema, const DecodeContext& context)
    : schema_(schema),
      context_(context),
      batch_schema_(DecodedSchema(schema)),
      builders_(std::make_unique<Builders>()),
      extra_(schema) {
  for (const Column& column : schema.columns) {
    if (column.origin == ColumnOrigin::kVendor || column.origin == ColumnOrigin::kExtra) sources_.push_back(&column);
  }
  values_.resize(sources_.size());
  for (const auto& field : batch_schema_->fields()) {
    // Cannot fail for the plain types of a travelling batch.
    builders_->columns.push_back(arrow::MakeBuilder(field->type()).ValueOrDie());
  }
}

JsonTable::~JsonTable() = default;

int JsonTable::Find(std::string_view column) const {
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i]->name == column) return static_cast<int>(i);
  }
  return -1;
}

bool JsonTable::Reject(std::string_view column, std::string_view text, std::string_view fault) {
  why_ = text.empty() ? fmt::format("{} {}", column, fault) : fmt::format("{}: '{}' {}", column, Excerpt(text), fault);
  return false;
}

bool JsonTable::SetText(int column, std::string_view text) {
  if (ColumnAt(column).distinct) return SetLongText(column, text);
  if (const TextFault fault = CheckText(text)) return Reject(ColumnAt(column).name, text, fault);
  auto id = context_.strings->Intern(text);
  if (!id) {
    failure_ = std::move(id).error();
    return false;
  }
  values_[static_cast<size_t>(column)] = *id;
  return true;
}

// Titles, descriptions, lists: whatever the vendor writes, line breaks too. The JSON parser saw that it is UTF-8.
bool JsonTable::SetLongText(int column, std::string_view text) {
  if (text.size() > AppendedText::kMaxTextBytes) {
    return Reject(ColumnAt(column).name, text, "is longer than 65,535 bytes");
  }
  if (text.find('\0') != std::string_view::npos) return Reject(ColumnAt(column).name, text, "holds a NUL");
  auto id = context_.strings->Append(text);
  if (!id) {
    failure_ = std::move(id).error();
    return false;
  }
  values_[static_cast<size_t>(column)] = *id;
  return true;
}

bool JsonTable::SetJson(int column, const Element& value) {
  if (value.is_object() || value.is_array()) return SetText(column, JsonOf(value));
  return Reject(ColumnAt(column).name, JsonOf(value), "is not text");
}

bool JsonTable::SetNumber(int column, const Element& value) {
  const Column& target = ColumnAt(column);
  std::string_view text;
  double number = 0;
  int64_t whole = 0;
  const bool is_text = value.get(text) == lode_simdjson::SUCCESS;
  if (target.type == ColumnType::kFloat64) {
    if (is_text ? !ParseDouble(text, number) : value.get(number) != lode_simdjson::SUCCESS) {
      return Reject(target.name, is_text ? text : JsonOf(value), "is not a number");
    }
    SetDouble(column, number);
    return true;
  }
  bool good = is_text ? ParseSigned(text, whole) : value.get(whole) == lode_simdjson::SUCCESS;
  // 1e3 and 12.0 are whole numbers too.
  if (!good && !is_text && value.get(number) == lode_simdjson::SUCCESS && std::trunc(number) == number &&
      std::abs(number) < 9e15) {
    whole = static_cast<int64_t>(number);
    good = true;
  }
  if (!good) return Reject(target.name, is_text ? text : JsonOf(value), "is not a whole number");
  if (target.type == ColumnType::kInt32) {
    if (whole < INT32_MIN || whole > INT32_MAX) return Reject(target.name, JsonOf(value), "is out of range");
    values_[static_cast<size_t>(column)] = static_cast<int32_t>(whole);
    return true;
  }
  values_[static_cast<size_t>(column)] = whole;
  return true;
}

// Days as YYYY-MM-DD, instants as ISO-8601 or as whole milliseconds since 1970.
bool JsonTable::SetTime(int column, const Element& value) {
  const Column& target = ColumnAt(column);
  std::string_view text;
  const bool is_text = value.get(text) == lode_simdjson::SUCCESS;
  if (target.type == ColumnType::kDate) {
    const auto day = ParseDay(text.substr(0, text.find('T')));
    if (!is_text || !day) return Reject(target.name, is_text ? text : JsonOf(value), "is not a day");
    SetDay(column, *day);
    return true;
  }
  constexpr int64_t kNsPerMs = 1'000'000, kNsPerUs = 1'000, kMostMs = INT64_MAX / kNsPerMs;
  int64_t ns = 0;
  if (is_text) {
    const auto parsed = ParseIsoNs(text);
    if (!parsed) return Reject(target.name, text, "is not a time");
    ns = *parsed;
  } else if (value.get(ns) != lode_simdjson::SUCCESS || ns > kMostMs || ns < -kMostMs) {
    return Reject(target.name, JsonOf(value), "is not a time");
  } else {
    ns *= kNsPerMs;
  }
  values_[static_cast<size_t>(column)] = target.type == ColumnType::kTimestampUs ? ns / kNsPerUs : ns;
  return true;
}

bool JsonTable::Set(int column, const Element& value) {
  if (value.is_null()) return true;
  const Column& target = ColumnAt(column);
  switch (target.type) {
    case ColumnType::kText: {
      std::string_view text;
      return value.get(text) == lode_simdjson::SUCCESS ? SetText(column, text) : SetJson(column, value);
    }
    case ColumnType::kBool: {
      bool flag = false;
      if (value.get(flag) != lode_simdjson::SUCCESS) {
        return Reject(target.name, JsonOf(value), "is neither true nor false");
      }
      values_[static_cast<size_t>(column)] = flag;
      return true;
    }
    case ColumnType::kDate:
    case ColumnType::kTimestampUs:
    case ColumnType::kTimestampNs: return SetTime(column, value);
    default: return SetNumber(column, value);
  }
}

bool JsonTable::SetExtra(std::string_view key, const Element& value) {
  if (!IsPrintableUtf8(key)) return Reject("a key", key, "holds a control character");
  extra_.NoteDrift(key);
  extra_.Put(key, JsonOf(value));
  return true;
}

Result<bool> JsonTable::Keep() {
  if (failure_) return std::unexpected(*failure_);
  if (!extra_.empty()) {
    LODE_TRY(const int32_t id, context_.strings->Intern(extra_.Close()));
    values_[static_cast<size_t>(Find("_extra"))] = id;
  }
  for (size_t i = 0; i < sources_.size(); ++i) {
    const bool is_null = std::holds_alternative<std::monostate>(values_[i]);
    if (is_null && !sources_[i]->nullable) return Reject(sources_[i]->name, {}, "is missing");
  }
  for (size_t i = 0; i < sources_.size(); ++i) {
    arrow::ArrayBuilder* const builder = builders_->columns[i].get();
    const auto append = [&](const auto& value) {
      using T = std::decay_t<decltype(value)>;
      if constexpr (std::is_same_v<T, std::monostate>) return builder->AppendNull();
      if constexpr (std::is_same_v<T, bool>) return static_cast<arrow::BooleanBuilder*>(builder)->Append(value);
      if constexpr (std::is_same_v<T, double>) return static_cast<arrow::DoubleBuilder*>(builder)->Append(value);
      if constexpr (std::is_same_v<T, int32_t>) {
        if (sources_[i]->type == ColumnType::kDate) return static_cast<arrow::Date32Builder*>(builder)->Append(value);
        return static_cast<arrow::Int32Builder*>(builder)->Append(value);
      }
      if constexpr (std::is_same_v<T, int64_t>) {
        if (sources_[i]->type == ColumnType::kInt64) return static_cast<arrow::Int64Builder*>(builder)->Append(value);
        return static_cast<arrow::TimestampBuilder*>(builder)->Append(value);
      }
      return arrow::Status::OK();
    };
    LODE_TRY(FromArrow(std::visit(append, values_[i]), "build a batch"));
  }
  auto* const source_row = static_cast<arrow::Int64Builder*>(builders_->columns.back().get());
  LODE_TRY(FromArrow(source_row->Append(records_), "build a batch"));
  ++rows_;
  ++records_;
  Clear();
  return true;
}

void JsonTable::Drop(std::string_view raw) {
  context_.bad_records->Add({.source_row = records_,
                             .offset = 0,
                             .reason = fmt::format("row {}: {}", records_, why_),
                             .raw = std::string(raw.substr(0, kMaxRawBytes))});
  ++records_;
  Clear();
}

void JsonTable::Clear() {
  std::ranges::fill(values_, Value());
  extra_.Clear();
}

DecodedBatch JsonTable::Take() {
  arrow::ArrayVector arrays;
  for (const auto& builder : builders_->columns) arrays.push_back(builder->Finish().ValueOrDie());
  return {&schema_, arrow::RecordBatch::Make(batch_schema_, std::exchange(rows_, 0), std::move(arrays))};
}

}  // namespace lode::codec
