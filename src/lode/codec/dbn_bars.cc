// Bars: the one record type whose speed users wait for. One fused loop, fixed offsets, nothing virtual inside.
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "lode/base/decimal.h"
#include "lode/codec/dbn_table.h"

namespace lode::codec {
namespace {

constexpr uint64_t kUndefTime = std::numeric_limits<uint64_t>::max();
constexpr int64_t kUndefPrice = std::numeric_limits<int64_t>::max();
constexpr uint64_t kNsPerUs = 1'000;

// The record as it lies in the stream (without ts_out).
struct BarRecord {
  uint8_t length_words, rtype;
  uint16_t publisher_id;
  uint32_t instrument_id;
  uint64_t ts_event_ns;
  int64_t prices[4];  // open, high, low, close
  uint64_t volume;
};
static_assert(sizeof(BarRecord) == 56);

constexpr std::array<const char*, 4> kPriceNames = {"open", "high", "low", "close"};
// Columns of DecodedSchema for bars.
enum Position { kPublisher, kInstrument, kSymbol, kTsEvent, kOpen, kVolume = kOpen + 4, kExtra, kSourceRow };

// All four prices are in range: one unsigned comparison each, no branch.
bool PricesArePlain(const BarRecord& bar) {
  bool plain = true;
  for (const int64_t price : bar.prices) {
    plain &= static_cast<uint64_t>(price) + uint64_t{kDecimal9Max} <= 2 * uint64_t{kDecimal9Max};
  }
  return plain;
}

// Why the record is bad; empty when it is not.
std::string FaultOf(const BarRecord& bar) {
  if (bar.ts_event_ns == kUndefTime) return "ts_event is undefined";
  if (bar.ts_event_ns > uint64_t{std::numeric_limits<int64_t>::max()}) return "ts_event is a time past 2262";
  if (bar.ts_event_ns % kNsPerUs != 0) {
    return fmt::format("ts_event {} is not a whole microsecond", bar.ts_event_ns);
  }
  for (size_t i = 0; i < kPriceNames.size(); ++i) {
    if (bar.prices[i] != kUndefPrice && !FitsDecimal9(bar.prices[i])) {
      return fmt::format("{} {} (in 1e-9) does not fit DECIMAL(18,9)", kPriceNames[i], bar.prices[i]);
    }
  }
  if (bar.volume > uint64_t{std::numeric_limits<int64_t>::max()}) {
    return fmt::format("volume {} does not fit a 64-bit signed integer", bar.volume);
  }
  return {};
}

class BarTable final : public DbnTable {
 public:
  using DbnTable::DbnTable;

 private:
  Result<int64_t> AppendRecords(const DbnRun& run, size_t records) override {
    auto* const publishers = columns_[kPublisher].values<int32_t>();
    auto* const instruments = columns_[kInstrument].values<int64_t>();
    auto* const symbols = columns_[kSymbol].values<int32_t>();
    auto* const times = columns_[kTsEvent].values<int64_t>();
    int64_t* prices[4];
    for (size_t i = 0; i < 4; ++i) prices[i] = columns_[kOpen + i].values<int64_t>();
    auto* const volumes = columns_[kVolume].values<int64_t>();
    auto* const source_rows = columns_[kSourceRow].values<int64_t>();
    int64_t row = rows_;
    for (size_t i = 0; i < records; ++i) {
      BarRecord bar;
      std::memcpy(&bar, run.bytes.data() + i * record_bytes_, sizeof bar);
      const bool plain =
          PricesArePlain(bar) && bar.ts_event_ns % kNsPerUs == 0 && ((bar.ts_event_ns | bar.volume) >> 63) == 0;
      if (!plain) {
        if (std::string fault = FaultOf(bar); !fault.empty()) {
          AddBad(run, static_cast<int64_t>(i), std::move(fault));
          continue;
        }
      }
      const int32_t symbol = stream_.symbols.Find(bar.instrument_id, DayOfNs(bar.ts_event_ns));
      if (symbol < 0) {
        if (symbol == DbnSymbols::kBadSymbol) {
          AddBad(run, static_cast<int64_t>(i), "symbol of the mappings holds a control character or is not UTF-8");
          continue;
        }
        columns_[kSymbol].SetNull(row);
      }
      publishers[row] = bar.publisher_id;
      instruments[row] = bar.instrument_id;
      symbols[row] = symbol;
      times[row] = static_cast<int64_t>(bar.ts_event_ns / kNsPerUs);
      for (size_t p = 0; p < 4; ++p) prices[p][row] = bar.prices[p];
      if (!plain) SetUndefinedPrices(bar, row);
      volumes[row] = static_cast<int64_t>(bar.volume);
      source_rows[row] = run.source_row + static_cast<int64_t>(i);
      ++row;
    }
    rows_ = row;
    return static_cast<int64_t>(records);
  }

  void SetUndefinedPrices(const BarRecord& bar, int64_t row) {
    for (size_t p = 0; p < 4; ++p) {
      if (bar.prices[p] != kUndefPrice) continue;
      columns_[kOpen + p].SetNull(row);
      columns_[kOpen + p].values<int64_t>()[row] = 0;
    }
  }
};

}  // namespace

std::unique_ptr<DbnTable> MakeBarTable(const RecordLayout& layout, size_t record_bytes, int64_t batch_rows,
                                       DbnStream stream) {
  return std::make_unique<BarTable>(layout, record_bytes, batch_rows, stream);
}

}  // namespace lode::codec
