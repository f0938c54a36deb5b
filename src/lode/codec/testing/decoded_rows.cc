#include "lode/codec/testing/decoded_rows.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include <span>
#include <utility>

namespace lode::codec::fixture {
namespace {

std::string Value(const arrow::Array& array, int64_t row, bool text, const StringPool& strings) {
  if (array.IsNull(row)) return "null";
  switch (array.type_id()) {
    case arrow::Type::INT32: {
      const int32_t value = static_cast<const arrow::Int32Array&>(array).Value(row);
      return text ? std::string(strings.Get(value)) : std::to_string(value);
    }
    case arrow::Type::BOOL: return static_cast<const arrow::BooleanArray&>(array).Value(row) ? "true" : "false";
    case arrow::Type::DOUBLE: return fmt::format("{}", static_cast<const arrow::DoubleArray&>(array).Value(row));
    case arrow::Type::DATE32: return std::to_string(static_cast<const arrow::Date32Array&>(array).Value(row));
    case arrow::Type::INT64: return std::to_string(static_cast<const arrow::Int64Array&>(array).Value(row));
    case arrow::Type::UINT64: return std::to_string(static_cast<const arrow::UInt64Array&>(array).Value(row));
    case arrow::Type::TIMESTAMP: return std::to_string(static_cast<const arrow::TimestampArray&>(array).Value(row));
    default: return "unexpected type " + array.type()->ToString();
  }
}

Status AddBatch(const DecodedBatch& batch, const StringPool& strings, Decoded& out) {
  if (const arrow::Status valid = batch.rows->ValidateFull(); !valid.ok()) {
    return Fail(ErrorKind::kInternal, "invalid batch: {}", valid.ToString());
  }
  if (!batch.rows->schema()->Equals(*DecodedSchema(*batch.schema))) {
    return Fail(ErrorKind::kInternal, "batch has another schema than declared");
  }
  out.batches.push_back(batch.schema->name);
  for (int64_t row = 0; row < batch.rows->num_rows(); ++row) {
    DecodedRow& values = out.rows[batch.schema->name].emplace_back();
    for (int i = 0; i < batch.rows->num_columns(); ++i) {
      const std::string& name = batch.rows->schema()->field(i)->name();
      const int column = batch.schema->Find(name);
      const bool text = column >= 0 && batch.schema->columns[static_cast<size_t>(column)].type == ColumnType::kText;
      values[name] = Value(*batch.rows->column(i), row, text, strings);
    }
  }
  return Ok();
}

}  // namespace

Decoded DecodeAll(const OpenDecoder& open, int64_t batch_rows) {
  Decoded out;
  StringPool strings;
  auto decoder = open({&strings, &out.bad, batch_rows});
  if (!decoder) {
    out.error = std::move(decoder).error();
    return out;
  }
  for (;;) {
    auto batch = (*decoder)->Next();
    if (!batch) {
      out.error = std::move(batch).error();
      break;
    }
    if (!*batch) break;
    if (Status added = AddBatch(**batch, strings, out); !added) {
      out.error = std::move(added).error();
      break;
    }
  }
  out.facts = (*decoder)->facts();
  return out;
}

Decoded DecodeDbn(std::unique_ptr<ByteSource> source, DbnOptions options, int64_t batch_rows) {
  return DecodeAll(
      [&](const DecodeContext& context) { return OpenDbn(std::move(source), std::move(options), context); },
      batch_rows);
}

Decoded DecodeDbn(std::string_view raw, DbnOptions options, int64_t batch_rows) {
  return DecodeDbn(FromMemory(std::as_bytes(std::span(raw.data(), raw.size()))), std::move(options), batch_rows);
}

}  // namespace lode::codec::fixture
