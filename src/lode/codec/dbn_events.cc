// Every record type but bars: driven by the layout table, a column at a time over a block of records that fits the
// cache. A block is first checked, then the good records are written, so that no bad one leaves a trace.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "lode/base/decimal.h"
#include "lode/codec/dbn_table.h"
#include "lode/codec/text_values.h"

namespace lode::codec {
namespace {

constexpr size_t kBlockRecords = 256;
constexpr uint64_t kUndefTime = std::numeric_limits<uint64_t>::max();
constexpr int64_t kUndefPrice = std::numeric_limits<int64_t>::max();
constexpr uint32_t kUndefSize = std::numeric_limits<uint32_t>::max();
constexpr int32_t kNotInterned = -3;

// Kinds whose value can be one that no column holds.
bool IsChecked(FieldKind kind) {
  return kind == FieldKind::kPrice || kind == FieldKind::kTime || kind == FieldKind::kTsOut ||
         kind == FieldKind::kChar || kind == FieldKind::kText;
}

bool TimeFits(uint64_t ns) { return ns <= uint64_t{std::numeric_limits<int64_t>::max()} || ns == kUndefTime; }

class EventTable final : public DbnTable {
 public:
  EventTable(const RecordLayout& layout, size_t record_bytes, int64_t batch_rows, DbnStream stream)
      : DbnTable(layout, record_bytes, batch_rows, stream), last_text_(layout.fields.size()) {
    characters_.fill(kNotInterned);
    for (const FieldPlace& place : layout.fields) {
      if (IsChecked(place.kind)) checked_.push_back(place);
    }
  }

 private:
  // A pointer to each record of the block and, once resolved, its symbol and its row number.
  struct Block {
    size_t size = 0;
    std::array<const std::byte*, kBlockRecords> records;
    std::array<int32_t, kBlockRecords> symbols;
    std::array<int64_t, kBlockRecords> source_rows;
  };
  struct LastText {
    std::string text;
    int32_t id = kNotInterned;
  };

  Result<int64_t> AppendRecords(const DbnRun& run, size_t records) override {
    for (size_t first = 0; first < records; first += kBlockRecords) {
      FillBlock(run, first, std::min(kBlockRecords, records - first));
      for (size_t field = 0; field < layout_.fields.size(); ++field) LODE_TRY(WriteField(field));
      rows_ += static_cast<int64_t>(block_.size);
    }
    return static_cast<int64_t>(records);
  }

  void FillBlock(const DbnRun& run, size_t first, size_t count) {
    block_.size = 0;
    for (size_t i = first; i < first + count; ++i) {
      const std::byte* record = run.bytes.data() + i * record_bytes_;
      int32_t symbol = StringPool::kNull;
      if (!IsGood(record, symbol)) {
        AddBad(run, static_cast<int64_t>(i), FaultOf(record));
        continue;
      }
      block_.records[block_.size] = record;
      block_.symbols[block_.size] = symbol;
      block_.source_rows[block_.size] = run.source_row + static_cast<int64_t>(i);
      ++block_.size;
    }
  }

  // The day column's time, or the fallback's where it is undefined.
  uint64_t DayNs(const std::byte* record) const {
    const auto ns = LoadLittleEndian<uint64_t>(record + layout_.day_offset);
    if (ns != kUndefTime || layout_.fallback_offset == 0) return ns;
    return LoadLittleEndian<uint64_t>(record + layout_.fallback_offset);
  }

  bool FieldIsGood(const std::byte* record, const FieldPlace& place) const {
    const std::byte* at = record + place.offset;
    switch (place.kind) {
      case FieldKind::kPrice: {
        const auto price = LoadLittleEndian<int64_t>(at);
        return FitsDecimal9(price) || price == kUndefPrice;
      }
      case FieldKind::kTime: return TimeFits(LoadLittleEndian<uint64_t>(at));
      case FieldKind::kTsOut:
        return record_bytes_ == layout_.size || TimeFits(LoadLittleEndian<uint64_t>(record + layout_.size));
      case FieldKind::kChar: return std::to_integer<unsigned>(*at) < 0x80;
      case FieldKind::kText: return CheckText(FixedText(at, place.width)) == nullptr;
      default: return true;
    }
  }

  bool IsGood(const std::byte* record, int32_t& symbol) {
    for (const FieldPlace& place : checked_) {
      if (!FieldIsGood(record, place)) return false;
    }
    const uint64_t day_ns = DayNs(record);
    if (day_ns == kUndefTime) return false;
    symbol = stream_.symbols.Find(LoadLittleEndian<uint32_t>(record + 4), DayOfNs(day_ns));
    return symbol != DbnSymbols::kBadSymbol;
  }

  // Only called for records that are not good.
  std::string FaultOf(const std::byte* record) const {
    for (const FieldPlace& place : checked_) {
      if (FieldIsGood(record, place)) continue;
      const std::string& name = schema_->field(place.column)->name();
      const std::byte* at = record + place.offset;
      switch (place.kind) {
        case FieldKind::kPrice:
          return fmt::format("{} {} (in 1e-9) does not fit DECIMAL(18,9)", name, LoadLittleEndian<int64_t>(at));
        case FieldKind::kChar: return fmt::format("{} is byte {}, not ASCII", name, std::to_integer<unsigned>(*at));
        case FieldKind::kText: return fmt::format("{} {}", name, CheckText(FixedText(at, place.width)));
        default: return fmt::format("{} is a time past 2262", name);
      }
    }
    if (DayNs(record) == kUndefTime) return "no time says on which day the record is";
    return "symbol of the mappings holds a control character or is not UTF-8";
  }

