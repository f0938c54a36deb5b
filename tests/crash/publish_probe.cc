// A miniature of lode for the crash tests: import, verify and ledger rebuild over the real publish code, without
// decoders. Understands the flags the tests give to lode itself.
//
// A raw file holds lines "<partition> <row>"; a partition file holds its rows, sorted, each once.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/hashing.h"
#include "lode/lake/lake.h"
#include "lode/lake/verify.h"

namespace {

using namespace lode;
namespace fs = std::filesystem;

constexpr uint64_t kLimitBytes = uint64_t{1} << 30;

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

class ProbeImport {
 public:
  explicit ProbeImport(lake::DatasetWriter writer) : writer_(std::move(writer)) {}

  Status Run(const fs::path& folder) {
    LODE_TRY(const auto files, store::List(folder));
    LODE_TRY(const auto known, writer_.ledger().RawFiles(writer_.dataset()));
    std::set<std::string> landed;
    for (const auto& row : known) landed.insert(row.file.sha256);
    std::map<std::string, std::set<std::string>> rows;
    for (const auto& file : files) {
      LODE_TRY(const store::Digest digest, store::HashFile(folder / file.path));
      if (landed.contains(digest.sha256)) continue;
      LODE_TRY(TakeRaw(folder / file.path, file.path, &rows));
    }
    if (staged_.empty()) return Ok();
    for (auto& [partition, content] : rows) LODE_TRY(Merge(partition, std::move(content)));
    receipt_.dataset = writer_.dataset();
    receipt_.schema = "probe";
    receipt_.layout = "{partition}/data.parquet";
    receipt_.origin = "file";
    receipt_.unit = folder.filename().string();
    return lake::Publish(writer_, staged_, receipt_);
  }

  void DropTemporaries() { writer_.DropTemporaries(); }

 private:
  std::string NextTemporary() const { return fmt::format(".lode/tmp/{}/{:04}", writer_.dataset(), staged_.size()); }

  Status TakeRaw(const fs::path& from, const std::string& name, std::map<std::string, std::set<std::string>>* rows) {
    const std::string temporary = NextTemporary();
    LODE_TRY(const store::Digest digest, store::CopyDurable(from, writer_.paths().root / temporary));
    ledger::RawFile raw;
    raw.name = name;
    raw.landed = fmt::format("landing/{}/files/{}", writer_.dataset(), name);
    raw.size = digest.size;
    raw.sha256 = digest.sha256;
    raw.role = "data";
    staged_.push_back({temporary, raw.landed, raw.sha256, ""});
    receipt_.raw_files.push_back(raw);
    LODE_TRY(const std::string text, store::ReadFile(writer_.paths().root / temporary, kLimitBytes));
    for (const std::string& line : Lines(text)) {
      const size_t space = line.find(' ');
      if (space == std::string::npos) return Fail(ErrorKind::kBadInput, "{}: a line without partition", name);
      (*rows)[line.substr(0, space)].insert(line.substr(space + 1));
      ledger::Cell cell;
      cell.symbol = line.substr(0, space);
      cell.day = Day{static_cast<int32_t>(19'000 + receipt_.cells.size())};
      cell.state = ledger::CellState::kComplete;
      cell.proof = "probe";
      receipt_.cells.push_back(cell);
    }
    return Ok();
  }

  Status Merge(const std::string& name, std::set<std::string> rows) {
    ledger::Partition partition;
    partition.path = name + "/data.parquet";
    LODE_TRY(const auto present, writer_.ledger().Partitions(writer_.dataset()));
    const auto old = std::ranges::find(present, partition.path, [](const auto& row) { return row.partition.path; });
    if (old != present.end()) {
      partition.replaces = old->partition.sha256;
      LODE_TRY(const std::string text,
               store::ReadFile(writer_.paths().bronze(writer_.dataset()) / partition.path, kLimitBytes));
      for (std::string& row : Lines(text)) rows.insert(std::move(row));
    }
    const std::string text = fmt::format("{}\n", fmt::join(rows, "\n"));
    const std::string temporary = NextTemporary();
    LODE_TRY(store::WriteDurable(writer_.paths().root / temporary, text));
    partition.size = text.size();
    partition.sha256 = Sha256Hex(text);
    partition.rows = static_cast<int64_t>(rows.size());
    const std::string target = fmt::format("bronze/{}/{}", writer_.dataset(), partition.path);
    staged_.push_back({temporary, target, partition.sha256, partition.replaces});
    receipt_.partitions.push_back(partition);
    return Ok();
  }

  lake::DatasetWriter writer_;
  ledger::Receipt receipt_;
  std::vector<lake::StagedFile> staged_;
};

Status Import(const lake::LakePaths& paths, const std::string& dataset, const fs::path& folder) {
  LODE_TRY(lake::DatasetWriter writer, lake::DatasetWriter::Open(paths, dataset));
  ProbeImport import(std::move(writer));
  const Status status = import.Run(folder);
  if (!status) import.DropTemporaries();
  return status;
}

Status VerifyLake(const lake::LakePaths& paths) {
  LODE_TRY(const lake::VerifyReport report, lake::Verify(paths, {}));
  for (const lake::Finding& finding : report.findings) fmt::print(stderr, "{}: {}\n", finding.path, finding.problem);
  if (report.damaged()) return Fail(ErrorKind::kIncomplete, "damaged");
  return Ok();
}

Status Run(std::span<const std::string> arguments) {
  lake::LakePaths paths;
  std::string dataset;
  std::vector<std::string> words;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool has_value = argument == "--lake" || argument == "--dataset";
    if (has_value && i + 1 == arguments.size()) return Fail(ErrorKind::kUsage, "{} without value", argument);
    if (argument == "--lake") {
      paths.root = arguments[++i];
    } else if (argument == "--dataset") {
      dataset = arguments[++i];
    } else if (!argument.starts_with("--")) {
      words.push_back(argument);
    }
  }
  const std::string command = words.empty() ? "" : words.front();
  if (command == "init") return lake::CreateLake(paths);
  if (command == "import" && words.size() == 2) return Import(paths, dataset, words[1]);
  if (command == "verify") return VerifyLake(paths);
  if (command == "ledger") {
    LODE_TRY(lake::RebuildLedger(paths));
    return Ok();
  }
  return Fail(ErrorKind::kUsage, "init | import FOLDER --dataset NAME | verify | ledger rebuild");
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const Status status = Run(arguments);
  if (status) return 0;
  fmt::print(stderr, "publish_probe: {}\n", status.error().ToString());
  return ExitCode(status.error().kind);
}
