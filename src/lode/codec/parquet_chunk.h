// One column of one row group as a Parquet column chunk: encoding choice, dictionary, pages, statistics.
//
// Works on the travelling arrays where they lie; scratch memory is one page of values and one row group of dictionary
// indices, kept from chunk to chunk.
#pragma once

#include <arrow/type_fwd.h>
#include <parquet/column_writer.h>
#include <parquet/metadata.h>

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/codec/column_pieces.h"
#include "lode/codec/grid_dictionary.h"
#include "lode/codec/page_compressor.h"
#include "lode/codec/parquet_encoding.h"
#include "lode/codec/schema.h"
#include "lode/codec/string_pool.h"

namespace lode::codec {

enum class ValueEncoding { kPlain, kDictionary, kDelta, kDeltaBytes, kByteStreamSplit, kDeltaText };

// How a number column of a file is encoded: decided on its first row group. `otherwise` takes over in a row group
// whose dictionary would be too large.
struct EncodingChoice {
  ValueEncoding first = ValueEncoding::kPlain;
  ValueEncoding otherwise = ValueEncoding::kPlain;
  // The sample of `otherwise` did not shrink: its pages are stored without a search.
  bool incompressible = false;
  // What pages of two-byte indices are to zstd: prices that change little repeat in a row, those of many instruments
  // are only near each other.
  PageContent indices = PageContent::kOther;
};

// Where a chunk's pages go: the file's page writer and the chunk's footer entry.
struct ChunkSink {
  parquet::PageWriter* pages = nullptr;
  parquet::ColumnChunkMetaDataBuilder* metadata = nullptr;
};

class ChunkEncoder {
 public:
  // `strings` outlives the encoder.
  explicit ChunkEncoder(const StringPool& strings);

  // Writes column `index` of `batches` (PhysicalSchema order, together one row group). Decides `choice` when empty.
  // Returns the bytes of its pages before compression. Throws what the Parquet library throws; kInternal for a null in
  // a required column or an unknown text id.
  Result<int64_t> Write(const Column& column, int index, std::span<const std::shared_ptr<arrow::RecordBatch>> batches,
                        std::optional<EncodingChoice>& choice, ChunkSink sink);

 private:
  // Least and greatest value, as the column's own type orders them. Text: pool ids; doubles: their bits.
  struct Range {
    bool any = false;
    int64_t least = 0;
    int64_t greatest = 0;
  };
  struct Page {
    int64_t row = 0;  // first row, within the row group
    int64_t rows = 0;
    int64_t values = 0;  // rows that are not null
    Range range;
  };

  template <typename T>
  void WriteNumbers(std::optional<EncodingChoice>& choice);
  // Leaves the chunk's dictionary and indices_ behind when it chooses them.
  template <typename T>
  EncodingChoice ChooseEncoding();
  template <typename T>
  void ChooseSmaller(ValueEncoding one, ValueEncoding other, std::span<const T> sample, EncodingChoice& choice);
  // `block_rows` neighbouring values each of kSampleBlocks places, evenly spread over the chunk.
  template <typename T>
  std::vector<T> Sample(int64_t block_rows);
  template <typename T>
  uint64_t ExpectedEntries(std::span<const T> sample);
  template <typename T>
  void TryDictionary(EncodingChoice& choice);
  template <typename T>
  bool BuildDictionary();
  // Sets indices_ and the entries; nothing when the chunk's values are on no grid.
  template <typename T>
  std::optional<bool> IndexByGrid(size_t limit);
  // Calls append(values, where their indices go) for the whole chunk, until it says false.
  template <typename T>
  bool ForEachPiece(auto&& append);
  template <typename T>
  void WriteDictionaryNumbers(const EncodingChoice& choice);
  template <typename T>
  void WriteValuePages(ValueEncoding encoding, bool incompressible);
  void WriteBools();
  Status WriteText();
  // Fills indices_ and text_entries_; false when a dictionary would not pay.
  Result<bool> IndexText();
  void WriteDictionaryText();
  void WritePlainText();
  void WriteDistinctText();

  Page MakePage(int64_t row) const;
  void WriteIndexPage(Page& page, size_t first_value, int bit_width, PageContent content);
  void WriteDictionaryPage(size_t entries);
  // Starts page_ with the definition levels; the caller appends the values.
  void BeginPage(const Page& page);
  void FinishPage(const Page& page, ValueEncoding encoding, PageContent content = PageContent::kOther);
  void FinishChunk(bool has_dictionary, bool fell_back);

  template <typename T>
  Range RangeOf(std::span<const T> values) const;
  bool Less(int64_t left, int64_t right) const;
  void Widen(Range& range, const Range& with) const;
  parquet::EncodedStatistics Encode(const Range& range, int64_t nulls, int64_t values) const;

  const StringPool& strings_;

  // The chunk in hand.
  const Column* column_ = nullptr;
  ChunkSink sink_;
  ColumnPieces pieces_;
  Range chunk_range_;
  int64_t chunk_values_ = 0;
  int64_t chunk_bytes_ = 0;  // before compression, with page headers

  // Scratch.
  PageBuffer page_;
  PageCompressor compressor_;
  std::vector<uint8_t> bits_;
  std::vector<uint32_t> indices_;  // of the values of the row group
  std::vector<uint32_t> levels_;
  std::vector<uint8_t> seen_;
  template <typename T>
  struct Numbers {
    std::vector<T> values;
    GridDictionary<T> grid;
    ValueDictionary<T> dictionary;
    std::span<const T> entries;  // of whichever of the two has the chunk's values
  };
  Numbers<int32_t> narrow_;
  Numbers<int64_t> wide_;
  template <typename T>
  Numbers<T>& numbers();
  TextDeltas text_deltas_;
  std::vector<int32_t> text_index_;    // pool id -> dictionary index, -1: none
  std::vector<int32_t> text_entries_;  // dictionary index -> pool id
};

}  // namespace lode::codec
