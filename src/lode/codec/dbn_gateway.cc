#include "lode/codec/dbn_gateway.h"

#include <algorithm>
#include <string>

#include "lode/base/log.h"
#include "lode/codec/dbn_layout.h"

namespace lode::codec {
namespace {

// A capture may hold any number of messages; the log shows the first ones and the counts.
constexpr int64_t kLoggedMessages = 20;
constexpr size_t kMessageOffset = kDbnHeaderBytes;
// Version 1 has 64 bytes of text; later versions 302 or 303, and a code in the last byte of the 320.
constexpr size_t kShortRecord = 80, kLongRecord = 320;
constexpr size_t kSystemCodeOffset = 319;
constexpr uint8_t kCodeHeartbeat = 0, kCodeSlowReader = 2;

// Text of a stranger, fit for a terminal.
std::string Printable(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(line, [](char c) { return c < 0x20 || c > 0x7E; }, '?');
  return line;
}

}  // namespace

bool IsGatewayRtype(uint8_t rtype) {
  return rtype == kRtypeError || rtype == kRtypeSymbolMapping || rtype == kRtypeSystem;
}

Result<bool> DbnGateway::Take(std::span<const std::byte> record, DbnSymbols& symbols) {
  const auto rtype = std::to_integer<uint8_t>(record[1]);
  if (rtype != kRtypeSymbolMapping) return TakeMessage(record, rtype == kRtypeError);
  LODE_TRY(const bool known, symbols.AddRecord(record));
  if (known) ++mappings_;
  return known;
}

bool DbnGateway::TakeMessage(std::span<const std::byte> record, bool is_error) {
  if (record.size() < kShortRecord) return false;
  const bool has_code = record.size() >= kLongRecord;
  const size_t width = has_code ? 302 : kShortRecord - kMessageOffset;
  const std::string_view text = FixedText(record.data() + kMessageOffset, width);
  if (is_error) {
    if (++errors_ <= kLoggedMessages && tell_) log::Warning("the gateway reported an error: {}", Printable(text));
    return true;
  }
  const auto code = has_code ? std::to_integer<uint8_t>(record[kSystemCodeOffset]) : uint8_t{0xFF};
  if (code == kCodeHeartbeat || (!has_code && text == "Heartbeat")) {
    ++heartbeats_;
    return true;
  }
  if (++notices_ > kLoggedMessages || !tell_) return true;
  if (code == kCodeSlowReader) {
    log::Warning("the gateway said: {} (a slow reader may have lost records)", Printable(text));
  } else {
    log::Info("the gateway said: {}", Printable(text));
  }
  return true;
}

void DbnGateway::LogSummary() const {
  if (!tell_) return;
  if (errors_ > 0) {
    log::Warning("{} gateway errors in the stream, {} symbol mappings, {} notices, {} heartbeats", errors_, mappings_,
                 notices_, heartbeats_);
  } else if (mappings_ + notices_ + heartbeats_ > 0) {
    log::Info("gateway records in the stream: {} symbol mappings, {} notices, {} heartbeats", mappings_, notices_,
              heartbeats_);
  }
  for (const auto& [rtype, count] : unknown_) {
    log::Warning("schema drift: {} records of unknown type 0x{:02X} were skipped", count, rtype);
  }
}

}  // namespace lode::codec
