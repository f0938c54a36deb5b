// The vendors' parts of the registry of schema.cc.
#pragma once

#include <string>
#include <vector>

#include "lode/codec/schema.h"

namespace lode::codec {

// A column whose empty cell makes the record bad.
Column Needed(std::string name, ColumnType type, std::string description);
// A column whose empty cell is null.
Column Maybe(std::string name, ColumnType type, std::string description);
// The columns that tables of kReplaceCells have last.
void AppendSource(std::vector<Column>& columns);

std::vector<TableSchema> PolygonTables();
std::vector<TableSchema> TardisTables();
std::vector<TableSchema> PolygonRestTables();
std::vector<TableSchema> FredTables();

}  // namespace lode::codec