  template <typename In, typename Out>
  void Widen(const FieldPlace& place) {
    Out* const out = columns_[static_cast<size_t>(place.column)].values<Out>() + rows_;
    for (size_t i = 0; i < block_.size; ++i) out[i] = LoadLittleEndian<In>(block_.records[i] + place.offset);
  }

  // As Widen, but `undefined` becomes null.
  template <typename In>
  void WidenNullable(const FieldPlace& place, size_t offset, In undefined) {
    ColumnBuffer& column = columns_[static_cast<size_t>(place.column)];
    auto* const out = column.values<int64_t>() + rows_;
    for (size_t i = 0; i < block_.size; ++i) {
      const auto value = LoadLittleEndian<In>(block_.records[i] + offset);
      out[i] = value == undefined ? 0 : static_cast<int64_t>(value);
      if (value == undefined) column.SetNull(rows_ + static_cast<int64_t>(i));
    }
  }

  template <typename T>
  void Fill(const FieldPlace& place, T value) {
    T* const out = columns_[static_cast<size_t>(place.column)].values<T>() + rows_;
    std::fill(out, out + block_.size, value);
  }

  void FillZero(const FieldPlace& place) {
    if (schema_->field(place.column)->type()->byte_width() == 4) {
      Fill<int32_t>(place, 0);
    } else {
      Fill<int64_t>(place, 0);
    }
  }

  void WriteSymbols(const FieldPlace& place) {
    ColumnBuffer& column = columns_[static_cast<size_t>(place.column)];
    auto* const out = column.values<int32_t>() + rows_;
    for (size_t i = 0; i < block_.size; ++i) {
      out[i] = block_.symbols[i];
      if (out[i] == StringPool::kNull) column.SetNull(rows_ + static_cast<int64_t>(i));
    }
  }

  Result<int32_t> Character(char c) {
    int32_t& id = characters_[static_cast<unsigned char>(c)];
    if (id == kNotInterned) {
      LODE_TRY(id, stream_.strings.Intern(std::string_view(&c, 1)));
    }
    return id;
  }

  Status WriteCharacters(const FieldPlace& place) {
    ColumnBuffer& column = columns_[static_cast<size_t>(place.column)];
    auto* const out = column.values<int32_t>() + rows_;
    for (size_t i = 0; i < block_.size; ++i) {
      const char c = LoadLittleEndian<char>(block_.records[i] + place.offset);
      if (c == '\0') {
        out[i] = StringPool::kNull;
        column.SetNull(rows_ + static_cast<int64_t>(i));
      } else {
        LODE_TRY(out[i], Character(c));
      }
    }
    return Ok();
  }

  // Most text repeats from record to record.
  Status WriteText(const FieldPlace& place, LastText& last) {
    auto* const out = columns_[static_cast<size_t>(place.column)].values<int32_t>() + rows_;
    for (size_t i = 0; i < block_.size; ++i) {
      const std::string_view text = FixedText(block_.records[i] + place.offset, place.width);
      if (last.id == kNotInterned || text != last.text) {
        LODE_TRY(last.id, stream_.strings.Intern(text));
        last.text = text;
      }
      out[i] = last.id;
    }
    return Ok();
  }

  Status WriteField(size_t field) {
    using enum FieldKind;
    const FieldPlace& place = layout_.fields[field];
    switch (place.kind) {
      case kU8: Widen<uint8_t, int32_t>(place); break;
      case kI8: Widen<int8_t, int32_t>(place); break;
      case kU16: Widen<uint16_t, int32_t>(place); break;
      case kI16: Widen<int16_t, int32_t>(place); break;
      case kI32: Widen<int32_t, int32_t>(place); break;
      case kU32: Widen<uint32_t, int64_t>(place); break;
      case kU32AsU64: Widen<uint32_t, uint64_t>(place); break;
      case kU64: Widen<uint64_t, uint64_t>(place); break;
      case kSize: WidenNullable<uint32_t>(place, place.offset, kUndefSize); break;
      case kQuantity32: WidenNullable<int32_t>(place, place.offset, std::numeric_limits<int32_t>::max()); break;
      case kQuantity64: WidenNullable<int64_t>(place, place.offset, std::numeric_limits<int64_t>::max()); break;
      case kPrice: WidenNullable<int64_t>(place, place.offset, kUndefPrice); break;
      case kTime: WidenNullable<uint64_t>(place, place.offset, kUndefTime); break;
      case kTsOut:
        if (record_bytes_ > layout_.size) WidenNullable<uint64_t>(place, layout_.size, kUndefTime);
        break;
      case kChar: return WriteCharacters(place);
      case kText: return WriteText(place, last_text_[field]);
      case kSymbol: WriteSymbols(place); break;
      case kSourceRow: {
        auto* const out = columns_[static_cast<size_t>(place.column)].values<int64_t>() + rows_;
        std::copy(block_.source_rows.begin(), block_.source_rows.begin() + static_cast<ptrdiff_t>(block_.size), out);
        break;
      }
      case kZero: FillZero(place); break;
      case kEmptyText:
      case kNoSide: {
        LODE_TRY(const int32_t id, stream_.strings.Intern(place.kind == kNoSide ? "N" : ""));
        Fill<int32_t>(place, id);
        break;
      }
      case kNull: break;
    }
    return Ok();
  }

  std::vector<FieldPlace> checked_;
  Block block_;
  std::array<int32_t, 256> characters_;  // pool ids of one-character texts
  std::vector<LastText> last_text_;      // by field
};

}  // namespace

std::unique_ptr<DbnTable> MakeEventTable(const RecordLayout& layout, size_t record_bytes, int64_t batch_rows,
                                         DbnStream stream) {
  return std::make_unique<EventTable>(layout, record_bytes, batch_rows, stream);
}

}  // namespace lode::codec
