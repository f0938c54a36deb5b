#include "lode/lake/derive.h"

#include <arrow/api.h>

#include "lode/codec/arrow_result.h"
#include "lode/symbol/contract.h"

namespace lode::lake {

using codec::ColumnOrigin;
using codec::FromArrow;

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

Result<std::shared_ptr<arrow::Array>> Derive::DeriveColumn(const codec::Column& column,
                                                           const arrow::RecordBatch& stored) {
  const auto rows = static_cast<uint32_t>(stored.num_rows());
  if (column.origin == ColumnOrigin::kDate) {
    const RowDays days(schema_, stored);
    arrow::Date32Builder builder;
    LODE_TRY(FromArrow(builder.Reserve(rows), "derive date"));
    for (uint32_t row = 0; row < rows; ++row) builder.UnsafeAppend(days.At(row).value_or(Day{}).since_epoch);
    return FromArrow(builder.Finish(), "derive date");
  }
  const ColumnView symbols = View(stored, symbol_index_, codec::ColumnType::kText);
  arrow::Int32Builder roots;
  arrow::BooleanBuilder spreads;
  const bool wants_root = column.origin == ColumnOrigin::kRoot;
  LODE_TRY(FromArrow(wants_root ? roots.Reserve(rows) : spreads.Reserve(rows), "derive from symbol"));
  int32_t last_id = codec::StringPool::kNull;
  SymbolFacts facts{};
  for (uint32_t row = 0; row < rows; ++row) {
    if (symbols.IsNull(row)) {
      if (wants_root)
        roots.UnsafeAppendNull();
      else
        spreads.UnsafeAppendNull();
      continue;
    }
    if (const int32_t id = symbols.Int32(row); id != last_id) {
      LODE_TRY(facts, FactsOf(id));
      last_id = id;
    }
    if (wants_root)
      roots.UnsafeAppend(facts.root_id);
    else
      spreads.UnsafeAppend(facts.is_spread);
  }
  return FromArrow(wants_root ? roots.Finish() : spreads.Finish(), "derive from symbol");
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
      case ColumnOrigin::kRoot:
      case ColumnOrigin::kIsSpread:
      case ColumnOrigin::kDate: {
        LODE_TRY(auto derived, DeriveColumn(column, *stored));
        columns.push_back(std::move(derived));
      }
    }
  }
  return arrow::RecordBatch::Make(physical_, stored->num_rows(), std::move(columns));
}

}  // namespace lode::lake
