#include "lode/codec/dbn_layout.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "lode/codec/testing/dbn_writer.h"

namespace lode::codec {
namespace {

arrow::Type::type ArrowTypeOf(FieldKind kind) {
  using enum FieldKind;
  switch (kind) {
    case kU8:
    case kI8:
    case kU16:
    case kI16:
    case kI32: return arrow::Type::INT32;
    case kU32AsU64:
    case kU64: return arrow::Type::UINT64;
    case kTime:
    case kTsOut: return arrow::Type::TIMESTAMP;
    case kChar:
    case kText:
    case kSymbol:
    case kEmptyText:
    case kNoSide: return arrow::Type::INT32;
    default: return arrow::Type::INT64;
  }
}

bool CanBeNull(FieldKind kind) {
  using enum FieldKind;
  static const std::set<FieldKind> kinds = {kSize, kQuantity32, kQuantity64, kPrice, kTime,
                                            kChar, kSymbol,     kTsOut,      kNull};
  return kinds.contains(kind);
}

TEST(DbnLayout, EverySchemaHasALayoutInEveryVersion) {
  for (const TableSchema* schema : DatabentoSchemas()) {
    for (int version = 1; version <= 3; ++version) {
      EXPECT_NE(FindRecordLayout(*schema, version), nullptr) << schema->name << " v" << version;
    }
  }
}

TEST(DbnLayout, EveryColumnIsFilledWithItsOwnType) {
  for (const RecordLayout& layout : RecordLayouts()) {
    if (layout.bars) continue;
    const auto decoded = DecodedSchema(*layout.schema);
    ASSERT_EQ(static_cast<int>(layout.fields.size()), decoded->num_fields()) << layout.schema->name;
    for (const FieldPlace& place : layout.fields) {
      const auto& field = *decoded->field(place.column);
      const std::string where = layout.schema->name + "." + field.name();
      if (place.kind != FieldKind::kNull && place.kind != FieldKind::kZero) {
        EXPECT_EQ(ArrowTypeOf(place.kind), field.type()->id()) << where;
      }
      if (CanBeNull(place.kind)) {
        EXPECT_TRUE(field.nullable()) << where;
      }
      EXPECT_LE(place.offset + std::max<size_t>(place.width, 1), layout.size) << where;
    }
    EXPECT_GE(layout.day_offset, 8) << layout.schema->name;
  }
}

// Fields the vendor's layout has must reach a column, except the record length and what lode leaves out on purpose.
TEST(DbnLayout, NoFieldOfTheVendorIsLost) {
  for (const std::string& name : fixture::WritableSchemas()) {
    const TableSchema& schema = *FindDatabentoSchema(name);
    for (int version = 1; version <= 3; ++version) {
      const RecordLayout& layout = *FindRecordLayout(schema, version);
      if (layout.bars) continue;
      const auto decoded = DecodedSchema(schema);
      std::map<std::string, FieldPlace> places;
      for (const FieldPlace& place : layout.fields) places[decoded->field(place.column)->name()] = place;
      for (const fixture::FieldLayout& field : fixture::LayoutOf(name, version)) {
        ASSERT_TRUE(places.contains(field.name)) << name << "." << field.name;
        EXPECT_EQ(places[field.name].offset, field.offset) << name << "." << field.name << " v" << version;
      }
    }
  }
}

TEST(DbnLayout, NumbersOfSchemasAndTypes) {
  EXPECT_EQ(DbnSchemaName(6), "ohlcv-1m");
  EXPECT_EQ(DbnSchemaName(19), "bbo-1m");
  EXPECT_EQ(DbnSchemaName(20), "");
  EXPECT_EQ(SchemaOfRtype(0x01)->name, "mbp-1");
  EXPECT_EQ(SchemaOfRtype(0x23)->name, "ohlcv-1d");
  EXPECT_EQ(SchemaOfRtype(0x11), nullptr);
  EXPECT_EQ(SchemaOfRtype(0x16), nullptr);
}

}  // namespace
}  // namespace lode::codec
