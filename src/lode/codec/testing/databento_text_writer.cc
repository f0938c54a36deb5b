#include "lode/codec/testing/databento_text_writer.h"

#include <arrow/api.h>

#include <array>
#include <cstdlib>
#include <span>

#include "lode/base/decimal.h"
#include "lode/base/time.h"
#include "lode/codec/dbn_layout.h"
#include "lode/codec/text_values.h"

namespace lode::codec::fixture {
namespace {

template <typename T>
T Pick(std::mt19937_64& random, std::initializer_list<T> choices) {
  return choices.begin()[random() % choices.size()];
}

// As the vendor orders the fields: ts_recv and the header first, levels and symbol last.
std::vector<const Column*> WrittenColumns(const TableSchema& schema, bool symbols) {
  static const Column kRtype{"rtype", ColumnType::kInt32, false, ColumnOrigin::kVendor, ""};
  std::vector<const Column*> columns;
  const auto add = [&](std::string_view name) {
    if (const int at = schema.Find(name); at >= 0) columns.push_back(&schema.columns[static_cast<size_t>(at)]);
  };
  add("ts_recv");
  add("ts_event");
  columns.push_back(&kRtype);
  add("publisher_id");
  add("instrument_id");
  for (const Column& column : schema.columns) {
    const bool is_old = column.name.starts_with("trading_reference_") || column.name == "settl_price_type" ||
                        column.name == "md_security_trading_status";
    const bool is_head = column.name == "ts_recv" || column.name == "ts_event" || column.name == "rtype" ||
                         column.name == "publisher_id" || column.name == "instrument_id";
    if (column.origin != ColumnOrigin::kVendor || is_old || is_head) continue;
    if (column.name != "symbol" && column.name != "ts_out") columns.push_back(&column);
  }
  if (symbols) add("symbol");
  return columns;
}

bool IsTime(const Column& column) {
  return column.type == ColumnType::kTimestampNs || column.type == ColumnType::kTimestampUs;
}

std::string RandomValue(const TableSchema& schema, const Column& column, std::mt19937_64& random) {
  const bool is_null = column.nullable && random() % 8 == 0;
  if (column.name == "rtype") return std::to_string(FindRecordLayout(schema, 3)->rtype);
  switch (column.type) {
    case ColumnType::kPrice:
      if (is_null) return "null";
      return std::to_string(Pick<int64_t>(random, {0, 1, -1, kDecimal9Max, -kDecimal9Max, 17'030'250'000'000,
                                                   static_cast<int64_t>(random() % 1'000'000'000'000)}));
    case ColumnType::kTimestampUs:
      return std::to_string(1'700'000'000'000'000 + static_cast<int64_t>(random() % 1'000'000'000'000));
    case ColumnType::kTimestampNs:
      // Pretty text cannot tell 0 from undefined, so 0 is no value here.
      if (is_null) return "null";
      return std::to_string(1'700'000'000'000'000'000 + static_cast<int64_t>(random() % 1'000'000'000'000'000));
    case ColumnType::kUint64: return std::to_string(Pick<uint64_t>(random, {0, UINT64_MAX, random()}));
    case ColumnType::kInt32: return std::to_string(Pick<int32_t>(random, {0, 1, 255, 65535, INT32_MAX}));
    case ColumnType::kInt64:
      if (is_null) return "null";
      if (column.name == "volume") return std::to_string(Pick<int64_t>(random, {0, 7, INT64_MAX}));
      return std::to_string(Pick<uint32_t>(random, {0, 1, UINT32_MAX - 1, static_cast<uint32_t>(random() >> 33)}));
    default: break;
  }
  if (column.name == "symbol") {
    return Pick<std::string>(random, {"null", "\"ESH4\"", "\"ES:BF H4-M4-U4\"", "\"../etc\"", "\"A,\\\"B\"", "\"é\""});
  }
  if (column.nullable) return is_null ? "null" : Pick<std::string>(random, {"\"A\"", "\"N\"", "\"~\""});
  return Pick<std::string>(random, {"\"\"", "\"USD\"", "\"Z \"", "\"x,y\""});
}

// The column's text in the spelling, without quotes; "" for null.
std::string Spell(const Column& column, const std::string& value, TextSpelling spelling) {
  if (value.starts_with('"')) return value.substr(1, value.size() - 2);
  if (column.type == ColumnType::kPrice) {
    if (value == "null") return spelling.pretty_px ? "" : std::to_string(INT64_MAX);
    const int64_t scaled = std::strtoll(value.c_str(), nullptr, 10);
    return spelling.pretty_px ? FormatDecimal9(scaled) : value;
  }
  if (IsTime(column)) {
    if (value == "null") return spelling.pretty_ts ? "" : std::to_string(UINT64_MAX);
    const int64_t ns = std::strtoll(value.c_str(), nullptr, 10) * (column.type == ColumnType::kTimestampUs ? 1000 : 1);
    return spelling.pretty_ts ? FormatIsoNs(ns) : std::to_string(ns);
  }
  if (value != "null") return value;
  if (column.type == ColumnType::kInt64) return column.name == "quantity" ? "9223372036854775807" : "4294967295";
  return "";
}

std::string CsvField(std::string text) {
  if (text.find_first_of(",\"") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

// As the vendor: 64-bit values are strings, and a value without text is null.
std::string JsonScalarOf(const Column& column, const std::string& value, TextSpelling spelling) {
  const std::string text = Spell(column, value, spelling);
  std::string json;
  const bool is_wide = column.type == ColumnType::kPrice || IsTime(column) || column.type == ColumnType::kUint64 ||
                       column.name == "volume" || column.name == "quantity";
  if (column.type == ColumnType::kText || is_wide) {
    if (value == "null" && text.empty()) return "null";
    AppendJsonString(json, text);
    return json;
  }
  return text;
}

// "_07" of "bid_px_07", "" of other columns.
std::string LevelSuffix(const std::string& name) {
  const bool is_level =
      name.size() > 3 && name[name.size() - 3] == '_' && (name.starts_with("bid_") || name.starts_with("ask_"));
  return is_level ? name.substr(name.size() - 3) : "";
}

std::string Show(const arrow::Array& array, const Column* column, const StringPool& strings, int64_t row) {
  if (array.IsNull(row)) return "null";
  const auto& data = *array.data();
  if (column != nullptr && column->type == ColumnType::kText) {
    return '"' + std::string(strings.Get(data.GetValues<int32_t>(1)[row])) + '"';
  }
  if (array.type_id() == arrow::Type::INT32) return std::to_string(data.GetValues<int32_t>(1)[row]);
  if (array.type_id() == arrow::Type::UINT64) return std::to_string(data.GetValues<uint64_t>(1)[row]);
  return std::to_string(data.GetValues<int64_t>(1)[row]);
}

}  // namespace

TextRow RandomTextRow(const TableSchema& schema, std::mt19937_64& random) {
  TextRow row;
  for (const Column* column : WrittenColumns(schema, true)) row[column->name] = RandomValue(schema, *column, random);
  return row;
}

std::string WriteCsv(const TableSchema& schema, const std::vector<TextRow>& rows, TextSpelling spelling) {
  const auto columns = WrittenColumns(schema, spelling.symbols);
  std::string text;
  for (const Column* column : columns) text += (text.empty() ? "" : ",") + column->name;
  for (const TextRow& row : rows) {
    std::string line;
    for (const Column* column : columns) {
      line += (column == columns[0] ? "\n" : ",") + CsvField(Spell(*column, row.at(column->name), spelling));
    }
    text += line;
  }
  return text + '\n';
}

std::string WriteNdjson(const TableSchema& schema, const std::vector<TextRow>& rows, TextSpelling spelling) {
  const auto columns = WrittenColumns(schema, spelling.symbols);
  std::string text;
  for (const TextRow& row : rows) {
    std::string line = "{", level;
    for (const Column* column : columns) {
      std::string name = column->name;
      const std::string suffix = spelling.nested ? LevelSuffix(name) : "";
      if (!suffix.empty()) name.resize(name.size() - 3);
      if (suffix != level) {
        line += level.empty() ? ",\"levels\":[{" : suffix.empty() ? "}]" : "},{";
        level = suffix;
      }
      if (!line.ends_with('{')) line += ',';
      if (spelling.nested && name == "ts_event") line += "\"hd\":{";
      line += '"' + name + "\":" + JsonScalarOf(*column, row.at(column->name), spelling);
      if (spelling.nested && name == "instrument_id") line += '}';
    }
    text += line + (level.empty() ? "}\n" : "}]}\n");
  }
  return text;
}

DecodedText DecodeText(TextEncoding encoding, TextOptions options, std::string_view text, int64_t batch_rows) {
  DecodedText decoded;
  StringPool strings;
  BadRecords bad_records;
  const DecodeContext context{.strings = &strings, .bad_records = &bad_records, .batch_rows = batch_rows};
  auto bytes = FromMemory(std::as_bytes(std::span(text)));
  auto decoder = encoding == TextEncoding::kCsv ? OpenDatabentoCsv(std::move(bytes), options, context)
                                                : OpenDatabentoNdjson(std::move(bytes), options, context);
  if (!decoder) {
    decoded.error = decoder.error();
    return decoded;
  }
  for (;;) {
    auto batch = (*decoder)->Next();
    if (!batch) decoded.error = batch.error();
    if (!batch || !*batch) break;
    const arrow::RecordBatch& rows = *(*batch)->rows;
    if (const auto valid = rows.ValidateFull(); !valid.ok() || rows.num_rows() > batch_rows) {
      decoded.error = Error{ErrorKind::kInternal, "invalid batch: " + valid.ToString(), {}};
      break;
    }
    for (int64_t row = 0; row < rows.num_rows(); ++row) {
      TextRow& shown = decoded.rows.emplace_back();
      for (int i = 0; i < rows.num_columns(); ++i) {
        const int at = options.schema->Find(rows.column_name(i));
        const Column* column = at < 0 ? nullptr : &options.schema->columns[static_cast<size_t>(at)];
        shown[rows.column_name(i)] = Show(*rows.column(i), column, strings, row);
      }
    }
  }
  decoded.bad = bad_records.kept();
  decoded.facts = (*decoder)->facts();
  return decoded;
}

DecodedText DecodeCsv(std::string_view schema, std::string_view text) {
  TextOptions options;
  options.schema = FindDatabentoSchema(schema);
  return DecodeText(TextEncoding::kCsv, options, text);
}

DecodedText DecodeNdjson(std::string_view schema, std::string_view text) {
  TextOptions options;
  options.schema = FindDatabentoSchema(schema);
  return DecodeText(TextEncoding::kNdjson, options, text);
}

}  // namespace lode::codec::fixture
