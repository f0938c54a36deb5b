#include "lode/lake/clean.h"

#include <algorithm>
#include <iterator>

#include "lode/base/stop.h"
#include "lode/lake/clean_plan.h"
#include "lode/lake/recover.h"
#include "lode/lake/removal.h"

namespace lode::lake {
namespace {

// Of one receipt: it must fit a receipt's size, and what a kill leaves to the next run is small.
constexpr size_t kMostFiles = 10'000;
constexpr size_t kMostCells = 500'000;

Result<CleanPlan> Plan(const CleanRequest& request, ledger::Ledger& ledger) {
  LODE_TRY(const auto datasets, ledger.Datasets());
  const auto dataset = std::ranges::find(datasets, request.dataset, &ledger::DatasetRow::name);
  if (dataset == datasets.end()) return CleanPlan{};
  return PlanClean(request, ledger, *dataset);
}

Status Remove(const CleanRequest& request, DatasetWriter& writer, const ledger::DatasetRow& dataset,
              const std::vector<Removable>& files) {
  const std::string started_at = FormatIsoNs(NowNs());
  for (size_t begin = 0; begin < files.size();) {
    LODE_TRY(CheckStop());
    ledger::Receipt receipt{
        .dataset = dataset.name,
        .schema = dataset.schema,
        .layout = dataset.layout,
        .origin = "clean",
        .unit = fmt::format("clean of {} before {}", request.layer == CleanLayer::kBronze ? "bronze" : "landing",
                            FormatDay(request.keep_from)),
        .request = fmt::format(R"({{"keep_days":{}}})", request.keep_days),
        .started_at = started_at,
        .program = LODE_VERSION};
    size_t end = begin;
    for (; end < files.size() && end - begin < kMostFiles && receipt.cells.size() < kMostCells; ++end) {
      receipt.removed.push_back(files[end].removal);
      std::ranges::copy(files[end].cells, std::back_inserter(receipt.cells));
    }
    receipt.finished_at = FormatIsoNs(NowNs());
    LODE_TRY(PublishRemoval(writer, std::move(receipt)));
    begin = end;
  }
  return Ok();
}

CleanReport ReportOf(CleanPlan plan) {
  CleanReport report;
  for (const Removable& file : plan.files) {
    report.removed.push_back(file.removal.path);
    report.bytes += file.removal.size;
    report.cells += static_cast<int64_t>(file.cells.size());
  }
  for (const ledger::Removal& leftover : plan.leftovers) {
    report.removed.push_back(leftover.path);
    report.bytes += leftover.size;
  }
  std::ranges::sort(report.removed);
  report.kept = std::move(plan.kept);
  return report;
}

}  // namespace

Result<CleanReport> Clean(const CleanRequest& request) {
  // First without the lock and without a trace: a run without work must not write.
  {
    LODE_TRY(const auto reader, ledger::Ledger::OpenReadOnly(request.paths.ledger()));
    if (reader == nullptr) return CleanReport{};
    LODE_TRY(CleanPlan plan, Plan(request, *reader));
    const bool idle = plan.files.empty() && plan.leftovers.empty();
    if (idle && !request.dry_run) FinishInterrupted(request.paths, request.dataset, *reader);
    if (idle || request.dry_run) return ReportOf(std::move(plan));
  }
  LODE_TRY(DatasetWriter writer, DatasetWriter::Open(request.paths, request.dataset));
  LODE_TRY(CleanPlan plan, Plan(request, writer.ledger()));
  LODE_TRY(DeleteRemoved(request.paths, plan.leftovers));
  LODE_TRY(const auto datasets, writer.ledger().Datasets());
  const auto dataset = std::ranges::find(datasets, request.dataset, &ledger::DatasetRow::name);
  if (dataset != datasets.end()) LODE_TRY(Remove(request, writer, *dataset, plan.files));
  return ReportOf(std::move(plan));
}

}  // namespace lode::lake
