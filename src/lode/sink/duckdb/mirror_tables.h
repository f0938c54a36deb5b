// Tables that hold the bronze columns as they are (raw.polygon_<type>, raw.tardis_<data_type>): MirrorTable of
// tables.h. Within the caller's transaction.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "lode/sink/duckdb/bar_tables.h"

namespace lode::sink {

// The mirror of a schema; nullopt for Databento's, whose tables are the seeds', and for unknown ones.
std::optional<WarehouseTable> MirrorOf(std::string_view schema);

Result<LoadedRows> LoadMirror(Connection& connection, const WarehouseTable& table, std::string_view lake_dataset,
                              std::string_view bronze_file, const std::filesystem::path& file);
Result<LoadedRows> RemoveMirror(Connection& connection, const WarehouseTable& table, std::string_view lake_dataset,
                                std::string_view bronze_file);

}  // namespace lode::sink
