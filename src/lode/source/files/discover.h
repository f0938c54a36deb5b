// What lies on disk: files and batch deliveries among the paths of an import, each with the facts needed to decode it.
// Reads names, first bytes, side files and DBN metadata; decides nothing about the lake.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/result.h"
#include "lode/codec/databento_text.h"
#include "lode/codec/decoder.h"
#include "lode/codec/schema.h"
#include "lode/source/databento/delivery.h"

namespace lode::source::files {

namespace fs = std::filesystem;

enum class Encoding { kDbn, kDbnFragment, kCsv, kNdjson, kParquet };
std::string_view Name(Encoding encoding);
Result<Encoding> ParseEncoding(std::string_view name);

// One data file and how to read it.
struct DataFile {
  fs::path path;
  std::string name;  // under which it is kept: as delivered, or with what its folders said
  uint64_t size = 0;
  Encoding encoding = Encoding::kDbn;
  std::vector<const codec::TableSchema*> schemas;  // one; several for a mixed capture
  std::optional<bool> pretty_px, pretty_ts;
  FileNameFacts name_facts;
  codec::StreamFacts stream;  // of DBN metadata; empty for text
};

// A file beside the data that is kept with it.
struct SideFile {
  fs::path path;
  std::string name;
  uint64_t size = 0;
  std::string role;  // metadata | manifest | condition | symbology | other
};

// Files that came together: a batch delivery, or loose files.
struct Delivery {
  fs::path folder;  // empty for loose files
  std::optional<databento::Query> query;
  std::optional<databento::Manifest> manifest;
  std::vector<databento::Condition> conditions;  // sorted by day; empty when the vendor sent none
  std::vector<DataFile> data;                    // sorted by name
  std::vector<SideFile> side;
  std::vector<databento::ManifestFile> absent;  // data files the manifest lists and the folder lacks
  std::optional<fs::path> symbology;            // symbology.json
};

struct Discovery {
  std::vector<Delivery> deliveries;
  struct Refused {
    fs::path path;
    Error error;
  };
  std::vector<Refused> refused;  // loose files that are no known format; the others still go in
};

struct DiscoverOptions {
  bool no_manifest = false;                             // take data files the manifest does not list
  const codec::TableSchema* declared_schema = nullptr;  // of the dataset, when it is declared already
  std::string mapping_schema;                           // named by the column mapping of foreign Parquet
};

// What the name of a kept file of a schema says.
FileNameFacts ParseName(const std::string& name, const codec::TableSchema& schema);

// Folders are searched to any depth (not through symbolic links); a folder with metadata.json or manifest.json is one
// delivery. Errors refuse everything: kCorrupt for a listed file of another size, kBadInput for an unlisted data
// file or bad side files, kNotFound for a path that does not exist.
Result<Discovery> Discover(const std::vector<fs::path>& inputs, const DiscoverOptions& options);

// Opens the decoder of a data file for one of its schemas (of a mixed capture only that schema's batches come out).
Result<std::unique_ptr<codec::Decoder>> OpenDecoder(const DataFile& file, const codec::TableSchema& schema,
                                                    const codec::SymbologyMap* symbology,
                                                    const std::string& mapping_toml,
                                                    std::unique_ptr<codec::ByteSource> bytes,
                                                    codec::DecodeContext context);

}  // namespace lode::source::files
