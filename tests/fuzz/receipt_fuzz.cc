// Receipts: what reads back must write the same bytes again. The checksum would keep almost every mutation out, so the
// input is also tried under the checksum it should have.
#include <cstdlib>
#include <string>
#include <string_view>

#include "drain.h"
#include "lode/base/hashing.h"
#include "lode/ledger/receipt.h"
#include "lode/ledger/receipt_internal.h"

namespace {

void Check(std::string_view text) {
  const auto receipt = lode::ledger::ReadReceipt(text);
  if (!receipt) return;
  const auto again = lode::ledger::ReadReceipt(lode::ledger::WriteReceipt(*receipt));
  lode::fuzz::Require(again.has_value() && *again == *receipt);
}

// The same body with the checksum it should have.
std::string WithRightChecksum(std::string_view text) {
  const std::string_view body = text.substr(0, text.rfind(lode::ledger::kChecksumKey));
  std::string sealed(body);
  sealed += lode::ledger::kChecksumKey;
  sealed += lode::Sha256Hex(body);
  sealed += lode::ledger::kChecksumEnd;
  return sealed;
}

// Whether some "2024-01-01/9024-01-05" spans centuries: valid, bounded by kMaxReceiptCells, and half a minute of cells
// under the sanitizers.
bool SpansCenturies(std::string_view text) {
  for (size_t slash = text.find('/'); slash != text.npos; slash = text.find('/', slash + 1)) {
    if (slash < 10 || slash + 5 > text.size()) continue;
    const int first = std::atoi(std::string(text.substr(slash - 10, 4)).c_str());
    const int last = std::atoi(std::string(text.substr(slash + 1, 4)).c_str());
    if (last - first > 200) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (SpansCenturies(text)) return 0;
  Check(text);
  Check(WithRightChecksum(text));
  return 0;
}
