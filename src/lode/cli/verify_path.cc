#include "lode/cli/verify_path.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "lode/base/stop.h"
#include "lode/store/local_disk.h"

namespace lode::cli {
namespace {

namespace fs = std::filesystem;

struct Named {
  uint64_t size = 0;
  std::string sha256;
};

struct Place {
  std::string dataset;
  std::string relative;  // to the lake, '/' separated, no trailing '/'
};

Result<Place> Locate(const lake::LakePaths& paths, const fs::path& path) {
  std::error_code problem;
  fs::path root = fs::weakly_canonical(paths.root, problem);
  for (const fs::path& base : {fs::current_path(problem), root}) {
    fs::path candidate = fs::weakly_canonical(base / path, problem);
    if (problem) continue;
    fs::path relative = candidate.lexically_relative(root);
    auto part = relative.begin();
    if (part == relative.end() || (*part != "bronze" && *part != "landing")) continue;
    if (++part == relative.end() || !CheckDatasetName(part->string())) continue;
    std::string text = relative.generic_string();
    if (text.ends_with('/')) text.pop_back();
    return Place{part->string(), text};
  }
  return Fail(ErrorKind::kUsage, "verify {}: neither a dataset nor a path below landing/ or bronze/ of {}",
              path.string(), paths.root.string());
}

bool IsAtOrBelow(std::string_view path, std::string_view folder) {
  return path == folder || (path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/');
}

std::string LakePath(const Place& place, const ledger::PartitionRow& row) {
  return "bronze/" + place.dataset + "/" + row.partition.path;
}

// What the ledger names at or below the place; a later receipt's word stands.
Result<std::map<std::string, Named>> NamedFiles(ledger::Ledger& ledger, const Place& place) {
  std::map<std::string, Named> named;
  LODE_TRY(std::vector<ledger::PartitionRow> partitions, ledger.Partitions(place.dataset));
  for (const ledger::PartitionRow& row : partitions) {
    named[LakePath(place, row)] = {row.partition.size, row.partition.sha256};
  }
  LODE_TRY(std::vector<ledger::RawFileRow> raw_files, ledger.RawFiles(place.dataset));
  for (const ledger::RawFileRow& row : raw_files) {
    if (!row.file.in_place && !row.removed) named[row.file.landed] = {row.file.size, row.file.sha256};
  }
  std::erase_if(named, [&](const auto& entry) { return !IsAtOrBelow(entry.first, place.relative); });
  return named;
}

Result<std::vector<std::string>> FilesPresent(const lake::LakePaths& paths, const Place& place) {
  fs::path path = paths.root / place.relative;
  std::error_code problem;
  if (fs::is_regular_file(path, problem)) return std::vector<std::string>{place.relative};
  LODE_TRY(std::vector<store::FileInfo> files, store::List(path));
  std::vector<std::string> present;
  for (const store::FileInfo& file : files) present.push_back(place.relative + "/" + file.path);
  return present;
}

}  // namespace

Result<lake::VerifyReport> VerifyPath(Session& session, const lake::LakePaths& paths, const fs::path& path) {
  LODE_TRY(Place place, Locate(paths, path));
  LODE_TRY(ledger::Ledger * ledger, session.ledger());
  std::map<std::string, Named> named;
  if (ledger != nullptr) {
    LODE_TRY(named, NamedFiles(*ledger, place));
  }
  LODE_TRY(std::vector<std::string> present, FilesPresent(paths, place));
  if (named.empty() && present.empty()) {
    return Fail(ErrorKind::kNotFound, "verify {}: no such file, and no receipt names it", path.string());
  }
  lake::VerifyReport report;
  auto damage = [&](const std::string& file, std::string problem) {
    report.findings.push_back({lake::Finding::Severity::kDamage, place.dataset, file, std::move(problem)});
  };
  for (const std::string& file : present) {
    LODE_TRY(CheckStop());
    auto found = named.find(file);
    if (found == named.end()) {
      damage(file, "no receipt names it");
      continue;
    }
    Result<store::Digest> digest = store::HashFile(paths.root / file);
    if (!digest) {
      damage(file, digest.error().message);
    } else {
      report.bytes_checked += digest->size;
      if (digest->size != found->second.size) {
        damage(file, fmt::format("{} bytes, the receipt says {}", digest->size, found->second.size));
      } else if (digest->sha256 != found->second.sha256) {
        damage(file, "SHA-256 differs from the receipt's");
      }
    }
    ++report.files_checked;
    named.erase(found);
  }
  for (const auto& [file, expected] : named) damage(file, "gone; a receipt names it");
  std::ranges::sort(report.findings, {}, &lake::Finding::path);
  return report;
}

Result<sink::ContentDataset> ContentBelow(Session& session, const lake::LakePaths& paths, const fs::path& path) {
  LODE_TRY(Place place, Locate(paths, path));
  sink::ContentDataset content{.row = {place.dataset, "", ""}, .partitions = {}, .vendor_dataset = ""};
  LODE_TRY(ledger::Ledger * ledger, session.ledger());
  if (ledger == nullptr) return content;
  LODE_TRY(const std::vector<ledger::DatasetRow> datasets, ledger->Datasets());
  const auto dataset = std::ranges::find(datasets, place.dataset, &ledger::DatasetRow::name);
  if (dataset == datasets.end()) return content;
  content.row = *dataset;
  LODE_TRY(content.partitions, ledger->Partitions(place.dataset));
  std::erase_if(content.partitions,
                [&](const ledger::PartitionRow& row) { return !IsAtOrBelow(LakePath(place, row), place.relative); });
  return content;
}

}  // namespace lode::cli
