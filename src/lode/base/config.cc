#include "lode/base/config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "lode/base/config_environment.h"
#include "lode/base/config_file.h"
#include "lode/base/secrets.h"

namespace lode {
namespace {

namespace fs = std::filesystem;
using config::Environment;
using config::FileValues;
using config::Value;

struct TextFile {
  std::string text;
  bool only_owner_writes = false;  // the current user owns it and nobody else may write it
  mode_t mode = 0;
};

// kNotFound when absent. Ownership is that of the bytes read: both come from one descriptor.
Result<TextFile> ReadTextFile(const fs::path& file) {
  int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    ErrorKind kind = errno == ENOENT || errno == ENOTDIR ? ErrorKind::kNotFound : ErrorKind::kConfig;
    return Fail(kind, "{}: {}", file.string(), std::strerror(errno));
  }
  TextFile read;
  struct stat info{};
  Status status = Ok();
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    status = Fail(ErrorKind::kConfig, "{}: not a regular file", file.string());
  } else if (static_cast<uint64_t>(info.st_size) > config::kLongestFile) {
    status = Fail(ErrorKind::kConfig, "{}: larger than {} MiB", file.string(), config::kLongestFile >> 20);
  }
  read.mode = info.st_mode;
  read.only_owner_writes = info.st_uid == ::geteuid() && (info.st_mode & 022) == 0;
  char block[16384];
  while (status && read.text.size() <= config::kLongestFile) {
    ssize_t got = ::read(fd, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) status = Fail(ErrorKind::kConfig, "{}: {}", file.string(), std::strerror(errno));
    if (got <= 0) break;
    read.text.append(block, static_cast<size_t>(got));
  }
  ::close(fd);
  if (!status) return std::unexpected(std::move(status).error());
  return read;
}

bool IsCommandKey(const Value& value) { return value.type == config::KeyType::kKey && value.text.starts_with("cmd:"); }

// The trust rule: drops what would make lode act, and says so.
void DropActing(FileValues& file, std::vector<std::string>& notices) {
  std::erase_if(file.values, [&](const auto& entry) {
    const auto& [key, value] = entry;
    const config::KnownKey* known = config::FindKey(config::SplitKey(key));
    bool acts = (known != nullptr && known->acts && value.text != known->default_value) || IsCommandKey(value);
    if (acts) {
      notices.push_back(fmt::format(
          "{} ({}) is ignored: that file is not yours, or others may write it; give it as --config to obey it", key,
          value.origin));
    }
    return acts;
  });
}

std::optional<std::string> Variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::optional<fs::path> UserFile() {
  if (std::optional<std::string> folder = Variable("XDG_CONFIG_HOME")) return fs::path(*folder) / "lode" / "lode.toml";
  if (std::optional<std::string> home = Variable("HOME")) return fs::path(*home) / ".config" / "lode" / "lode.toml";
  return std::nullopt;
}

Result<Environment> ReadEnvironmentOption(const ConfigRequest& request, std::vector<std::string>& notices) {
  if (!request.env_file) return Environment();
  Result<TextFile> file = ReadTextFile(*request.env_file);
  if (!file) return Fail(ErrorKind::kConfig, "--env-file {}", file.error().message);
  if ((file->mode & 077) != 0) {
    notices.push_back(fmt::format("{} may be read by others: chmod 600 it", request.env_file->string()));
  }
  return config::ReadEnvironmentFile(file->text, request.env_file->string());
}

Result<fs::path> Absolute(const fs::path& path) {
  std::error_code problem;
  fs::path absolute = fs::absolute(path, problem);
  if (problem) return Fail(ErrorKind::kUsage, "{}: {}", path.string(), problem.message());
  absolute = absolute.lexically_normal();
  if (!absolute.has_filename() && absolute != absolute.root_path()) absolute = absolute.parent_path();
  return absolute;
}

Result<fs::path> LocalFolder(std::string_view root) {
  if (root.contains("://")) {
    return Fail(ErrorKind::kConfig, "lake {}: this version keeps lakes in local folders only", WithoutPassword(root));
  }
  return Absolute(fs::path(root));
}

// The folder that holds lode.toml, when neither --lake nor --config says.
Result<fs::path> CurrentLake() {
  std::error_code problem;
  fs::path here = fs::current_path(problem);
  if (!problem && (fs::exists(here / "lode.toml", problem) || fs::exists(here / ".lode", problem))) return here;
  return Fail(ErrorKind::kUsage, "no lake here: give --lake DIR or set LODE_LAKE (`lode --lake DIR init` makes one)");
}

}  // namespace

// Merges the layers, lowest first, and reads datasets out of the result.
class ConfigBuilder {
 public:
  void Set(const std::string& key, Value value) { merged_[key] = std::move(value); }

  void AddDefaults() {
    for (const config::KnownKey& known : config::KnownKeys()) {
      if (known.pattern.contains('*') || known.default_value.empty()) continue;
      Set(std::string(known.pattern), Value{known.type, std::string(known.default_value), {}, "default"});
    }
  }

