#include "lode/codec/parquet_chunk.h"

#include <arrow/api.h>
#include <parquet/column_page.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "lode/codec/double_bounds.h"

namespace lode::codec {
namespace {

constexpr int64_t kPageRows = 65'536;
constexpr size_t kPlainTextPageBytes = size_t{1} << 20;
// Dictionaries past these sizes cost a reader more than they save.
constexpr size_t kMaxDictionaryValues = size_t{1} << 17;
constexpr size_t kMaxDictionaryTextBytes = size_t{4} << 20;
constexpr size_t kSmallDictionaryTextBytes = size_t{64} << 10;
// Text longer than this in a page's or chunk's bounds is left out of the statistics, as Arrow does.
constexpr size_t kMaxStatisticsBytes = 4096;
// The trial looks at this many rows, in evenly spread blocks of neighbours.
constexpr int64_t kSampleBlocks = 8;
constexpr int64_t kSampleBlockRows = 128;
constexpr int64_t kFitBlockRows = 16;  // to guess a grid, which each value is measured at afterwards
constexpr int64_t kTrialBlockRows = 2048;
// So few distinct values that no other encoding needs a look.
constexpr uint64_t kObviousRepeats = 128;

bool IsTime(ColumnType type) {
  return type == ColumnType::kTimestampUs || type == ColumnType::kTimestampNs || type == ColumnType::kDate;
}

template <typename T>
std::string Bytes(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

parquet::Encoding::type ParquetName(ValueEncoding encoding) {
  switch (encoding) {
    case ValueEncoding::kPlain: return parquet::Encoding::PLAIN;
    case ValueEncoding::kDictionary: return parquet::Encoding::RLE_DICTIONARY;
    case ValueEncoding::kDelta:
    case ValueEncoding::kDeltaBytes: return parquet::Encoding::DELTA_BINARY_PACKED;
    case ValueEncoding::kByteStreamSplit: return parquet::Encoding::BYTE_STREAM_SPLIT;
    case ValueEncoding::kDeltaText: return parquet::Encoding::DELTA_BYTE_ARRAY;
  }
  return parquet::Encoding::UNKNOWN;
}

// Of numbers.
PageContent ContentOf(ValueEncoding encoding) {
  switch (encoding) {
    case ValueEncoding::kDeltaBytes: return PageContent::kByteDeltas;
    case ValueEncoding::kByteStreamSplit: return PageContent::kByteStreams;
    case ValueEncoding::kPlain: return PageContent::kWholeValues;
    default: return PageContent::kOther;
  }
}

template <typename T>
void AppendValues(ValueEncoding encoding, std::span<const T> values, PageBuffer& out) {
  if (encoding == ValueEncoding::kDelta) return AppendDelta(values, DeltaWidth::kTight, out);
  if (encoding == ValueEncoding::kDeltaBytes) return AppendDelta(values, DeltaWidth::kBytes, out);
  if constexpr (sizeof(T) == 8) {
    if (encoding == ValueEncoding::kByteStreamSplit) return AppendByteStreamSplit(values, out);
  }
  AppendPlain(values, out);
}

}  // namespace

ChunkEncoder::ChunkEncoder(const StringPool& strings) : strings_(strings) {}

template <>
ChunkEncoder::Numbers<int32_t>& ChunkEncoder::numbers() {
  return narrow_;
}
template <>
ChunkEncoder::Numbers<int64_t>& ChunkEncoder::numbers() {
  return wide_;
}

Result<int64_t> ChunkEncoder::Write(const Column& column, int index,
                                    std::span<const std::shared_ptr<arrow::RecordBatch>> batches,
                                    std::optional<EncodingChoice>& choice, ChunkSink sink) {
  column_ = &column;
  sink_ = sink;
  chunk_range_ = {};
  chunk_values_ = 0;
  chunk_bytes_ = 0;
  pieces_.Reset(batches, index);
  if (pieces_.has_nulls() && !column.nullable) {
    return Fail(ErrorKind::kInternal, "null in the required column {}", column.name);
  }
  switch (column.type) {
    case ColumnType::kBool: WriteBools(); break;
    case ColumnType::kText: LODE_TRY(WriteText()); break;
    case ColumnType::kInt32:
    case ColumnType::kDate: WriteNumbers<int32_t>(choice); break;
    case ColumnType::kInt64:
    case ColumnType::kUint64:
    case ColumnType::kFloat64:
    case ColumnType::kPrice:
    case ColumnType::kTimestampUs:
    case ColumnType::kTimestampNs: WriteNumbers<int64_t>(choice); break;
  }
  return chunk_bytes_;
}

// ---- numbers

template <typename T>
void ChunkEncoder::WriteNumbers(std::optional<EncodingChoice>& choice) {
  const bool is_chosen_here = !choice;
  if (!choice) choice = ChooseEncoding<T>();
  if (choice->first == ValueEncoding::kDictionary && (is_chosen_here || BuildDictionary<T>())) {
    return WriteDictionaryNumbers<T>(*choice);
  }
  WriteValuePages<T>(choice->otherwise, choice->incompressible);
}

template <typename T>
EncodingChoice ChunkEncoder::ChooseEncoding() {
  EncodingChoice choice;
  const bool is_double = column_->type == ColumnType::kFloat64;
  // PLAIN integers are no candidate: differences are never much larger, and a dictionary has what repeats. Doubles have
  // no differences to encode.
  const auto one = is_double ? ValueEncoding::kPlain : ValueEncoding::kDelta;
  const auto other = is_double ? ValueEncoding::kByteStreamSplit : ValueEncoding::kDeltaBytes;
  choice.first = choice.otherwise = one;
  const std::vector<T> sample = Sample<T>(kSampleBlockRows);
  if (sample.empty()) return choice;
  // Prices repeat within reach of each other, which no small sample tells: doubles get a whole look.
  const uint64_t entries = is_double ? 0 : IsTime(column_->type) ? kMaxDictionaryValues : ExpectedEntries<T>(sample);
  const auto rows = static_cast<uint64_t>(pieces_.rows());
  // Values that come less than four times cost more as entries than the differences between them. A few pages are
  // written sooner than looked at.
  const bool repeats = entries * (rows < 2 * kPageRows ? 16 : 4) <= rows && BuildDictionary<T>();
  if (repeats && numbers<T>().entries.size() * kObviousRepeats <= indices_.size()) {
    choice.first = ValueEncoding::kDictionary;
    return choice;
  }
  ChooseSmaller<T>(one, other, sample, choice);
  if (repeats) TryDictionary<T>(choice);
  return choice;
}

// Chooses the dictionary in hand when its share and the indices of a larger sample are smaller, by as much as looking
// values up is worth, than what `choice` makes of that sample. Indices fill their blocks of zstd only in a larger one.
template <typename T>
void ChunkEncoder::TryDictionary(EncodingChoice& choice) {
  const int64_t block_rows = std::min(kTrialBlockRows, pieces_.rows() / 64 + 1);
  const std::vector<T> sample = Sample<T>(block_rows);
  if (sample.empty()) return;  // nulls alone
  page_.Clear();
  AppendValues<T>(choice.otherwise, sample, page_);
  const uint64_t size = compressor_.Compress(page_.bytes(), ContentOf(choice.otherwise)).size();

  const std::span<const T> entries = numbers<T>().entries;
  page_.Clear();
  AppendPlain(entries, page_);
  const uint64_t entries_size = compressor_.Compress(page_.bytes(), PageContent::kOther).size();

  std::vector<uint32_t> indices;
  const size_t block = std::min(static_cast<size_t>(block_rows), indices_.size());
  for (size_t i = 0; i < kSampleBlocks; ++i) {
    const auto from = std::min(indices_.size() / kSampleBlocks * i, indices_.size() - block);
    const auto part = std::span(indices_).subspan(from, block);
    indices.insert(indices.end(), part.begin(), part.end());
  }
  const int width = IndexBitWidth(entries.size());
  page_.Clear();
  AppendHybrid(indices, width, page_);
  uint64_t index_size = compressor_.Compress(page_.bytes(), PageContent::kOther).size();
  if (width == 16) {
    const uint64_t near_size = compressor_.Compress(page_.bytes(), PageContent::kNearIndices).size();
    if (near_size < index_size) {
      index_size = near_size;
      choice.indices = PageContent::kNearIndices;
    }
  }
  const uint64_t values = indices_.size();
  if (index_size * values / indices.size() + entries_size < size * values / sample.size() / 16 * 15) {
    choice.first = ValueEncoding::kDictionary;
  }
}

// Puts the better of two encodings of the sample into `choice`.
template <typename T>
void ChunkEncoder::ChooseSmaller(ValueEncoding one, ValueEncoding other, std::span<const T> sample,
                                 EncodingChoice& choice) {
  uint64_t best_size = std::numeric_limits<uint64_t>::max();
  for (const ValueEncoding candidate : {one, other}) {
    page_.Clear();
    AppendValues<T>(candidate, sample, page_);
    const uint64_t size = compressor_.Compress(page_.bytes(), ContentOf(candidate)).size();
    if (size >= best_size) continue;
    choice.first = choice.otherwise = candidate;
    choice.incompressible = size * 32 >= page_.size() * 31;
    best_size = size;
  }
}

template <typename T>
std::vector<T> ChunkEncoder::Sample(int64_t block_rows) {
  const int64_t rows = pieces_.rows();
  block_rows = std::min(block_rows, (rows + kSampleBlocks - 1) / kSampleBlocks);
  std::vector<T> sample;
  for (int64_t block = 0; block < kSampleBlocks; ++block) {
    const int64_t from = std::min(rows / kSampleBlocks * block, rows - block_rows);
    const auto values = pieces_.Values<T>(from, block_rows, numbers<T>().values);
    sample.insert(sample.end(), values.begin(), values.end());
  }
  return sample;
}

// Distinct values to expect in the whole chunk.
template <typename T>
uint64_t ChunkEncoder::ExpectedEntries(std::span<const T> sample) {
  ValueDictionary<T>& dictionary = numbers<T>().dictionary;
  dictionary.Reset(kMaxDictionaryValues);
  indices_.resize(sample.size());
  const size_t half = sample.size() / 2;
  if (!dictionary.Append(sample.first(half), indices_.data())) return kMaxDictionaryValues;
  const uint64_t half_entries = std::max<size_t>(dictionary.values().size(), 1);
  if (!dictionary.Append(sample.subspan(half), indices_.data())) return kMaxDictionaryValues;
  const uint64_t entries = dictionary.values().size();
  // Each doubling of the rows multiplies the distinct values as the last one did.
  uint64_t expected = entries;
  for (auto rows = static_cast<int64_t>(sample.size()); rows < pieces_.rows(); rows *= 2) {
    expected = expected * entries / half_entries;
    if (expected >= kMaxDictionaryValues) return kMaxDictionaryValues;
  }
  return expected;
}

// Indexes all values of the chunk; false when there are too many distinct ones.
template <typename T>
bool ChunkEncoder::BuildDictionary() {
  Numbers<T>& scratch = numbers<T>();
  const size_t limit = std::min(kMaxDictionaryValues, static_cast<size_t>(pieces_.rows()) / 2 + 16);
  if (const auto indexed = IndexByGrid<T>(limit)) return *indexed;
  scratch.dictionary.Reset(limit);
  if (!ForEachPiece<T>([&](auto values, uint32_t* out) { return scratch.dictionary.Append(values, out); }))
    return false;
  // Indices of two bytes: values near each other get indices near each other.
  if (IndexBitWidth(scratch.dictionary.values().size()) > 8) scratch.dictionary.Sort(indices_);
  scratch.entries = scratch.dictionary.values();
  return true;
}

template <typename T>
std::optional<bool> ChunkEncoder::IndexByGrid(size_t limit) {
  Numbers<T>& scratch = numbers<T>();
  const auto kind = column_->type == ColumnType::kFloat64 ? GridValues::kDoubles : GridValues::kIntegers;
  bool fits = scratch.grid.Fit(Sample<T>(kFitBlockRows), kind);
  bool finer = false;
  const auto append = [&](std::span<const T> values, uint32_t* out) {
    if (scratch.grid.Append(values, out)) return true;
    finer = scratch.grid.Fit(values, kind);
    return false;
  };
  // A sample may have no value of the finest grid.
  fits = fits && (ForEachPiece<T>(append) || (finer && ForEachPiece<T>(append)));
  if (!fits || !scratch.grid.Finish(indices_, limit)) return std::nullopt;
  scratch.entries = scratch.grid.values();
  return scratch.entries.size() <= limit;
}

template <typename T>
bool ChunkEncoder::ForEachPiece(auto&& append) {
  indices_.resize(static_cast<size_t>(pieces_.rows()));
  uint32_t* next = indices_.data();
  for (int64_t row = 0, count = 0; row < pieces_.rows(); row += count) {
    count = pieces_.Together(row, kPageRows);
    const std::span<const T> values = pieces_.Values<T>(row, count, numbers<T>().values);
    if (!append(values, next)) return false;
    next += values.size();
  }
  indices_.resize(static_cast<size_t>(next - indices_.data()));
  return true;
}

template <typename T>
void ChunkEncoder::WriteDictionaryNumbers(const EncodingChoice& choice) {
  Numbers<T>& scratch = numbers<T>();
  const std::span<const T> entries = scratch.entries;
  const int width = IndexBitWidth(entries.size());
  page_.Clear();
  AppendPlain(entries, page_);
  WriteDictionaryPage(entries.size());
  size_t first_value = 0;
  for (int64_t row = 0; row < pieces_.rows(); row += kPageRows) {
    Page page = MakePage(row);
    for (int64_t at = row, count = 0; at < row + page.rows; at += count) {
      count = pieces_.Together(at, row + page.rows - at);
      Widen(page.range, RangeOf(pieces_.Values<T>(at, count, scratch.values)));
    }
    WriteIndexPage(page, first_value, width, width == 16 ? choice.indices : PageContent::kOther);
    first_value += static_cast<size_t>(page.values);
  }
  FinishChunk(/*has_dictionary=*/true, /*fell_back=*/false);
}

template <typename T>
void ChunkEncoder::WriteValuePages(ValueEncoding encoding, bool incompressible) {
  const PageContent content = incompressible ? PageContent::kIncompressible : ContentOf(encoding);
  for (int64_t row = 0; row < pieces_.rows(); row += kPageRows) {
    Page page = MakePage(row);
    const std::span<const T> values = pieces_.Values<T>(row, page.rows, numbers<T>().values);
    page.range = RangeOf(values);
    BeginPage(page);
    AppendValues(encoding, values, page_);
    FinishPage(page, encoding, content);
  }
  FinishChunk(/*has_dictionary=*/false, /*fell_back=*/false);
}

// ---- booleans and text

void ChunkEncoder::WriteBools() {
  for (int64_t row = 0; row < pieces_.rows(); row += kPageRows) {
    Page page = MakePage(row);
    const std::span<const uint8_t> values = pieces_.Bits(row, page.rows, bits_);
    if (!values.empty()) {
      const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
      page.range = {true, *least, *greatest};
    }
    BeginPage(page);
    AppendPlainBits(values, page_);
    FinishPage(page, ValueEncoding::kPlain);
  }
  FinishChunk(/*has_dictionary=*/false, /*fell_back=*/false);
}

Status ChunkEncoder::WriteText() {
  if (column_->distinct) {
    WriteDistinctText();
    strings_.ReleasePages();
    return Ok();
  }
  LODE_TRY(const bool pays, IndexText());
  if (pays) {
    WriteDictionaryText();
  } else {
    WritePlainText();
  }
  return Ok();
}

Result<bool> ChunkEncoder::IndexText() {
  text_index_.resize(strings_.size(), -1);
  for (const int32_t id : text_entries_) text_index_[static_cast<size_t>(id)] = -1;
  text_entries_.clear();
  indices_.resize(static_cast<size_t>(pieces_.rows()));
  uint32_t* next = indices_.data();
  size_t bytes = 0;
  // Looked up whether or not it is the id before: sides change so often that asking costs more.
  const std::span<int32_t> known = text_index_;
  for (int64_t row = 0, count = 0; row < pieces_.rows(); row += count) {
    count = pieces_.Together(row, kPageRows);
    for (const int32_t id : pieces_.Values<int32_t>(row, count, narrow_.values)) {
      if (static_cast<uint32_t>(id) >= known.size()) {
        return Fail(ErrorKind::kInternal, "unknown text id {} in column {}", id, column_->name);
      }
      int32_t& index = known[static_cast<size_t>(id)];
      if (index < 0) {
        index = static_cast<int32_t>(text_entries_.size());
        text_entries_.push_back(id);
        bytes += strings_.Get(id).size() + 4;
      }
      *next++ = static_cast<uint32_t>(index);
    }
  }
  indices_.resize(static_cast<size_t>(next - indices_.data()));
  const bool repeats = text_entries_.size() * 2 <= indices_.size() && bytes <= kMaxDictionaryTextBytes;
  return repeats || bytes <= kSmallDictionaryTextBytes;
}

void ChunkEncoder::WriteDictionaryText() {
  page_.Clear();
  for (const int32_t id : text_entries_) AppendPlainText(strings_.Get(id), page_);
  WriteDictionaryPage(text_entries_.size());
  size_t first_value = 0;
  for (int64_t row = 0; row < pieces_.rows(); row += kPageRows) {
    Page page = MakePage(row);
    seen_.assign(text_entries_.size(), 0);
    for (const uint32_t index : std::span(indices_).subspan(first_value, static_cast<size_t>(page.values))) {
      seen_[index] = 1;
    }
    for (size_t index = 0; index < seen_.size(); ++index) {
      if (seen_[index] != 0) Widen(page.range, {true, text_entries_[index], text_entries_[index]});
    }
    WriteIndexPage(page, first_value, IndexBitWidth(text_entries_.size()), PageContent::kOther);
    first_value += static_cast<size_t>(page.values);
  }
  FinishChunk(/*has_dictionary=*/true, /*fell_back=*/false);
}

void ChunkEncoder::WritePlainText() {
  // Pages end at a size, looked at every few rows: the text of a page is copied, and may be long.
  constexpr int64_t kStep = 64;
  for (int64_t row = 0; row < pieces_.rows();) {
    Page page{.row = row, .rows = 0, .values = 0, .range = {}};
    size_t bytes = 0;
    while (row < pieces_.rows() && page.rows < kPageRows && bytes < kPlainTextPageBytes) {
      const int64_t count = std::min(kStep, pieces_.rows() - row);
      for (const int32_t id : pieces_.Values<int32_t>(row, count, narrow_.values)) {
        bytes += strings_.Get(id).size() + 4;
        Widen(page.range, {true, id, id});
        ++page.values;
      }
      page.rows += count;
      row += count;
    }
    BeginPage(page);
    for (const int32_t id : pieces_.Values<int32_t>(page.row, page.rows, narrow_.values)) {
      AppendPlainText(strings_.Get(id), page_);
    }
    FinishPage(page, ValueEncoding::kPlain);
  }
  FinishChunk(/*has_dictionary=*/false, /*fell_back=*/false);
}

void ChunkEncoder::WriteDistinctText() {
  constexpr int64_t kStep = 64;
  for (int64_t row = 0; row < pieces_.rows();) {
    Page page{.row = row, .rows = 0, .values = 0, .range = {}};
    std::string_view least, greatest;
    bool is_last_greatest = false;  // as of texts that ascend: no comparison is needed
    text_deltas_.Clear();
    while (row < pieces_.rows() && page.rows < kPageRows && text_deltas_.bytes() < kPlainTextPageBytes) {
      const int64_t count = std::min(kStep, pieces_.rows() - row);
      for (const int32_t id : pieces_.Values<int32_t>(row, count, narrow_.values)) {
        const std::string_view text = strings_.Get(id);
        const bool is_greater = text_deltas_.Add(text);
        if (page.values++ == 0) {
          page.range = {true, id, id};
          least = greatest = text;
          is_last_greatest = true;
        } else if (is_last_greatest ? is_greater : greatest < text) {
          page.range.greatest = id;
          greatest = text;
          is_last_greatest = true;
        } else {
          is_last_greatest = is_last_greatest && text == greatest;
          if (text < least) {
            page.range.least = id;
            least = text;
          }
        }
      }
      page.rows += count;
      row += count;
    }
    BeginPage(page);
    text_deltas_.AppendTo(page_);
    FinishPage(page, ValueEncoding::kDeltaText);
  }
  FinishChunk(/*has_dictionary=*/false, /*fell_back=*/false);
}

// ---- pages

ChunkEncoder::Page ChunkEncoder::MakePage(int64_t row) const {
  const int64_t rows = std::min(kPageRows, pieces_.rows() - row);
  return {.row = row, .rows = rows, .values = pieces_.CountValues(row, rows), .range = {}};
}

void ChunkEncoder::BeginPage(const Page& page) {
  page_.Clear();
  if (!column_->nullable) return;
  page_.Grow(sizeof(uint32_t));  // length of the levels, set below
  if (page.values == page.rows || page.values == 0) {
    AppendHybridRun(page.values == 0 ? 0 : 1, static_cast<size_t>(page.rows), 1, page_);
  } else {
    pieces_.Levels(page.row, page.rows, levels_);
    AppendHybrid(levels_, 1, page_);
  }
  const auto length = static_cast<uint32_t>(page_.size() - sizeof(uint32_t));
  std::memcpy(page_.data(), &length, sizeof(length));
}

void ChunkEncoder::WriteIndexPage(Page& page, size_t first_value, int bit_width, PageContent content) {
  BeginPage(page);
  page_.AppendByte(static_cast<uint8_t>(bit_width));
  AppendHybrid(std::span(indices_).subspan(first_value, static_cast<size_t>(page.values)), bit_width, page_);
  FinishPage(page, ValueEncoding::kDictionary, content);
}

void ChunkEncoder::WriteDictionaryPage(size_t entries) {
  const auto buffer = std::make_shared<arrow::Buffer>(page_.data(), static_cast<int64_t>(page_.size()));
  chunk_bytes_ += sink_.pages->WriteDictionaryPage(
      parquet::DictionaryPage(buffer, static_cast<int32_t>(entries), parquet::Encoding::PLAIN));
}

void ChunkEncoder::FinishPage(const Page& page, ValueEncoding encoding, PageContent content) {
  const std::span<const uint8_t> frame = compressor_.Compress(page_.bytes(), content);
  const auto buffer = std::make_shared<arrow::Buffer>(frame.data(), static_cast<int64_t>(frame.size()));
  chunk_bytes_ += sink_.pages->WriteDataPage(parquet::DataPageV1(
      buffer, static_cast<int32_t>(page.rows), ParquetName(encoding), parquet::Encoding::RLE, parquet::Encoding::RLE,
      static_cast<int64_t>(page_.size()), Encode(page.range, page.rows - page.values, page.values), page.row));
  Widen(chunk_range_, page.range);
  chunk_values_ += page.values;
}

void ChunkEncoder::FinishChunk(bool has_dictionary, bool fell_back) {
  sink_.metadata->SetStatistics(Encode(chunk_range_, pieces_.rows() - chunk_values_, chunk_values_));
  sink_.pages->Close(has_dictionary, fell_back);
}

// ---- statistics

bool ChunkEncoder::Less(int64_t left, int64_t right) const {
  switch (column_->type) {
    case ColumnType::kText: return strings_.Get(static_cast<int32_t>(left)) < strings_.Get(static_cast<int32_t>(right));
    case ColumnType::kUint64: return static_cast<uint64_t>(left) < static_cast<uint64_t>(right);
    case ColumnType::kFloat64: return std::bit_cast<double>(left) < std::bit_cast<double>(right);
    default: return left < right;
  }
}

void ChunkEncoder::Widen(Range& range, const Range& with) const {
  if (!with.any) return;
  if (!range.any) {
    range = with;
    return;
  }
  if (Less(with.least, range.least)) range.least = with.least;
  if (Less(range.greatest, with.greatest)) range.greatest = with.greatest;
}

template <typename T>
ChunkEncoder::Range ChunkEncoder::RangeOf(std::span<const T> values) const {
  if constexpr (sizeof(T) == sizeof(double)) {
    if (column_->type == ColumnType::kFloat64) {
      const auto [least, greatest] = BoundsOfDoubles(values);
      if (least > greatest) return {};
      return {true, std::bit_cast<int64_t>(least), std::bit_cast<int64_t>(greatest)};
    }
  }
  if (values.empty()) return {};
  if (column_->type == ColumnType::kUint64) {
    const auto [least, greatest] =
        std::ranges::minmax(values, {}, [](T value) { return static_cast<std::make_unsigned_t<T>>(value); });
    return {true, least, greatest};
  }
  T least = values[0];
  T greatest = values[0];
  for (const T value : values) {
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  return {true, least, greatest};
}

parquet::EncodedStatistics ChunkEncoder::Encode(const Range& range, int64_t nulls, int64_t values) const {
  parquet::EncodedStatistics statistics;
  statistics.set_null_count(nulls);
  statistics.all_null_value = values == 0;
  statistics.set_is_signed(sink_.metadata->descr()->sort_order() == parquet::SortOrder::SIGNED);
  if (!range.any) return statistics;
  switch (column_->type) {
    case ColumnType::kBool:
      statistics.set_min(Bytes(static_cast<uint8_t>(range.least))).set_max(Bytes(static_cast<uint8_t>(range.greatest)));
      break;
    case ColumnType::kInt32:
    case ColumnType::kDate:
      statistics.set_min(Bytes(static_cast<int32_t>(range.least))).set_max(Bytes(static_cast<int32_t>(range.greatest)));
      break;
    case ColumnType::kText:
      statistics.set_min(std::string(strings_.Get(static_cast<int32_t>(range.least))))
          .set_max(std::string(strings_.Get(static_cast<int32_t>(range.greatest))));
      statistics.ApplyStatSizeLimits(kMaxStatisticsBytes);
      break;
    case ColumnType::kFloat64: {
      // Readers compare -0.0 and 0.0 differently: the bounds cover both.
      const auto least = std::bit_cast<double>(range.least);
      const auto greatest = std::bit_cast<double>(range.greatest);
      statistics.set_min(Bytes(least == 0 ? -0.0 : least)).set_max(Bytes(greatest == 0 ? 0.0 : greatest));
      break;
    }
    default: statistics.set_min(Bytes(range.least)).set_max(Bytes(range.greatest));
  }
  return statistics;
}

}  // namespace lode::codec
