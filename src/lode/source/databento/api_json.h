// Answers of Databento's HTTP API as values. Pure and total on hostile text: kBadInput names what was wrong.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/source/databento/api_types.h"

namespace lode::source::databento {

// "2023-07-19T23:00:04.095538123Z", "2022-10-31 15:29:43.148303+00:00", a date, or nanoseconds as digits.
Result<int64_t> ParseVendorTime(std::string_view text);

Result<std::vector<std::string>> ParseNames(std::string_view json);  // list_datasets, list_schemas
Result<std::vector<Publisher>> ParsePublishers(std::string_view json);
Result<std::vector<FieldInfo>> ParseFields(std::string_view json);
Result<std::vector<UnitPrices>> ParseUnitPrices(std::string_view json);
Result<DatasetRange> ParseDatasetRange(std::string_view json);
Result<uint64_t> ParseCount(std::string_view json);  // get_record_count, get_billable_size
Result<double> ParseCost(std::string_view json);     // USD, finite and not negative
Result<Resolution> ParseResolution(std::string_view json);
Result<BatchJob> ParseJob(std::string_view json);
Result<std::vector<BatchJob>> ParseJobs(std::string_view json);
// kBadInput also for names that are paths, repeated names, other hashes than SHA-256 and URLs without a path.
Result<std::vector<BatchFile>> ParseFiles(std::string_view json);

// Never fails: what cannot be read stays empty.
Refusal ParseRefusal(std::string_view error_body);
// The texts of an X-Warning header (a JSON list); the header itself when it is none.
std::vector<std::string> ParseWarnings(std::string_view header);

}  // namespace lode::source::databento
