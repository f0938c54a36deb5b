#include "lode/lake/survey.h"

#include "lode/lake/listing.h"

namespace lode::lake {

Result<DatasetSurvey> Survey(const LakePaths& paths, ledger::Ledger& ledger, const ledger::DatasetRow& dataset) {
  DatasetSurvey survey;
  survey.dataset = dataset;
  LODE_TRY(survey.totals, ledger.Sum(dataset.name));
  LODE_TRY(survey.lost, LostPartitions(paths, ledger, dataset.name));
  survey.rows = survey.totals.rows;
  survey.bronze_bytes = survey.totals.partition_bytes;
  for (const std::string& path : survey.lost) {
    LODE_TRY(const auto partition, ledger.FindPartition(dataset.name, path));
    if (!partition) continue;
    survey.rows -= partition->partition.rows;
    survey.bronze_bytes -= partition->partition.size;
  }
  return survey;
}

}  // namespace lode::lake
