#include "lode/lake/survey.h"

#include <set>

#include "lode/lake/listing.h"

namespace lode::lake {

Result<DatasetSurvey> Survey(const LakePaths& paths, ledger::Ledger& ledger, const ledger::DatasetRow& dataset,
                             std::optional<Day> first, std::optional<Day> last) {
  DatasetSurvey survey;
  survey.dataset = dataset;
  LODE_TRY(survey.partitions, ledger.Partitions(dataset.name));
  LODE_TRY(survey.raw_files, ledger.RawFiles(dataset.name));
  LODE_TRY(survey.receipts, ledger.Receipts(dataset.name));
  LODE_TRY(const std::set<std::string> lost, LostPartitions(paths, ledger, dataset.name));
  LODE_TRY(ReadCells(ledger, dataset, first, last, lost,
                     [&](const ledger::CellView& cell) { survey.cells.push_back(ledger::RowOf(cell)); }));
  for (const ledger::PartitionRow& row : survey.partitions) {
    if (lost.contains(row.partition.path)) {
      survey.lost.push_back(row);
      continue;
    }
    survey.rows += row.partition.rows;
    survey.bronze_bytes += row.partition.size;
  }
  for (const ledger::RawFileRow& row : survey.raw_files)
    survey.landing_bytes += row.file.in_place || row.removed ? 0 : row.file.size;
  return survey;
}

}  // namespace lode::lake
