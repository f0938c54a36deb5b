#include "lode/source/files/discover.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <array>
#include <map>

#include "lode/codec/dbn.h"
#include "lode/codec/fred_pages.h"
#include "lode/codec/parquet_file.h"
#include "lode/codec/rest_pages.h"
#include "lode/codec/vendor_csv.h"
#include "lode/source/fred/supply.h"
#include "lode/source/polygon/flat_file.h"
#include "lode/source/polygon/rest_endpoint.h"
#include "lode/source/tardis/file_name.h"
#include "lode/store/local_disk.h"

namespace lode::source::files {
namespace {

constexpr uint64_t kMaxSideFileBytes = uint64_t{1} << 30;
constexpr size_t kSniffBytes = 1 << 16;

using codec::TableSchema;

template <typename Range, typename T>
bool Contains(const Range& range, const T& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

// A side file's role by its name, as the vendor names them; empty for anything else.
std::string SideRole(std::string_view name) {
  if (name == "metadata.json") return "metadata";
  if (name == "manifest.json") return "manifest";
  if (name == "condition.json") return "condition";
  if (name == "symbology.json" || name == "symbology.csv") return "symbology";
  return "";
}

bool LooksLikeDataFile(std::string_view name) {
  if (!SideRole(name).empty()) return false;
  return !databento::ParseDataFileName(name).encoding.empty() || name.ends_with(".dbz") || name.ends_with(".parquet");
}

Result<std::string> FirstBytes(const fs::path& path) {
  LODE_TRY(auto bytes, codec::OpenDecompressed(path));
  std::string text(kSniffBytes, '\0');
  size_t filled = 0;
  while (filled < text.size()) {
    LODE_TRY(const size_t read, bytes->Read(std::as_writable_bytes(std::span(text)).subspan(filled)));
    if (read == 0) break;
    filled += read;
  }
  text.resize(filled);
  return text;
}

// Which encoding the content is, whatever the file is called.
Result<Encoding> SniffEncoding(const fs::path& path, const FileNameFacts& name) {
  LODE_TRY(const codec::Magic outer, codec::SniffFile(path));
  switch (outer) {
    case codec::Magic::kEmpty:
      if (name.schema.starts_with("tardis/")) return Encoding::kCsv;  // a day without messages
      return Fail(ErrorKind::kBadInput, "the file is empty");
    case codec::Magic::kParquet: return Encoding::kParquet;
    case codec::Magic::kDbn: return Encoding::kDbn;
    case codec::Magic::kDbz:
      return Fail(ErrorKind::kUnsupported,
                  "legacy DBZ is not read; convert it to DBN with an older `dbn` tool, or download it again");
    default: break;
  }
  if (name.encoding == "dbn.frag") return Encoding::kDbnFragment;
  LODE_TRY(const std::string text, FirstBytes(path));
  if (text.starts_with("DBN")) return Encoding::kDbn;
  if (name.encoding == "dbn") {
    return Fail(ErrorKind::kBadInput, "wrong magic: a .dbn file must begin with 'DBN'");
  }
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '{') return Encoding::kNdjson;
  if (name.encoding == "json" && text.empty()) return Encoding::kNdjson;
  if (name.encoding == "csv" || text.find(',') < text.find('\n')) return Encoding::kCsv;
  return Fail(ErrorKind::kBadInput, "no known format: neither DBN, CSV, NDJSON nor Parquet");
}

// Decodes a stream whose schemas its metadata does not name and collects them.
Result<std::vector<const TableSchema*>> CollectSchemas(codec::Decoder& decoder) {
  std::vector<const TableSchema*> schemas;
  while (true) {
    LODE_TRY(const auto batch, decoder.Next());
    if (!batch) break;
    if (!Contains(schemas, batch->schema)) schemas.push_back(batch->schema);
  }
  std::ranges::sort(schemas, {}, [](const TableSchema* schema) { return schema->name; });
  return schemas;
}

Status ReadDbnFacts(DataFile& file) {
  codec::StringPool strings;
  codec::BadRecords bad_records;
  const codec::DecodeContext context{.strings = &strings, .bad_records = &bad_records, .gateway_notices = false};
  LODE_TRY(auto bytes, codec::OpenDecompressed(file.path));
  const bool fragment = file.encoding == Encoding::kDbnFragment;
  const codec::DbnOptions options{.fragment = fragment, .schema_hint = fragment ? file.name_facts.schema : ""};
  LODE_TRY(auto decoder, codec::OpenDbn(std::move(bytes), options, context));
  file.stream = decoder->facts();
  if (const TableSchema* schema = codec::FindDatabentoSchema(file.stream.schema)) {
    file.schemas = {schema};
    return Ok();
  }
  if (!file.stream.schema.empty()) {
    return Fail(ErrorKind::kUnsupported, "schema '{}' is not one lode knows", file.stream.schema);
  }
  LODE_TRY(file.schemas, CollectSchemas(*decoder));
  return Ok();
}

// What a file's name and folders say, whichever vendor's they are, and the name to keep it under.
void NameFacts(const fs::path& path, DataFile& file) {
  file.name = path.filename().string();
  if (auto facts = polygon::ParseFlatFilePath(path)) {
    file.name_facts = std::move(*facts);
    if (!file.name_facts.schema.empty()) file.name = polygon::KeptName(file.name_facts);
  } else if (auto tardis_facts = tardis::ParseFilePath(path)) {
    file.name_facts = std::move(*tardis_facts);
    file.name = tardis::KeptName(file.name_facts);
  } else if (auto rest_facts = polygon::ParseRestFileName(file.name)) {
    file.name_facts = std::move(*rest_facts);
  } else if (auto fred_facts = fred::ParseFileName(file.name)) {
    file.name_facts = std::move(*fred_facts);
  } else {
    file.name_facts = databento::ParseDataFileName(file.name);
  }
}

// The schema of a text file that no delivery speaks for: what its name says, the dataset's, what its content looks
// like.
Result<const TableSchema*> TextSchema(const fs::path& path, DataFile& file, const DiscoverOptions& options) {
  if (const TableSchema* named = codec::FindSchema(file.name_facts.schema)) return named;
  if (options.declared_schema != nullptr) return options.declared_schema;
  LODE_TRY(const std::string text, FirstBytes(path));
  const TableSchema* schema = codec::InferTextSchema(
      text, file.encoding == Encoding::kCsv ? codec::TextEncoding::kCsv : codec::TextEncoding::kNdjson);
  if (schema == nullptr && file.encoding == Encoding::kCsv) schema = codec::InferVendorCsvSchema(text);
  if (schema != nullptr && schema->source == "polygon" && file.name_facts.first) {
    file.name_facts.schema = file.name_facts.group = schema->name;
    file.name_facts.dataset = schema->name.substr(0, schema->name.find('/'));
    file.name = polygon::KeptName(file.name_facts);
  }
  return schema;
}

// Reads what a file says about itself. Side files' facts are added by the caller.
Result<DataFile> Examine(const fs::path& path, const databento::Query* query, const DiscoverOptions& options) {
  DataFile file;
  file.path = path;
  NameFacts(path, file);
  LODE_TRY(const auto size, store::FileSize(path));
  if (!size) return Fail(ErrorKind::kNotFound, "the file does not exist");
  file.size = *size;
  LODE_TRY(file.encoding, SniffEncoding(path, file.name_facts));
  if (file.encoding == Encoding::kDbn || file.encoding == Encoding::kDbnFragment) {
    LODE_TRY(ReadDbnFacts(file));
    return file;
  }
  const TableSchema* schema = nullptr;
  if (query != nullptr) {
    schema = codec::FindDatabentoSchema(query->schema);
    if (schema == nullptr) return Fail(ErrorKind::kUnsupported, "schema '{}' is not one lode knows", query->schema);
    file.pretty_px = query->pretty_px;
    file.pretty_ts = query->pretty_ts;
  } else {
    if (file.encoding == Encoding::kParquet) {
      schema = codec::FindSchema(options.mapping_schema.empty() ? file.name_facts.schema : options.mapping_schema);
      if (schema == nullptr) schema = options.declared_schema;
    } else {
      LODE_TRY(schema, TextSchema(path, file, options));
    }
  }
  if (schema == nullptr) {
    return Fail(ErrorKind::kBadInput,
                "neither its name nor its content tells the schema; declare the dataset with one");
  }
  file.schemas = {schema};
  return file;
}

// Refuses a data file that the manifest does not list or lists with another size.
Status CheckAgainstManifest(const databento::Manifest& manifest, const std::string& name, uint64_t size,
                            const DiscoverOptions& options, bool data) {
  const databento::ManifestFile* listed = manifest.Find(name);
  if (listed == nullptr) {
    if (!data || options.no_manifest || name == "manifest.json") return Ok();
    return Fail(ErrorKind::kBadInput, "{}: the manifest does not list this file; import it alone or with --no-manifest",
                name);
  }
  if (listed->size != size) {
    return Fail(ErrorKind::kCorrupt, "{}: {} bytes, the manifest says {}; download it again", name, size, listed->size);
  }
  return Ok();
}

Result<Delivery> ReadDelivery(const fs::path& folder, const std::vector<std::string>& names,
                              const DiscoverOptions& options) {
  Delivery delivery;
  delivery.folder = folder;
  const auto read = [&](const char* name) { return store::ReadFile(folder / name, kMaxSideFileBytes); };
  if (Contains(names, "metadata.json")) {
    LODE_TRY(const std::string text, read("metadata.json"));
    LODE_TRY(delivery.query, databento::ParseMetadata(text));
  }
  if (Contains(names, "manifest.json")) {
    LODE_TRY(const std::string text, read("manifest.json"));
    LODE_TRY(delivery.manifest, databento::ParseManifest(text));
  }
  if (Contains(names, "condition.json")) {
    LODE_TRY(const std::string text, read("condition.json"));
    LODE_TRY(delivery.conditions, databento::ParseCondition(text));
  }
  if (Contains(names, "symbology.json")) delivery.symbology = folder / "symbology.json";
  std::vector<std::string> data_names;
  for (const std::string& name : names) {
    LODE_TRY(const auto size, store::FileSize(folder / name));
    const bool data = LooksLikeDataFile(name);
    if (delivery.manifest) {
      LODE_TRY(CheckAgainstManifest(*delivery.manifest, name, size.value_or(0), options, data));
    }
    if (data) {
      data_names.push_back(name);
    } else if (!SideRole(name).empty()) {
      delivery.side.push_back({folder / name, name, size.value_or(0), SideRole(name)});
    } else if (delivery.manifest && delivery.manifest->Find(name) != nullptr) {
      delivery.side.push_back({folder / name, name, size.value_or(0), "other"});
    }
  }
  for (const std::string& name : data_names) {
    auto file = Examine(folder / name, delivery.query ? &*delivery.query : nullptr, options);
    if (!file) return std::unexpected(std::move(file).error().With(name));
    delivery.data.push_back(std::move(*file));
  }
  if (delivery.manifest) {
    for (const databento::ManifestFile& listed : delivery.manifest->files) {
      if (LooksLikeDataFile(listed.name) && !Contains(names, listed.name)) delivery.absent.push_back(listed);
    }
  }
  return delivery;
}

}  // namespace

std::string_view Name(Encoding encoding) {
  switch (encoding) {
    case Encoding::kDbn: return "dbn";
    case Encoding::kDbnFragment: return "dbn.frag";
    case Encoding::kCsv: return "csv";
    case Encoding::kNdjson: return "ndjson";
    case Encoding::kParquet: return "parquet";
  }
  return "dbn";
}

Result<Encoding> ParseEncoding(std::string_view name) {
  for (const Encoding encoding :
       {Encoding::kDbn, Encoding::kDbnFragment, Encoding::kCsv, Encoding::kNdjson, Encoding::kParquet}) {
    if (Name(encoding) == name) return encoding;
  }
  return Fail(ErrorKind::kCorrupt, "unknown encoding '{}'", name);
}

FileNameFacts ParseName(const std::string& name, const TableSchema& schema) {
  if (schema.source == "polygon") return polygon::ParseFlatFilePath(name).value_or(FileNameFacts{});
  if (schema.source == "tardis") return tardis::ParseFilePath(name).value_or(FileNameFacts{});
  if (schema.source == "polygon_rest") return polygon::ParseRestFileName(name).value_or(FileNameFacts{});
  if (schema.source == "fred") return fred::ParseFileName(name).value_or(FileNameFacts{});
  return databento::ParseDataFileName(name);
}

Result<Discovery> Discover(const std::vector<fs::path>& inputs, const DiscoverOptions& options) {
  Discovery discovery;
  std::map<std::string, fs::path> loose;  // absolute path -> path: a file named twice is taken once
  for (const fs::path& input : inputs) {
    std::error_code ignored;
    const fs::path path = fs::absolute(input, ignored).lexically_normal();
    if (fs::is_regular_file(path, ignored)) {
      loose.emplace(path.string(), path);
      continue;
    }
    if (!fs::is_directory(path, ignored))
      return Fail(ErrorKind::kNotFound, "{}: no such file or folder", input.string());
    LODE_TRY(const auto listing, store::List(path));
    std::map<fs::path, std::vector<std::string>> folders;
    for (const store::FileInfo& info : listing) {
      const fs::path file = path / info.path;
      if (!file.filename().string().starts_with('.')) folders[file.parent_path()].push_back(file.filename().string());
    }
    for (const auto& [folder, names] : folders) {
      if (Contains(names, "metadata.json") || Contains(names, "manifest.json")) {
        auto delivery = ReadDelivery(folder, names, options);
        if (!delivery) return std::unexpected(std::move(delivery).error().With(folder.filename().string()));
        discovery.deliveries.push_back(std::move(*delivery));
        continue;
      }
      for (const std::string& name : names) {
        if (SideRole(name).empty()) loose.emplace((folder / name).string(), folder / name);
      }
    }
  }
  Delivery alone;
  for (const auto& [key, path] : loose) {
    auto file = Examine(path, nullptr, options);
    if (file)
      alone.data.push_back(std::move(*file));
    else
      discovery.refused.push_back({path, std::move(file).error()});
  }
  if (!alone.data.empty()) discovery.deliveries.push_back(std::move(alone));
  return discovery;
}

namespace {

// Lets one schema of a mixed capture through.
class OneSchema : public codec::Decoder {
 public:
  OneSchema(std::unique_ptr<codec::Decoder> decoder, const TableSchema& schema)
      : decoder_(std::move(decoder)), schema_(schema), facts_(decoder_->facts()) {}
  Result<std::optional<codec::DecodedBatch>> Next() override {
    while (true) {
      auto batch = decoder_->Next();
      if (!batch || !*batch) {
        facts_ = decoder_->facts();
        facts_.records -= others_;
      }
      if (!batch || !*batch || (*batch)->schema == &schema_) return batch;
      others_ += (*batch)->rows->num_rows();
    }
  }
  const codec::StreamFacts& facts() const override { return facts_; }

