#include "lode/sink/duckdb/content_check.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "lode/base/stop.h"
#include "lode/codec/schema.h"
#include "lode/sink/duckdb/bar_sums.h"
#include "lode/sink/duckdb/content_rules.h"
#include "lode/sink/duckdb/interrupt.h"
#include "lode/sink/duckdb/null_shares.h"

namespace lode::sink {
namespace {

namespace fs = std::filesystem;

using Severity = lake::Finding::Severity;

constexpr size_t kBatchFiles = 64;  // read by one statement: its planning costs as much as a small file
constexpr int kTries = 3;           // publishes of one file while it is looked at
constexpr uint64_t kProgramBytes = uint64_t{64} << 20;
constexpr uint64_t kLeastDuckdbBytes = uint64_t{40} << 20;

int64_t Number(const std::string& text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string Rows(int64_t count, const RowRule& rule) {
  return count == 1 ? fmt::format("1 row {}", rule.one) : fmt::format("{} rows {}", count, rule.many);
}

// What one reading of a file gave.
struct Reading {
  std::string problem;  // why DuckDB could not read it; empty: it could
  int64_t rows = 0;
  std::vector<int64_t> broken;  // a rule
  std::map<std::string, FooterColumn> columns;
};

// One dataset: its rules, what was found in its files so far.
class DatasetContents {
 public:
  DatasetContents(const ContentRequest& request, const ContentDataset& dataset, Connection& connection)
      : request_(request),
        dataset_(dataset),
        schema_(codec::FindSchema(dataset.row.schema)),
        rules_(RowRules(schema_)),
        odd_(rules_.size()),
        null_shares_(dataset.row.layout),
        connection_(connection) {}

  Status Run(std::vector<lake::Finding>* findings);

 private:
  // Of a rule that gives warnings.
  struct Odd {
    int64_t rows = 0, files = 0;
    std::string path, first;
  };

  std::string LakePath(const ledger::Partition& partition) const {
    return fmt::format("bronze/{}/{}", dataset_.row.name, partition.path);
  }
  std::string File(const ledger::Partition& partition) const {
    return (request_.paths.root / LakePath(partition)).string();
  }
  Result<std::vector<Reading>> Read(std::span<const ledger::Partition> batch);
  Result<std::vector<Reading>> ReadTogether(std::span<const ledger::Partition> batch);
  // Damage of a file as its receipt describes it; nothing when a publish replaced it.
  Status Judge(ledger::Partition partition, Reading reading);
  Result<std::vector<lake::Finding>> Damages(const ledger::Partition& partition, const Reading& reading);
  Status NoteOdd(const ledger::Partition& partition, const Reading& reading);
  Result<std::string> FirstBroken(const ledger::Partition& partition, const RowRule& rule);
  lake::Finding Damage(const ledger::Partition& partition, std::string check, int64_t count,
                       std::string problem) const {
    return {Severity::kDamage, dataset_.row.name, LakePath(partition), std::move(problem), std::move(check), count};
  }
  void AddOdd();

  const ContentRequest& request_;
  const ContentDataset& dataset_;
  const codec::TableSchema* schema_;
  const std::vector<RowRule> rules_;
  std::vector<Odd> odd_;
  NullShares null_shares_;
  Connection& connection_;
  std::vector<lake::Finding> findings_;
};

// Errors that are the run's, not the file's.
bool EndsRun(const Error& error) {
  return error.kind == ErrorKind::kInterrupted || error.message.starts_with("Out of Memory");
}

Result<std::vector<Reading>> DatasetContents::ReadTogether(std::span<const ledger::Partition> batch) {
  std::vector<std::string> files;
  std::map<std::string, size_t> index;
  for (const ledger::Partition& partition : batch) {
    index[File(partition)] = files.size();
    files.push_back(File(partition));
  }
  std::vector<Reading> readings(batch.size());
  for (Reading& reading : readings) reading.broken.resize(rules_.size());
  LODE_TRY(const auto rows, connection_.Rows(CountBrokenSql(files, schema_, rules_)));
  for (const std::vector<std::string>& row : rows) {
    Reading& reading = readings.at(static_cast<size_t>(Number(row[0])));
    reading.rows = Number(row[1]);
    for (size_t i = 0; i < rules_.size(); ++i) reading.broken[i] = Number(row[2 + i]);
  }
  LODE_TRY(const auto footers, connection_.Rows(FooterSql(files)));
  for (const std::vector<std::string>& row : footers) {
    const auto found = index.find(row[0]);
    if (found == index.end()) continue;
    FooterColumn& column = readings[found->second].columns[row[1]];
    column.values = Number(row[2]);
    if (!row[3].empty()) column.nulls = Number(row[3]);
  }
  return readings;
}

// A file that cannot be read fails the statement for all: halves find it.
Result<std::vector<Reading>> DatasetContents::Read(std::span<const ledger::Partition> batch) {
  LODE_TRY(CheckStop());
  Result<std::vector<Reading>> readings = ReadTogether(batch);
  if (readings || EndsRun(readings.error())) return readings;
  if (batch.size() == 1)
    return std::vector<Reading>{{.problem = readings.error().message, .broken = {}, .columns = {}}};
  LODE_TRY(std::vector<Reading> both, Read(batch.first(batch.size() / 2)));
  LODE_TRY(std::vector<Reading> second, Read(batch.subspan(batch.size() / 2)));
  std::ranges::move(second, std::back_inserter(both));
  return both;
}

Result<std::string> DatasetContents::FirstBroken(const ledger::Partition& partition, const RowRule& rule) {
  const Result<std::vector<std::string>> texts = connection_.Texts(FirstBrokenSql(File(partition), *schema_, rule));
  if (!texts && EndsRun(texts.error())) return std::unexpected(texts.error());
  return texts && !texts->empty() ? texts->front() : std::string("gone meanwhile");
}

Result<std::vector<lake::Finding>> DatasetContents::Damages(const ledger::Partition& partition,
                                                            const Reading& reading) {
  std::vector<lake::Finding> found;
  if (!reading.problem.empty()) {
    found.push_back(Damage(partition, "readable", 1, "DuckDB cannot read it: " + reading.problem));
    return found;
  }
  if (reading.rows != partition.rows) {
    found.push_back(Damage(partition, "rows", std::abs(reading.rows - partition.rows),
                           fmt::format("{} rows, its receipt says {}", reading.rows, partition.rows)));
  }
  const auto own = reading.columns.find("");
  if (own != reading.columns.end() && own->second.values != reading.rows) {
    found.push_back(Damage(partition, "rows", std::abs(reading.rows - own->second.values),
                           fmt::format("{} rows, its footer says {}", reading.rows, own->second.values)));
  }
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (!rules_[i].damage || reading.broken[i] == 0) continue;
    LODE_TRY(const std::string first, FirstBroken(partition, rules_[i]));
    found.push_back(Damage(partition, rules_[i].check, reading.broken[i],
                           fmt::format("{}; first: {}", Rows(reading.broken[i], rules_[i]), first)));
  }
  if (schema_ == nullptr) return found;
  for (const codec::Column& column : schema_->columns) {
    const auto footer = reading.columns.find(column.name);
    if (column.nullable || footer == reading.columns.end() || footer->second.nulls.value_or(0) == 0) continue;
    found.push_back(Damage(partition, "nulls", *footer->second.nulls,
                           fmt::format("column {} has {} nulls, its schema none", column.name, *footer->second.nulls)));
  }
  return found;
}

Status DatasetContents::NoteOdd(const ledger::Partition& partition, const Reading& reading) {
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (rules_[i].damage || reading.broken.empty() || reading.broken[i] == 0) continue;
    odd_[i].rows += reading.broken[i];
    if (odd_[i].files++ > 0) continue;
    odd_[i].path = LakePath(partition);
    LODE_TRY(odd_[i].first, FirstBroken(partition, rules_[i]));
  }
  if (schema_ != nullptr) null_shares_.Add(partition.path, reading.rows, reading.columns);
  return Ok();
}

Status DatasetContents::Judge(ledger::Partition partition, Reading reading) {
  for (int i = 0; i < kTries; ++i) {
    LODE_TRY(std::vector<lake::Finding> found, Damages(partition, reading));
    if (found.empty()) return NoteOdd(partition, reading);
    const Result<store::Digest> digest = store::HashFile(File(partition));
    if (digest && digest->sha256 == partition.sha256) {
      std::ranges::move(found, std::back_inserter(findings_));
      return reading.problem.empty() ? NoteOdd(partition, reading) : Ok();
    }
    LODE_TRY(const std::vector<ledger::PartitionRow> rows, request_.ledger->Partitions(dataset_.row.name));
    const auto row = std::ranges::find(rows, partition.path, [](const auto& r) { return r.partition.path; });
    // Not what its receipt says, and no newer one: the comparison of bytes tells it.
    if (row == rows.end() || row->partition.sha256 == partition.sha256) return Ok();
    partition = row->partition;
    LODE_TRY(std::vector<Reading> again, Read(std::span(&partition, 1)));
    reading = std::move(again.front());
  }
  return Ok();
}

void DatasetContents::AddOdd() {
  for (size_t i = 0; i < rules_.size(); ++i) {
    const Odd& odd = odd_[i];
    if (odd.rows == 0) continue;
    const std::string where = odd.files > 1 ? fmt::format(" in {} files", odd.files) : "";
    findings_.push_back({Severity::kWarning, dataset_.row.name, odd.path,
                         fmt::format("{}{}; first: {}", Rows(odd.rows, rules_[i]), where, odd.first), rules_[i].check,
                         odd.rows});
  }
  if (schema_ == nullptr) return;
  for (const NullJump& jump : null_shares_.Jumps(*schema_)) {
    const std::string more = jump.files > 1 ? fmt::format(", and so in {} files", jump.files) : "";
    findings_.push_back({Severity::kWarning, dataset_.row.name,
                         fmt::format("bronze/{}/{}", dataset_.row.name, jump.path),
                         fmt::format("column {} is null in {:.0f} % of the rows, elsewhere in {:.1f} %{}", jump.column,
                                     jump.share * 100, jump.elsewhere * 100, more),
                         "nulls", jump.files});
  }
}

Status DatasetContents::Run(std::vector<lake::Finding>* findings) {
  std::vector<ledger::Partition> present;
  for (const ledger::PartitionRow& row : dataset_.partitions) {
    std::error_code problem;
    if (request_.damaged.contains(LakePath(row.partition))) continue;
    if (fs::exists(File(row.partition), problem)) present.push_back(row.partition);
  }
  std::ranges::sort(present, {}, &ledger::Partition::path);
  for (size_t at = 0; at < present.size(); at += kBatchFiles) {
    const auto batch = std::span(present).subspan(at, std::min(kBatchFiles, present.size() - at));
    LODE_TRY(std::vector<Reading> readings, Read(batch));
    uint64_t bytes = 0;
    for (size_t i = 0; i < batch.size(); ++i) {
      LODE_TRY(Judge(batch[i], std::move(readings[i])));
      bytes += batch[i].size;
    }
    if (request_.progress) request_.progress(bytes);
  }
  AddOdd();
  std::ranges::move(findings_, std::back_inserter(*findings));
  return Ok();
}

}  // namespace

Result<std::vector<lake::Finding>> CheckContents(const ContentRequest& request) {
  std::vector<lake::Finding> findings;
  if (std::ranges::all_of(request.datasets, [](const auto& dataset) { return dataset.partitions.empty(); })) {
    return findings;
  }
  ContentRequest absolute = request;
  std::error_code problem;
  absolute.paths.root = fs::absolute(request.paths.root, problem);
  const uint64_t budget =
      std::max(request.memory_bytes - std::min(request.memory_bytes, kProgramBytes), kLeastDuckdbBytes);
  SignalWatch signals;
  LODE_TRY(Connection connection, Connection::Open({}, {{"memory_limit", fmt::format("{}B", budget)},
                                                        {"threads", std::to_string(request.threads)},
                                                        {"preserve_insertion_order", "true"},
                                                        {"temp_directory", ""}}));
  signals.Start(connection);
  Status status = Ok();
  for (const ContentDataset& dataset : absolute.datasets) {
    if (status) status = DatasetContents(absolute, dataset, connection).Run(&findings);
  }
  if (status && request.compare_sizes) status = CompareBarSizes(absolute, connection, &findings);
  signals.Stop();
  LODE_TRY(std::move(status));
  return findings;
}

}  // namespace lode::sink
