// Fills the derived columns of a bronze file: root, is_spread, date, source_file.
#pragma once

#include <unordered_map>

#include "lode/lake/rows.h"

namespace lode::lake {

// StoredSchema rows to PhysicalSchema rows. Remembers what each symbol id means; one object a partition or unit.
class Derive {
 public:
  Derive(const codec::TableSchema& schema, codec::StringPool& strings);
  Result<Batch> operator()(const Batch& stored);

 private:
  struct SymbolFacts {
    int32_t root_id;
    bool is_spread;
  };
  Result<SymbolFacts> FactsOf(int32_t symbol_id);
  Result<std::shared_ptr<arrow::Array>> DeriveDate(const arrow::RecordBatch& stored) const;
  // A fact of each row's symbol; null where the symbol is.
  template <typename T>
  Result<std::shared_ptr<arrow::Array>> DeriveFromSymbol(const arrow::RecordBatch& stored,
                                                         std::shared_ptr<arrow::DataType> type, T SymbolFacts::* fact);

  const codec::TableSchema& schema_;
  codec::StringPool& strings_;
  std::shared_ptr<arrow::Schema> physical_;
  int symbol_index_ = -1;  // in StoredSchema
  std::unordered_map<int32_t, SymbolFacts> symbols_;
};

}  // namespace lode::lake