  void AddFile(FileValues file) {
    for (auto& [key, value] : file.values) Set(key, std::move(value));
    names_.merge(file.datasets);
  }

  Status AddEnvironment(const Environment& environment) {
    LODE_TRY(auto values, config::EnvironmentValues(environment, names_));
    for (auto& [key, value] : values) {
      std::vector<std::string> parts = config::SplitKey(key);
      if (parts[0] == "datasets") {
        Status named = CheckDatasetName(parts[1]);
        if (!named) return Fail(ErrorKind::kConfig, "{}: {}", value.origin, named.error().message);
        names_.insert(parts[1]);
      }
      Set(key, std::move(value));
    }
    return Ok();
  }

  Status AddFlags(const std::map<std::string, std::string>& flags) {
    for (const auto& [key, text] : flags) {
      const config::KnownKey* known = config::FindKey(config::SplitKey(key));
      if (known == nullptr) return Fail(ErrorKind::kUsage, "no setting {}", key);
      LODE_TRY(Value value, config::CheckValue(known->type, text));
      value.origin = "flag";
      Set(key, std::move(value));
    }
    return Ok();
  }

  const Value* Find(const std::string& key) const {
    auto found = merged_.find(key);
    return found == merged_.end() ? nullptr : &found->second;
  }

  Result<Config> Build(fs::path lake_root, fs::path file, std::vector<std::string> notices) && {
    Config config;
    for (const std::string& name : names_) {
      LODE_TRY(DatasetConfig dataset, Dataset(name));
      config.datasets_.emplace(name, std::move(dataset));
    }
    for (const auto& [key, value] : merged_) {
      if (value.type == config::KeyType::kList) config.lists_[key] = value.list;
      config.values_.push_back({key, value.Shown(), value.origin});
      config.plain_[key] =
          value.type == config::KeyType::kList ? fmt::format("{}", fmt::join(value.list, ",")) : value.text;
    }
    config.lake_root_ = std::move(lake_root);
    config.file_ = std::move(file);
    config.notices_ = std::move(notices);
    return config;
  }

 private:
  Result<DatasetConfig> Dataset(const std::string& name) const {
    std::string prefix = "datasets." + name + ".";
    auto text = [&](const char* key) {
      const Value* value = Find(prefix + key);
      return value == nullptr ? std::string() : value->text;
    };
    DatasetConfig dataset{.name = name,
                          .source = text("source"),
                          .dataset = text("dataset"),
                          .schema = text("schema"),
                          .flat_file = text("flat_file"),
                          .exchange = text("exchange"),
                          .data_type = text("data_type"),
                          .rest = text("rest"),
                          .stype_in = text("stype_in"),
                          .symbols = {},
                          .start = {},
                          .layout = text("layout")};
    if (dataset.source.empty()) {
      return Fail(ErrorKind::kConfig,
                  "datasets.{}: `source` is missing (databento, polygon, tardis, fred, archive, files)", name);
    }
    if (const Value* symbols = Find(prefix + "symbols")) dataset.symbols = symbols->list;
    if (const Value* series = Find(prefix + "series")) {
      dataset.symbols.insert(dataset.symbols.end(), series->list.begin(), series->list.end());
    }
    if (const Value* start = Find(prefix + "start")) {
      LODE_TRY(dataset.start, ParseDay(start->text));
    }
    dataset.calendar = text("calendar");
    dataset.chunk_symbols = Number(prefix + "chunk.symbols");
    dataset.chunk_days = Number(prefix + "chunk.days");
    std::string policy = text("on_bad_record");
    if (policy == "fail") dataset.on_bad_record = BadRecordPolicy::kFail;
    if (policy == "quarantine") dataset.on_bad_record = BadRecordPolicy::kQuarantine;
    return dataset;
  }

  // Of an integer key, whose text was checked.
  std::optional<int32_t> Number(const std::string& key) const {
    const Value* value = Find(key);
    int32_t number = 0;
    if (value == nullptr) return std::nullopt;
    std::from_chars(value->text.data(), value->text.data() + value->text.size(), number);
    return number;
  }

  std::map<std::string, Value> merged_;
  std::set<std::string> names_;
};

namespace {

struct Location {
  fs::path file;
  std::optional<std::string> lake;  // from --lake or LODE_LAKE
  std::string lake_origin;
};

Result<Location> Locate(const ConfigRequest& request, const Environment& environment) {
  Location location;
  if (request.lake) {
    location.lake = request.lake->string();
    location.lake_origin = "flag --lake";
  } else if (auto found = environment.find("LODE_LAKE"); found != environment.end() && !found->second.empty()) {
    location.lake = found->second;
    location.lake_origin = "env LODE_LAKE";
  }
  if (request.config_file) {
    LODE_TRY(location.file, Absolute(*request.config_file));
    return location;
  }
  fs::path folder;
  if (location.lake) {
    LODE_TRY(folder, LocalFolder(*location.lake));
  } else {
    LODE_TRY(folder, CurrentLake());
  }
  location.file = folder / "lode.toml";
  return location;
}

Result<FileValues> ReadUserFile(const fs::path& path, std::vector<std::string>& notices) {
  Result<TextFile> read = ReadTextFile(path);
  if (!read && read.error().kind == ErrorKind::kNotFound) return FileValues{};
  if (!read) return std::unexpected(std::move(read).error());
  LODE_TRY(FileValues file, config::ReadToml(read->text, path.string()));
  if (!file.datasets.empty() || file.values.contains("lake.root")) {
    return Fail(ErrorKind::kConfig, "{}: [lake] and [datasets] belong into a lake's lode.toml", path.string());
  }
  if (!read->only_owner_writes) DropActing(file, notices);
  return file;
}

}  // namespace