 private:
  std::unique_ptr<codec::Decoder> decoder_;
  const TableSchema& schema_;
  codec::StreamFacts facts_;
  int64_t others_ = 0;  // good records of other schemas
};

}  // namespace

Result<std::unique_ptr<codec::Decoder>> OpenDecoder(const DataFile& file, const TableSchema& schema,
                                                    const codec::SymbologyMap* symbology,
                                                    const std::string& mapping_toml,
                                                    std::unique_ptr<codec::ByteSource> bytes,
                                                    codec::DecodeContext context) {
  const codec::TextOptions text{
      .schema = &schema, .symbology = symbology, .pretty_px = file.pretty_px, .pretty_ts = file.pretty_ts};
  switch (file.encoding) {
    case Encoding::kDbn:
    case Encoding::kDbnFragment: {
      const bool fragment = file.encoding == Encoding::kDbnFragment;
      const codec::DbnOptions options{.fragment = fragment, .schema_hint = fragment ? schema.name : ""};
      LODE_TRY(auto decoder, codec::OpenDbn(std::move(bytes), options, context));
      return std::make_unique<OneSchema>(std::move(decoder), schema);
    }
    case Encoding::kCsv:
      if (schema.source != "databento") return codec::OpenVendorCsv(std::move(bytes), schema, context);
      return codec::OpenDatabentoCsv(std::move(bytes), text, context);
    case Encoding::kNdjson:
      if (schema.source == "fred") {
        return codec::OpenFredObservations(std::move(bytes), file.name_facts.symbol, schema, context);
      }
      if (schema.source == "polygon_rest") {
        const codec::RestRequest asked{.ticker = file.name_facts.symbol, .day = file.name_facts.first};
        return codec::OpenRestPages(std::move(bytes), asked, schema, context);
      }
      return codec::OpenDatabentoNdjson(std::move(bytes), text, context);
    case Encoding::kParquet: {
      LODE_TRY(const codec::ColumnMapping mapping, codec::ParseColumnMapping(mapping_toml));
      return codec::OpenForeignParquet(file.path, schema, mapping, context);
    }
  }
  return Fail(ErrorKind::kInternal, "unknown encoding");
}

}  // namespace lode::source::files
