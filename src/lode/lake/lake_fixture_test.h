// A lake in a folder for temporaries, and publishes of small text files, for the tests of this folder.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "lode/base/hashing.h"
#include "lode/lake/lake.h"
#include "lode/lake/receipt_folder.h"
#include "lode/lake/verify.h"

namespace lode::lake {

class LakeFixture : public testing::Test {
 protected:
  LakeFixture() {
    // Memory where there is some: these tests are about order and content, and fsync on a busy disk takes seconds.
    const fs::path memory = "/dev/shm";
    std::string name =
        ((::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path()) / "lode-lake-XXXXXX");
    paths_.root = ::mkdtemp(name.data());
  }
  ~LakeFixture() override { fs::remove_all(paths_.root); }

  // Contents of a publish: partition path -> bytes, all in one unit with one raw file "<raw>".
  using Contents = std::map<std::string, std::string>;

  // Writes temporaries and stages them.
  std::vector<StagedFile> Stage(DatasetWriter& writer, const Contents& partitions, const std::string& raw,
                                ledger::Receipt* receipt) {
    receipt->dataset = writer.dataset();
    receipt->schema = "ohlcv-1d";
    receipt->layout = "year={yyyy}/data.parquet";
    receipt->origin = "file";
    receipt->unit = raw;
    std::vector<StagedFile> files;
    const auto stage = [&](const std::string& bytes, const std::string& target, std::string old) {
      const std::string temporary = fmt::format(".lode/tmp/{}/part-{}", writer.dataset(), files.size());
      EXPECT_TRUE(store::WriteDurable(paths_.root / temporary, bytes));
      files.push_back({temporary, target, Sha256Hex(bytes), std::move(old)});
    };
    ledger::RawFile raw_file;
    raw_file.name = raw;
    raw_file.landed = fmt::format("landing/{}/files/{}", writer.dataset(), raw);
    raw_file.size = raw.size();
    raw_file.sha256 = Sha256Hex(raw);
    raw_file.role = "data";
    stage(raw, raw_file.landed, "");
    receipt->raw_files.push_back(raw_file);
    const auto known = writer.ledger().Partitions(writer.dataset()).value();
    for (const auto& [path, bytes] : partitions) {
      std::string old;
      for (const ledger::PartitionRow& row : known) {
        if (row.partition.path == path) old = row.partition.sha256;
      }
      ledger::Partition partition;
      partition.path = path;
      partition.size = bytes.size();
      partition.sha256 = Sha256Hex(bytes);
      partition.rows = 1;
      partition.replaces = old;
      receipt->partitions.push_back(partition);
      stage(bytes, fmt::format("bronze/{}/{}", writer.dataset(), path), old);
    }
    for (int day = 0; day < 3; ++day) {
      ledger::Cell cell;
      cell.symbol = "ZL.FUT";
      cell.day = Day{19'723 + day};
      cell.state = day == 2 ? ledger::CellState::kMissing : ledger::CellState::kComplete;
      cell.proof = day == 2 ? "" : "manifest";
      receipt->cells.push_back(cell);
    }
    return files;
  }

  Status PublishOnce(DatasetWriter& writer, const Contents& partitions, const std::string& raw) {
    ledger::Receipt receipt;
    const std::vector<StagedFile> files = Stage(writer, partitions, raw, &receipt);
    return Publish(writer, files, receipt);
  }

  Status PublishOnce(const std::string& dataset, const Contents& partitions, const std::string& raw) {
    LODE_TRY(DatasetWriter writer, DatasetWriter::Open(paths_, dataset));
    return PublishOnce(writer, partitions, raw);
  }

  // Path -> content of the files below one folder of the lake.
  std::map<std::string, std::string> Tree(const std::string& folder) const {
    std::map<std::string, std::string> tree;
    const auto files = store::List(paths_.root / folder).value();
    for (const store::FileInfo& file : files) {
      tree[file.path] = store::ReadFile(paths_.root / folder / file.path, 1 << 30).value();
    }
    return tree;
  }

  // Everything in the lake with times, to see that nothing was written.
  std::string Snapshot() const {
    std::vector<std::string> lines;
    for (const auto& entry : fs::recursive_directory_iterator(paths_.root)) {
      lines.push_back(
          fmt::format("{} {}", entry.path().string(), fs::last_write_time(entry.path()).time_since_epoch().count()));
    }
    std::ranges::sort(lines);
    return fmt::format("{}", fmt::join(lines, "\n"));
  }

  // "severity dataset path: problem" of each finding.
  std::vector<std::string> Findings(const std::vector<std::string>& datasets = {}) const {
    std::vector<std::string> lines;
    const Result<VerifyReport> report = Verify(paths_, datasets);
    if (!report) return {report.error().ToString()};
    for (const Finding& finding : report->findings) {
      const bool damage = finding.severity == Finding::Severity::kDamage;
      lines.push_back(fmt::format("{} {}: {}", damage ? "damage" : "warning", finding.path, finding.problem));
    }
    return lines;
  }

  std::string Dump() const { return ledger::Ledger::OpenReadOnly(paths_.ledger()).value()->Dump().value(); }

  LakePaths paths_;
};

}  // namespace lode::lake
