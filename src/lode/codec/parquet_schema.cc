#include "lode/codec/parquet_schema.h"

#include <parquet/types.h>

namespace lode::codec {
namespace {

using parquet::LogicalType;
using parquet::Type;

struct PhysicalColumn {
  Type::type type;
  std::shared_ptr<const LogicalType> logical;
};

PhysicalColumn PhysicalOf(ColumnType type) {
  switch (type) {
    case ColumnType::kBool: return {Type::BOOLEAN, LogicalType::None()};
    case ColumnType::kInt32: return {Type::INT32, LogicalType::None()};
    case ColumnType::kInt64: return {Type::INT64, LogicalType::None()};
    case ColumnType::kUint64: return {Type::INT64, LogicalType::Int(64, false)};
    case ColumnType::kFloat64: return {Type::DOUBLE, LogicalType::None()};
    case ColumnType::kPrice: return {Type::INT64, LogicalType::Decimal(18, 9)};
    case ColumnType::kTimestampUs: return {Type::INT64, LogicalType::Timestamp(false, LogicalType::TimeUnit::MICROS)};
    case ColumnType::kTimestampNs: return {Type::INT64, LogicalType::Timestamp(false, LogicalType::TimeUnit::NANOS)};
    case ColumnType::kDate: return {Type::INT32, LogicalType::Date()};
    case ColumnType::kText: return {Type::BYTE_ARRAY, LogicalType::String()};
  }
  return {Type::UNDEFINED, LogicalType::None()};
}

}  // namespace

std::shared_ptr<parquet::schema::GroupNode> ParquetNodes(const TableSchema& schema) {
  parquet::schema::NodeVector nodes;
  int field_id = 0;
  for (const Column& column : schema.columns) {
    const PhysicalColumn physical = PhysicalOf(column.type);
    const auto repetition = column.nullable ? parquet::Repetition::OPTIONAL : parquet::Repetition::REQUIRED;
    nodes.push_back(parquet::schema::PrimitiveNode::Make(column.name, repetition, physical.logical, physical.type,
                                                         /*primitive_length=*/-1, ++field_id));
  }
  return std::static_pointer_cast<parquet::schema::GroupNode>(
      parquet::schema::GroupNode::Make("schema", parquet::Repetition::REQUIRED, nodes));
}

}  // namespace lode::codec
