// receipts/<dataset>/ as a folder: which receipts lie there, and one of them checked and read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lode/lake/lake.h"

namespace lode::lake {

struct ReceiptFolder {
  std::vector<int64_t> sequences;   // ascending
  std::vector<std::string> strays;  // names that are not receipts'
};
// Reads names only. No folder: nothing.
Result<ReceiptFolder> ListReceipts(const LakePaths& paths, std::string_view dataset);

// Path of a receipt relative to the lake.
std::string ReceiptPath(std::string_view dataset, int64_t sequence);

// kCorrupt when it is damaged, or is not receipt `sequence` of `dataset`; kNotFound when it is gone.
Result<ledger::StoredReceipt> ReadStoredReceipt(const LakePaths& paths, std::string_view dataset, int64_t sequence);

// Names of the folders directly below `dir`, sorted; an absent folder is empty.
Result<std::vector<std::string>> SubFolders(const fs::path& dir);

}  // namespace lode::lake
