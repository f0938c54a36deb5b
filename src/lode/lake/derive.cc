#include "lode/lake/derive.h"

#include <arrow/api.h>
#include <arrow/buffer_builder.h>

#include "lode/codec/arrow_result.h"
#include "lode/symbol/contract.h"

namespace lode::lake {

using codec::ColumnOrigin;
using codec::FromArrow;

namespace {

// An array filled by runs of equal values.
template <typename T>
class Filler {
 public:
  Status Reserve(int64_t rows) {
    LODE_TRY(FromArrow(values_.Reserve(rows), "derive a column"));
    return FromArrow(validity_.Reserve(rows), "derive a column");
  }
  void Append(int64_t rows, T value) {
    values_.UnsafeAppend(rows, value);
    validity_.UnsafeAppend(rows, true);
  }
  void AppendNulls(int64_t rows) {
    values_.UnsafeAppend(rows, T{});
    validity_.UnsafeAppend(rows, false);
    nulls_ += rows;
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::shared_ptr<arrow::DataType> type) {
    const int64_t rows = values_.length();
    LODE_TRY(auto values, FromArrow(values_.Finish(), "derive a column"));
    LODE_TRY(auto validity, FromArrow(validity_.Finish(), "derive a column"));
    if (nulls_ == 0) validity = nullptr;
    return arrow::MakeArray(
        arrow::ArrayData::Make(std::move(type), rows, {std::move(validity), std::move(values)}, nulls_));
  }

 private:
  arrow::TypedBufferBuilder<T> values_;
  arrow::TypedBufferBuilder<bool> validity_;
  int64_t nulls_ = 0;
};

}  // namespace

Derive::Derive(const codec::TableSchema& schema, codec::StringPool& strings)
    : schema_(schema), strings_(strings), physical_(codec::PhysicalSchema(schema)) {
  symbol_index_ = codec::StoredSchema(schema)->GetFieldIndex("symbol");
}

Result<Derive::SymbolFacts> Derive::FactsOf(int32_t symbol_id) {
  if (const auto known = symbols_.find(symbol_id); known != symbols_.end()) return known->second;
  const std::string_view symbol = strings_.Get(symbol_id);
  LODE_TRY(const int32_t root_id, strings_.Intern(symbol::Root(symbol)));
  return symbols_.emplace(symbol_id, SymbolFacts{root_id, symbol::IsSpread(symbol)}).first->second;
}

Result<std::shared_ptr<arrow::Array>> Derive::DeriveDate(const arrow::RecordBatch& stored) const {
  const RowDays days(schema_, stored);
  const auto rows = static_cast<uint32_t>(stored.num_rows());
  Filler<int32_t> dates;
  LODE_TRY(dates.Reserve(rows));
  for (uint32_t row = 0; row < rows;) {
    const uint32_t end = days.EndOfDay(row, rows);
    dates.Append(end - row, days.At(row).value_or(Day{}).since_epoch);
    row = end;
  }
  return dates.Finish(arrow::date32());
}

template <typename T>
Result<std::shared_ptr<arrow::Array>> Derive::DeriveFromSymbol(const arrow::RecordBatch& stored,
                                                               std::shared_ptr<arrow::DataType> type,
                                                               T SymbolFacts::* fact) {
  const ColumnView symbols = View(stored, symbol_index_, codec::ColumnType::kText);
  const auto rows = static_cast<uint32_t>(stored.num_rows());
  Filler<T> values;
  LODE_TRY(values.Reserve(rows));
  for (uint32_t row = 0; row < rows;) {
    uint32_t end = row + 1;
    if (symbols.IsNull(row)) {
      while (end < rows && symbols.IsNull(end)) ++end;
      values.AppendNulls(end - row);
    } else {
      const int32_t id = symbols.Int32(row);
      while (end < rows && symbols.Int32(end) == id && !symbols.IsNull(end)) ++end;
      LODE_TRY(const SymbolFacts facts, FactsOf(id));
      values.Append(end - row, facts.*fact);
    }
    row = end;
  }
  return values.Finish(std::move(type));
}

Result<Batch> Derive::operator()(const Batch& stored) {
  arrow::ArrayVector columns;
  int vendor = 0;
  for (const codec::Column& column : schema_.columns) {
    switch (column.origin) {
      case ColumnOrigin::kVendor:
      case ColumnOrigin::kExtra: columns.push_back(stored->column(vendor++)); break;
      case ColumnOrigin::kSourceRow: columns.push_back(stored->column(SourceRowIndex(schema_))); break;
      case ColumnOrigin::kSourceFile: columns.push_back(stored->column(SourceFileIndex(schema_))); break;
      case ColumnOrigin::kRoot: {
        LODE_TRY(auto roots, DeriveFromSymbol(*stored, arrow::int32(), &SymbolFacts::root_id));
        columns.push_back(std::move(roots));
        break;
      }
      case ColumnOrigin::kIsSpread: {
        LODE_TRY(auto spreads, DeriveFromSymbol(*stored, arrow::boolean(), &SymbolFacts::is_spread));
        columns.push_back(std::move(spreads));
        break;
      }
      case ColumnOrigin::kDate: {
        LODE_TRY(auto dates, DeriveDate(*stored));
        columns.push_back(std::move(dates));
        break;
      }
    }
  }
  return arrow::RecordBatch::Make(physical_, stored->num_rows(), std::move(columns));
}

}  // namespace lode::lake
