// Appending a dataset to lode.toml without touching what people wrote there.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "lode/base/config.h"
#include "lode/base/config_file.h"
#include "lode/base/descriptor.h"

namespace lode {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> Storage(const fs::path& path) {
  return Fail(ErrorKind::kStorage, "{}: {}", path.string(), std::strerror(errno));
}

Result<std::string> ReadAll(const fs::path& file, int fd) {
  std::string text;
  char block[16384];
  while (text.size() <= config::kLongestFile) {
    ssize_t got = ::read(fd, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Storage(file);
    if (got == 0) return text;
    text.append(block, static_cast<size_t>(got));
  }
  return Fail(ErrorKind::kConfig, "{}: larger than {} MiB", file.string(), config::kLongestFile >> 20);
}

Status WriteAll(const fs::path& file, int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Storage(file);
    text.remove_prefix(static_cast<size_t>(written));
  }
  if (::fsync(fd) != 0) return Storage(file);
  return Ok();
}

std::string TableText(const DatasetConfig& dataset) {
  using config::KeyType;
  std::string text = fmt::format("[datasets.{}]\n", dataset.name);
  auto add = [&](const char* key, KeyType type, const std::string& value) {
    if (!value.empty()) text += fmt::format("{} = {}\n", key, config::Value{type, value, {}, {}}.Shown());
  };
  add("source", KeyType::kText, dataset.source);
  add("dataset", KeyType::kText, dataset.dataset);
  add("schema", KeyType::kText, dataset.schema);
  add("flat_file", KeyType::kText, dataset.flat_file);
  add("exchange", KeyType::kText, dataset.exchange);
  add("data_type", KeyType::kText, dataset.data_type);
  add("rest", KeyType::kText, dataset.rest);
  add("stype_in", KeyType::kText, dataset.stype_in);
  if (!dataset.symbols.empty()) {
    text += fmt::format("{} = {}\n", dataset.source == "fred" ? "series" : "symbols",
                        config::Value{KeyType::kList, {}, dataset.symbols, {}}.Shown());
  }
  if (dataset.start) add("start", KeyType::kDay, FormatDay(*dataset.start));
  add("layout", KeyType::kText, dataset.layout);
  add("calendar", KeyType::kText, dataset.calendar);
  if (dataset.chunk_symbols) text += fmt::format("chunk.symbols = {}\n", *dataset.chunk_symbols);
  if (dataset.chunk_days) text += fmt::format("chunk.days = {}\n", *dataset.chunk_days);
  if (dataset.on_bad_record == BadRecordPolicy::kFail) add("on_bad_record", KeyType::kText, "fail");
  if (dataset.on_bad_record == BadRecordPolicy::kQuarantine) add("on_bad_record", KeyType::kText, "quarantine");
  return text;
}

// Temporary beside the file, fsync, rename, fsync of the folder. The folder's lock makes the temporary's name ours.
Status Replace(const fs::path& file, int folder_fd, std::string_view text, mode_t mode) {
  fs::path temporary = file.parent_path() / ("." + file.filename().string() + ".new");
  {
    Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode & 0777));
    if (fd.get() < 0) return Storage(temporary);
    Status written = WriteAll(temporary, fd.get(), text);
    if (!written) {
      ::unlink(temporary.c_str());
      return written;
    }
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0) return Storage(file);
  if (::fsync(folder_fd) != 0) return Storage(file.parent_path());
  return Ok();
}

// Appends a table, unless `is_declared` says of what the file holds that it is there.
Status AppendTable(const fs::path& file, const std::string& name, const std::string& table,
                   const std::function<bool(const config::FileValues&)>& is_declared) {
  std::error_code problem;
  fs::path target = fs::weakly_canonical(file, problem);  // a link stays a link: its target is replaced
  if (problem) return Fail(ErrorKind::kStorage, "{}: {}", file.string(), problem.message());
  Descriptor folder(::open(target.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return Storage(target.parent_path());
  while (::flock(folder.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return Storage(target.parent_path());
  }
  std::string text;
  mode_t mode = 0644;
  {
    Descriptor fd(::open(target.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0 && errno != ENOENT) return Storage(target);
    if (fd.get() >= 0) {
      struct stat info{};
      if (::fstat(fd.get(), &info) != 0) return Storage(target);
      mode = info.st_mode;
      LODE_TRY(text, ReadAll(target, fd.get()));
    }
  }
  LODE_TRY(config::FileValues declared, config::ReadToml(text, file.string()));
  if (is_declared(declared)) return Fail(ErrorKind::kConfig, "{}: {} is declared already", file.string(), name);
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  if (!text.empty()) text += '\n';
  text += table;
  LODE_TRY(config::FileValues checked, config::ReadToml(text, file.string()));
  return Replace(target, folder.get(), text, mode);
}

}  // namespace

std::string DatasetConfig::schema_name() const {
  if (!flat_file.empty()) return flat_file;
  if (!data_type.empty()) return "tardis/" + data_type;
  if (!rest.empty()) return "polygon/" + rest;
  if (source == "fred" && schema.empty()) return "fred/observations";
  return schema;
}

Status DeclareDataset(const fs::path& file, const DatasetConfig& dataset) {
  LODE_TRY(CheckDatasetName(dataset.name));
  return AppendTable(file, "datasets." + dataset.name, TableText(dataset),
                     [&](const config::FileValues& declared) { return declared.datasets.contains(dataset.name); });
}

Status DeclarePipeline(const fs::path& file, const std::string& name, const std::string& at,
                       const std::vector<std::string>& steps) {
  LODE_TRY(CheckDatasetName(name));
  const std::string key = "pipelines." + name;
  std::string table = fmt::format("[{}]\n", key);
  if (!at.empty()) table += fmt::format("at = {}\n", config::Value{config::KeyType::kText, at, {}, {}}.Shown());
  table += fmt::format("steps = {}\n", config::Value{config::KeyType::kList, {}, steps, {}}.Shown());
  return AppendTable(file, key, table,
                     [&](const config::FileValues& declared) { return declared.values.contains(key + ".steps"); });
}

}  // namespace lode
