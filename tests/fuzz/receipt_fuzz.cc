// Receipts: what reads back must write the same bytes again. The checksum would keep almost every mutation out, so the
// input is also tried under the checksum it should have.
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Check(text);
  Check(WithRightChecksum(text));
  return 0;
}
