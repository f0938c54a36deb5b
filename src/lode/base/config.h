// lode.toml, the environment and flags as one set of values, each knowing where it came from.
//
// Precedence: flag > environment (LODE_SOURCES_DATABENTO_BASE_URL …) > file > default. Values that make lode act
// (`cmd:` keys, base URLs, webhooks, notify commands) are obeyed only from --config, the user's own config folder, or a
// file only its owner may write: opening a stranger's lake runs and leaks nothing.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/base/time.h"

namespace lode {

enum class BadRecordPolicy {
  kDefault,     // quarantine, fail above 0.1 % of a unit's records
  kFail,        // any bad record fails its unit
  kQuarantine,  // never fails
};

struct DatasetConfig {
  std::string name;       // [a-z0-9_]+, also the folder under bronze/
  std::string source;     // databento | files | …
  std::string dataset;    // vendor's code, "GLBX.MDP3"; may be empty
  std::string schema;     // vendor schema, "ohlcv-1m"
  std::string flat_file;  // polygon: "us_stocks_sip/day_aggs_v1"
  std::string exchange;   // tardis: "deribit"
  std::string data_type;  // tardis: "trades"
  std::string rest;       // polygon: "dividends"
  std::string stype_in;
  // As written: also "@name" and paths of list files (symbol/lists.h). fred: `series` in the file.
  std::vector<std::string> symbols;
  std::optional<Day> start;
  std::string layout;  // empty: the schema's default
  BadRecordPolicy on_bad_record = BadRecordPolicy::kDefault;
  std::string calendar;                  // "XNYS" (docs/calendars.md); empty: the source's own
  std::optional<int32_t> chunk_symbols;  // of one request, at least 1; unset: the schema's default (plan/chunk.h)
  std::optional<int32_t> chunk_days;
  // The table schema's name whatever the source calls it: `schema`, `flat_file`, "tardis/" and `data_type`, "polygon/"
  // and `rest`, or FRED's one; may be empty.
  std::string schema_name() const;
};

// One value of `lode config show --origin`.
struct ConfigValue {
  std::string key;     // dotted: "sources.databento.base_url"
  std::string value;   // TOML form; secrets are never values, only their references (env:NAME)
  std::string origin;  // "flag", "env LODE_…", "file PATH:LINE", "default"
};

struct ConfigRequest {
  std::optional<std::filesystem::path> lake;         // --lake
  std::optional<std::filesystem::path> config_file;  // --config
  std::optional<std::filesystem::path> env_file;     // --env-file: NAME=VALUE lines
  std::map<std::string, std::string> flags;          // dotted key -> value
};

class Config {
 public:
  // Reads everything. kConfig names file and line of a bad value or an unknown key (with the nearest known one).
  // A lake without lode.toml gets the defaults.
  // The lake is --lake, else LODE_LAKE, else lake.root of --config, else the current folder when it holds lode.toml or
  // .lode; kUsage when there is none. Below the lake's file lies the user's own: $XDG_CONFIG_HOME/lode/lode.toml, which
  // may hold anything but [lake] and [datasets]. Reads files, writes nothing, resolves no key.
  static Result<Config> Load(const ConfigRequest& request);
  // The same from text, for tests and fuzzing; no environment.
  static Result<Config> Parse(std::string_view toml, std::string_view origin_name);

  const std::filesystem::path& lake_root() const { return lake_root_; }
  // Where datasets are declared: lode.toml of the lake or the file given by --config.
  const std::filesystem::path& file() const { return file_; }
  const std::map<std::string, DatasetConfig>& datasets() const { return datasets_; }
  const DatasetConfig* FindDataset(std::string_view name) const;
  // Every value with its origin, sorted by key.
  const std::vector<ConfigValue>& values() const { return values_; }
  // Plain text of a value (lists: comma-separated), nullopt when neither set nor known by default.
  std::optional<std::string> Get(std::string_view dotted_key) const;
  // The texts of a list; nullopt when it is not set.
  std::optional<std::vector<std::string>> GetList(std::string_view dotted_key) const;
  // The key that a reference such as "sources.databento.key" leads to (base/secrets.h, ResolveKey). kConfig names the
  // reference, or the configuration key when there is none. May run a command.
  Result<std::string> ResolveKey(std::string_view dotted_key) const;
  // What the user should know and need not act on: values the trust rule dropped.
  const std::vector<std::string>& notices() const { return notices_; }

 private:
  friend class ConfigBuilder;
  std::filesystem::path lake_root_;
  std::filesystem::path file_;
  std::map<std::string, DatasetConfig> datasets_;
  std::vector<ConfigValue> values_;
  std::map<std::string, std::string, std::less<>> plain_;
  std::map<std::string, std::vector<std::string>, std::less<>> lists_;
  std::vector<std::string> notices_;
  std::map<std::string, std::string> env_file_;  // of --env-file: may hold keys, is never shown
};

// Appends a [datasets.NAME] table to `file` (created when absent, 0644), durably and atomically; comments stay. Two
// processes may do so at once. kConfig when the file declares the name already.
Status DeclareDataset(const std::filesystem::path& file, const DatasetConfig& dataset);

// Appends a [pipelines.NAME] table in the same way. `at`: base/recurrence.h; empty: none.
Status DeclarePipeline(const std::filesystem::path& file, const std::string& name, const std::string& at,
                       const std::vector<std::string>& steps);

// Dataset names are folder names: [a-z0-9_], 1 to 64 characters, not starting with '_' or a digit.
Status CheckDatasetName(std::string_view name);

// "512MiB", "2G", "1073741824" -> bytes. kUsage on anything else.
Result<uint64_t> ParseSize(std::string_view text);

}  // namespace lode
