#include "lode/codec/schema.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <set>

namespace lode::codec {
namespace {

TEST(Schema, EveryTableNamesItsKeyOrderAndDayColumns) {
  for (const TableSchema* schema : DatabentoSchemas()) {
    std::set<std::string> names;
    for (const Column& column : schema->columns) {
      EXPECT_TRUE(names.insert(column.name).second) << schema->name << " repeats " << column.name;
      EXPECT_FALSE(column.description.empty()) << schema->name << "." << column.name;
    }
    for (const auto& list : {schema->key, schema->order, {schema->day_column}}) {
      for (const std::string& name : list) EXPECT_GE(schema->Find(name), 0) << schema->name << "." << name;
    }
    EXPECT_EQ(FindDatabentoSchema(schema->name), schema);
  }
  EXPECT_EQ(FindDatabentoSchema("ohlcv-2m"), nullptr);
}

TEST(Schema, BarsHaveTheColumnsOfTheDesign) {
  std::vector<std::string> names;
  for (const Column& column : FindDatabentoSchema("ohlcv-1d")->columns) names.push_back(column.name);
  EXPECT_EQ(names, (std::vector<std::string>{"publisher_id", "instrument_id", "symbol", "root", "is_spread", "ts_event",
                                             "open", "high", "low", "close", "volume", "date", "_extra"}));
}

TEST(Schema, ParquetTimesHaveNoZoneAndPricesAreExact) {
  const auto bars = ParquetSchema(*FindDatabentoSchema("ohlcv-1m"));
  EXPECT_TRUE(bars->GetFieldByName("ts_event")->type()->Equals(arrow::timestamp(arrow::TimeUnit::MICRO)));
  EXPECT_TRUE(bars->GetFieldByName("open")->type()->Equals(arrow::decimal64(18, 9)));
  const auto trades = ParquetSchema(*FindDatabentoSchema("trades"));
  EXPECT_TRUE(trades->GetFieldByName("ts_recv")->type()->Equals(arrow::timestamp(arrow::TimeUnit::NANO)));
  EXPECT_EQ(trades->field(0)->metadata()->Get("PARQUET:field_id").ValueOrDie(), "1");
}

}  // namespace
}  // namespace lode::codec