Result<Config> Config::Load(const ConfigRequest& request) {
  std::vector<std::string> notices;
  LODE_TRY(const Environment env_file, ReadEnvironmentOption(request, notices));
  Environment environment = config::ProcessEnvironment();
  environment.insert(env_file.begin(), env_file.end());  // what the process was started with wins
  LODE_TRY(Location location, Locate(request, environment));
  ConfigBuilder builder;
  builder.AddDefaults();
  if (std::optional<fs::path> path = UserFile()) {
    LODE_TRY(FileValues user, ReadUserFile(*path, notices));
    builder.AddFile(std::move(user));
  }
  Result<TextFile> read = ReadTextFile(location.file);
  if (read) {
    LODE_TRY(FileValues file, config::ReadToml(read->text, location.file.string()));
    if (!request.config_file && !read->only_owner_writes) DropActing(file, notices);
    builder.AddFile(std::move(file));
  } else if (request.config_file || read.error().kind != ErrorKind::kNotFound) {
    return Fail(ErrorKind::kConfig, "config file {}", read.error().message);
  }
  LODE_TRY(builder.AddEnvironment(environment));
  if (location.lake) builder.Set("lake.root", {config::KeyType::kFolder, *location.lake, {}, location.lake_origin});
  LODE_TRY(builder.AddFlags(request.flags));

  const Value& root = *builder.Find("lake.root");
  bool beside_file = root.origin.starts_with("file") || root.origin == "default";
  fs::path written = root.text;
  if (beside_file && !root.text.contains("://")) written = location.file.parent_path() / written;
  LODE_TRY(fs::path lake_root, LocalFolder(written.string()));
  LODE_TRY(Config config, std::move(builder).Build(std::move(lake_root), std::move(location.file), std::move(notices)));
  config.env_file_ = env_file;
  return config;
}

Result<Config> Config::Parse(std::string_view toml, std::string_view origin_name) {
  LODE_TRY(FileValues file, config::ReadToml(toml, origin_name));
  ConfigBuilder builder;
  builder.AddDefaults();
  builder.AddFile(std::move(file));
  std::string root = builder.Find("lake.root")->text;
  return std::move(builder).Build(std::move(root), fs::path(origin_name), {});
}

const DatasetConfig* Config::FindDataset(std::string_view name) const {
  auto found = datasets_.find(std::string(name));
  return found == datasets_.end() ? nullptr : &found->second;
}

std::optional<std::string> Config::Get(std::string_view dotted_key) const {
  auto found = plain_.find(dotted_key);
  if (found == plain_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::vector<std::string>> Config::GetList(std::string_view dotted_key) const {
  auto found = lists_.find(dotted_key);
  if (found == lists_.end()) return std::nullopt;
  return found->second;
}

Result<std::string> Config::ResolveKey(std::string_view dotted_key) const {
  const std::optional<std::string> text = Get(dotted_key);
  if (!text || text->empty()) return Fail(ErrorKind::kConfig, "no key: set {}", dotted_key);
  LODE_TRY(const KeyReference reference, ParseKeyReference(*text));
  Result<std::string> key = lode::ResolveKey(reference, env_file_);
  if (!key) return std::unexpected(std::move(key).error().With(std::string(dotted_key)));
  return key;
}

Status CheckDatasetName(std::string_view name) {
  bool legal =
      !name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
      std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  if (legal) return Ok();
  return Fail(ErrorKind::kUsage, "not a dataset name: use a-z, 0-9 and '_', at most 64, starting with a letter");
}

Result<uint64_t> ParseSize(std::string_view text) {
  uint64_t number = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  struct Unit {
    std::string_view name;
    uint64_t bytes;
  };
  constexpr Unit kUnits[] = {
      {"", 1},           {"B", 1},         {"K", 1 << 10}, {"KB", 1000},          {"KiB", 1 << 10}, {"M", 1 << 20},
      {"MB", 1'000'000}, {"MiB", 1 << 20}, {"G", 1 << 30}, {"GB", 1'000'000'000}, {"GiB", 1 << 30}};
  for (const Unit& known : kUnits) {
    if (problem != std::errc() || unit != known.name || number > (uint64_t{1} << 50) / known.bytes) continue;
    return number * known.bytes;
  }
  return Fail(ErrorKind::kUsage, "not a size: {} (write 512MiB, 2G or a number of bytes)", text.substr(0, 64));
}

}  // namespace lode
