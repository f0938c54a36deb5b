#include "lode/lake/receipt_folder.h"

#include <algorithm>

#include "lode/base/hashing.h"

namespace lode::lake {

Result<ReceiptFolder> ListReceipts(const LakePaths& paths, std::string_view dataset) {
  LODE_TRY(const std::vector<store::FileInfo> files, store::ListEverything(paths.receipts(dataset)));
  ReceiptFolder folder;
  for (const store::FileInfo& file : files) {
    const std::optional<int64_t> sequence = ledger::ReceiptSequence(file.path);
    if (sequence && file.regular) {
      folder.sequences.push_back(*sequence);
    } else {
      folder.strays.push_back(file.path);
    }
  }
  std::ranges::sort(folder.sequences);
  return folder;
}

std::string ReceiptPath(std::string_view dataset, int64_t sequence) {
  return fmt::format("receipts/{}/{}", dataset, ledger::ReceiptFileName(sequence));
}

Result<ledger::StoredReceipt> ReadStoredReceipt(const LakePaths& paths, std::string_view dataset, int64_t sequence) {
  const std::string path = ReceiptPath(dataset, sequence);
  LODE_TRY(const std::string text, store::ReadFile(paths.root / path, ledger::kMaxReceiptBytes));
  Result<ledger::Receipt> receipt = ledger::ReadReceipt(text);
  if (!receipt) return std::unexpected(std::move(receipt).error().With(path));
  if (receipt->dataset != dataset || receipt->sequence != sequence) {
    return Fail(ErrorKind::kCorrupt, "{}: holds receipt {} of dataset {}", path, receipt->sequence, receipt->dataset);
  }
  return ledger::StoredReceipt{*std::move(receipt), Sha256Hex(text)};
}

Result<std::vector<std::string>> SubFolders(const fs::path& dir) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entries(dir, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    std::error_code ignored;
    if (entries->is_directory(ignored)) names.push_back(entries->path().filename().string());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Fail(ErrorKind::kStorage, "cannot list {}: {}", dir.string(), error.message());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace lode::lake
