#include "lode/sink/duckdb/result_text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string_view>

#include "lode/base/time.h"

namespace lode::sink {
namespace {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

constexpr int64_t kFirstDay = -719'162;  // 0001-01-01
constexpr int64_t kLastDay = 2'932'896;  // 9999-12-31

template <typename T>
T At(const void* values, size_t row) {
  return static_cast<const T*>(values)[row];
}

Uint128 Magnitude(Int128 value) { return value < 0 ? ~static_cast<Uint128>(value) + 1 : static_cast<Uint128>(value); }

std::string Digits(Uint128 value) {
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value != 0);
  std::ranges::reverse(digits);
  return digits;
}

Int128 Hugeint(const void* values, size_t row) {
  auto huge = At<duckdb_hugeint>(values, row);
  return static_cast<Int128>((static_cast<Uint128>(static_cast<uint64_t>(huge.upper)) << 64) | huge.lower);
}

void AppendDecimal(const ResultColumn& column, const void* values, size_t row, std::string& text) {
  Int128 value = 0;
  switch (column.storage_type) {
    case DUCKDB_TYPE_SMALLINT: value = At<int16_t>(values, row); break;
    case DUCKDB_TYPE_INTEGER: value = At<int32_t>(values, row); break;
    case DUCKDB_TYPE_BIGINT: value = At<int64_t>(values, row); break;
    default: value = Hugeint(values, row); break;
  }
  std::string digits = Digits(Magnitude(value));
  size_t scale = static_cast<size_t>(column.scale);
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - scale, ".");
  if (value < 0) text += '-';
  text += digits;
}

void AppendDate(int64_t day, std::string& text) {
  if (day >= kFirstDay && day <= kLastDay) {
    text += FormatDay(Day{static_cast<int32_t>(day)});
  } else if (day >= std::numeric_limits<int32_t>::max()) {
    text += "infinity";
  } else if (day <= -std::numeric_limits<int32_t>::max()) {
    text += "-infinity";
  } else {
    fmt::format_to(std::back_inserter(text), "day {}", day);
  }
}

// `ticks` of 1/per_second s since midnight; a fraction only when there is one, then in the unit's full width.
void AppendClock(int64_t ticks, int64_t per_second, std::string& text) {
  int64_t second = ticks / per_second;
  fmt::format_to(std::back_inserter(text), "{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
  int64_t fraction = ticks % per_second;
  if (fraction == 0) return;
  int width = per_second == 1'000 ? 3 : per_second == 1'000'000 ? 6 : 9;
  fmt::format_to(std::back_inserter(text), ".{:0{}}", fraction, width);
}

void AppendInstant(int64_t ticks, int64_t per_second, std::string& text) {
  int64_t limit = std::numeric_limits<int64_t>::max();
  if (ticks == limit || ticks == -limit) {
    text += ticks < 0 ? "-infinity" : "infinity";
    return;
  }
  int64_t per_day = per_second * 86'400;
  int64_t day = ticks / per_day - (ticks % per_day < 0 ? 1 : 0);
  AppendDate(day, text);
  text += 'T';
  int64_t clock = ticks % per_day;
  AppendClock(clock < 0 ? clock + per_day : clock, per_second, text);
}

void AppendVarchar(const void* values, size_t row, std::string& text) {
  const duckdb_string_t& value = static_cast<const duckdb_string_t*>(values)[row];
  uint32_t length = value.value.inlined.length;
  text.append(length <= sizeof value.value.inlined.inlined ? value.value.inlined.inlined : value.value.pointer.ptr,
              length);
}

template <typename T>
void AppendNumber(const void* values, size_t row, std::string& text) {
  fmt::format_to(std::back_inserter(text), "{}", At<T>(values, row));
}

}  // namespace

bool IsRendered(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL:
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_DATE:
    case DUCKDB_TYPE_TIME:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ: return true;
    default: return false;
  }
}

ValueShape ShapeOf(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN: return ValueShape::kBoolean;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL: return ValueShape::kNumber;
    default: return ValueShape::kText;
  }
}

void AppendValue(const ResultColumn& column, const void* values, size_t row, std::string& text) {
  switch (column.type) {
    case DUCKDB_TYPE_BOOLEAN: text += At<bool>(values, row) ? "true" : "false"; return;
    case DUCKDB_TYPE_TINYINT: text += std::to_string(At<int8_t>(values, row)); return;
    case DUCKDB_TYPE_UTINYINT: text += std::to_string(At<uint8_t>(values, row)); return;
    case DUCKDB_TYPE_SMALLINT: return AppendNumber<int16_t>(values, row, text);
    case DUCKDB_TYPE_INTEGER: return AppendNumber<int32_t>(values, row, text);
    case DUCKDB_TYPE_BIGINT: return AppendNumber<int64_t>(values, row, text);
    case DUCKDB_TYPE_USMALLINT: return AppendNumber<uint16_t>(values, row, text);
    case DUCKDB_TYPE_UINTEGER: return AppendNumber<uint32_t>(values, row, text);
    case DUCKDB_TYPE_UBIGINT: return AppendNumber<uint64_t>(values, row, text);
    case DUCKDB_TYPE_HUGEINT: {
      Int128 value = Hugeint(values, row);
      if (value < 0) text += '-';
      text += Digits(Magnitude(value));
      return;
    }
    case DUCKDB_TYPE_FLOAT: return AppendNumber<float>(values, row, text);
    case DUCKDB_TYPE_DOUBLE: return AppendNumber<double>(values, row, text);
    case DUCKDB_TYPE_DECIMAL: return AppendDecimal(column, values, row, text);
    case DUCKDB_TYPE_VARCHAR: return AppendVarchar(values, row, text);
    case DUCKDB_TYPE_DATE: return AppendDate(At<int32_t>(values, row), text);
    case DUCKDB_TYPE_TIME: return AppendClock(At<int64_t>(values, row), 1'000'000, text);
    case DUCKDB_TYPE_TIMESTAMP: return AppendInstant(At<int64_t>(values, row), 1'000'000, text);
    case DUCKDB_TYPE_TIMESTAMP_S: return AppendInstant(At<int64_t>(values, row), 1, text);
    case DUCKDB_TYPE_TIMESTAMP_MS: return AppendInstant(At<int64_t>(values, row), 1'000, text);
    case DUCKDB_TYPE_TIMESTAMP_NS: return AppendInstant(At<int64_t>(values, row), 1'000'000'000, text);
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      AppendInstant(At<int64_t>(values, row), 1'000'000, text);
      text += 'Z';
      return;
    default: text += "?"; return;
  }
}

}  // namespace lode::sink
