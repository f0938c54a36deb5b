#include "lode/sink/duckdb/load_inputs.h"

#include <algorithm>
#include <map>
#include <regex>

#include "lode/lake/listing.h"

namespace lode::sink {
namespace {

namespace fs = std::filesystem;

constexpr int kAttempts = 3;

// "GLBX-20251120-CQRNQQM89S", alone or within a longer name; empty when there is none.
std::string JobId(const std::string& unit) {
  static const std::regex pattern("[A-Z]{3,8}-[0-9]{8}-[A-Z0-9]{10}");
  std::smatch found;
  return std::regex_search(unit, found, pattern) ? found.str() : "";
}

// A publish that a killed run left half done; opening the dataset for writing decides it.
Status FinishPublish(const lake::LakePaths& paths, const ledger::DatasetRow& dataset, bool may_repair) {
  if (!may_repair) {
    return Fail(ErrorKind::kBusy, "dataset {}: a publish is under way or was interrupted; run again later",
                dataset.name);
  }
  LODE_TRY(lake::DatasetWriter writer, lake::DatasetWriter::Open(paths, dataset.name));
  return Ok();
}

bool Equal(const std::vector<ledger::PartitionRow>& a, const std::vector<ledger::PartitionRow>& b) {
  return std::ranges::equal(a, b, [](const ledger::PartitionRow& x, const ledger::PartitionRow& y) {
    return x.sequence == y.sequence && x.partition == y.partition;
  });
}

Result<LakeSnapshot> Assemble(ledger::Ledger& ledger, const ledger::DatasetRow& dataset,
                              const std::vector<ledger::PartitionRow>& rows, const std::set<std::string>& lost) {
  std::map<int64_t, ledger::ReceiptRow> receipts;
  LODE_TRY(std::vector<ledger::ReceiptRow> all, ledger.Receipts(dataset.name));
  for (ledger::ReceiptRow& receipt : all) receipts[receipt.sequence] = std::move(receipt);
  LakeSnapshot snapshot{.partitions = {}, .lost = static_cast<int64_t>(lost.size())};
  for (const ledger::PartitionRow& row : rows) {
    if (lost.contains(row.partition.path)) continue;
    const ledger::ReceiptRow& receipt = receipts[row.sequence];
    snapshot.partitions.push_back({.dataset = dataset.name,
                                   .schema = dataset.schema,
                                   .path = row.partition.path,
                                   .sha256 = row.partition.sha256,
                                   .size_bytes = row.partition.size,
                                   .source_type = receipt.origin,
                                   .job_id = JobId(receipt.unit)});
  }
  std::ranges::sort(snapshot.partitions, {}, &LakePartition::path);
  return snapshot;
}

}  // namespace

Result<LakeSnapshot> TakeSnapshot(const lake::LakePaths& paths, ledger::Ledger& ledger,
                                  const ledger::DatasetRow& dataset, bool may_repair) {
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    LODE_TRY(std::vector<ledger::Intent> before, ledger.Intents(dataset.name));
    if (!before.empty()) LODE_TRY(FinishPublish(paths, dataset, may_repair));
    LODE_TRY(std::vector<ledger::PartitionRow> rows, ledger.Partitions(dataset.name));
    LODE_TRY(std::set<std::string> lost, lake::LostPartitions(paths, ledger, dataset.name));
    LODE_TRY(std::vector<ledger::PartitionRow> again, ledger.Partitions(dataset.name));
    LODE_TRY(std::vector<ledger::Intent> after, ledger.Intents(dataset.name));
    if (after.empty() && Equal(rows, again)) return Assemble(ledger, dataset, rows, lost);
  }
  return Fail(ErrorKind::kBusy, "dataset {}: partitions are being published; run again later", dataset.name);
}

Result<Pins*> PinnedPartitions::pins() {
  if (!pins_) {
    LODE_TRY(Pins created, Pins::Create(paths_));
    pins_.emplace(std::move(created));
  }
  return &*pins_;
}

Result<fs::path> PinnedPartitions::Open(const LakePartition& partition) {
  LODE_TRY(Pins * opened, pins());
  LODE_TRY(fs::path link, opened->PinFile(paths_, partition.dataset, partition.path));
  if (proven_.contains(link)) return link;
  LODE_TRY(store::Digest digest, store::HashFile(link));
  if (digest.sha256 != partition.sha256) {
    return Fail(ErrorKind::kCorrupt, "{} is not what its receipt says: replaced since, or damaged (`lode verify`)",
                partition.file_name());
  }
  proven_.insert(link);
  return link;
}

Result<fs::path> PinnedPartitions::SpillFolder() {
  LODE_TRY(Pins * opened, pins());
  return opened->folder() / "spill";
}

}  // namespace lode::sink
