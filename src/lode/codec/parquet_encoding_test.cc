#include "lode/codec/parquet_encoding.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <parquet/encoding.h>
#include <parquet/schema.h>

#include <limits>
#include <random>

namespace lode::codec {
namespace {

// Value patterns that vendors' columns show, and the ones that break packing.
template <typename T>
std::vector<T> Pattern(int kind, size_t count, std::mt19937_64& random) {
  std::vector<T> values(count);
  T walk = static_cast<T>(random());
  for (size_t i = 0; i < count; ++i) {
    switch (kind) {
      case 0: values[i] = 7; break;
      case 1: values[i] = static_cast<T>(i * 60); break;
      case 2: values[i] = static_cast<T>(random()); break;
      case 3: values[i] = i % 2 == 0 ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max(); break;
      case 4: values[i] = walk = static_cast<T>(static_cast<uint64_t>(walk) + (random() % 9) * 250'000'000); break;
      default: values[i] = static_cast<T>(random() % 5 == 0 ? random() % 300 : 42); break;
    }
  }
  return values;
}

template <typename Type>
std::vector<typename Type::c_type> Decode(parquet::Encoding::type encoding, const PageBuffer& page, size_t count) {
  const auto node = parquet::schema::PrimitiveNode::Make("x", parquet::Repetition::REQUIRED, Type::type_num);
  const parquet::ColumnDescriptor column(node, 0, 0);
  auto decoder = parquet::MakeTypedDecoder<Type>(encoding, &column);
  decoder->SetData(static_cast<int>(count), page.data(), static_cast<int>(page.size()));
  std::vector<typename Type::c_type> values(count);
  values.resize(static_cast<size_t>(decoder->Decode(values.data(), static_cast<int>(count))));
  return values;
}

TEST(ParquetEncoding, ArrowDecodesDeltas) {
  std::mt19937_64 random(20240102);
  for (const DeltaWidth width : {DeltaWidth::kTight, DeltaWidth::kBytes}) {
    for (int kind = 0; kind < 6; ++kind) {
      for (const size_t count : {1, 2, 31, 33, 128, 129, 130, 161, 1000}) {
        SCOPED_TRACE(fmt::format("width {} kind {} count {}", static_cast<int>(width), kind, count));
        PageBuffer page;
        const auto wide = Pattern<int64_t>(kind, count, random);
        AppendDelta<int64_t>(wide, width, page);
        EXPECT_EQ(Decode<parquet::Int64Type>(parquet::Encoding::DELTA_BINARY_PACKED, page, count), wide);
        page.Clear();
        const auto narrow = Pattern<int32_t>(kind, count, random);
        AppendDelta<int32_t>(narrow, width, page);
        EXPECT_EQ(Decode<parquet::Int32Type>(parquet::Encoding::DELTA_BINARY_PACKED, page, count), narrow);
      }
    }
  }
}

TEST(ParquetEncoding, ArrowDecodesSplitStreamsAndPlain) {
  std::mt19937_64 random(7);
  const auto values = Pattern<int64_t>(2, 1001, random);
  PageBuffer page;
  AppendByteStreamSplit(values, page);
  EXPECT_EQ(Decode<parquet::Int64Type>(parquet::Encoding::BYTE_STREAM_SPLIT, page, values.size()), values);
  page.Clear();
  AppendPlain<int64_t>(values, page);
  EXPECT_EQ(Decode<parquet::Int64Type>(parquet::Encoding::PLAIN, page, values.size()), values);
}

// The hybrid as the format page defines it, value by value.
std::vector<uint32_t> DecodeHybrid(const PageBuffer& page, int bit_width, size_t count) {
  std::vector<uint32_t> values;
  size_t at = 0;
  while (values.size() < count) {
    uint64_t header = 0;
    for (int shift = 0;; shift += 7) {
      const uint8_t byte = page.data()[at++];
      header |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) break;
    }
    if ((header & 1) == 0) {
      uint32_t value = 0;
      std::memcpy(&value, page.data() + at, static_cast<size_t>(bit_width + 7) / 8);
      at += static_cast<size_t>(bit_width + 7) / 8;
      values.insert(values.end(), header >> 1, value);
      continue;
    }
    const size_t literals = (header >> 1) * 8;
    for (size_t i = 0; i < literals; ++i) {
      uint32_t value = 0;
      for (size_t bit = 0; bit < static_cast<size_t>(bit_width); ++bit) {
        const size_t position = i * static_cast<size_t>(bit_width) + bit;
        value |= static_cast<uint32_t>(page.data()[at + position / 8] >> (position % 8) & 1) << bit;
      }
      if (values.size() < count) values.push_back(value);
    }
    at += (header >> 1) * static_cast<size_t>(bit_width);
  }
  EXPECT_EQ(at, page.size());
  values.resize(std::min(values.size(), count));
  return values;
}

TEST(ParquetEncoding, HybridHoldsItsValues) {
  const uint64_t seed = 99;
  std::mt19937_64 random(seed);
  for (int round = 0; round < 600; ++round) {
    const int bit_width = static_cast<int>(1 + random() % 32);
    const uint32_t mask = bit_width == 32 ? ~0u : (1u << bit_width) - 1;
    std::vector<uint32_t> values;
    while (values.size() < 1 + random() % 500) {
      const auto value = static_cast<uint32_t>(random()) & mask;
      values.insert(values.end(), random() % 3 == 0 ? random() % 60 : 1, value);
    }
    PageBuffer page;
    AppendHybrid(values, bit_width, page);
    ASSERT_EQ(DecodeHybrid(page, bit_width, values.size()), values) << "seed " << seed << " round " << round;
  }
}

TEST(ParquetEncoding, DictionaryKeepsFirstAppearanceAndGivesUp) {
  ValueDictionary<int64_t> dictionary;
  dictionary.Reset(3);
  std::vector<uint32_t> indices(6);
  EXPECT_TRUE(dictionary.Append(std::vector<int64_t>{9, 9, 5, 9, INT64_MIN, 5}, indices.data()));
  EXPECT_EQ(indices, (std::vector<uint32_t>{0, 0, 1, 0, 2, 1}));
  EXPECT_EQ(dictionary.values()[1], 5);
  EXPECT_FALSE(dictionary.Append(std::vector<int64_t>{6}, indices.data()));
  dictionary.Reset(3);
  EXPECT_TRUE(dictionary.Append(std::vector<int64_t>{1, 0, 0, 1}, indices.data()));
  EXPECT_EQ(indices, (std::vector<uint32_t>{0, 1, 1, 0, 2, 1}));
}

template <typename T>
void CheckDictionary(const std::vector<T>& many) {
  static ValueDictionary<T> dictionary;  // used again, as a file's columns do
  dictionary.Reset(100'000);
  std::vector<uint32_t> indices(many.size());
  ASSERT_TRUE(dictionary.Append(many, indices.data()));
  for (size_t i = 0; i < many.size(); ++i) ASSERT_EQ(dictionary.values()[indices[i]], many[i]);
  dictionary.Sort(indices);
  const auto entries = dictionary.values();
  EXPECT_TRUE(std::ranges::is_sorted(entries));
  EXPECT_EQ(std::ranges::adjacent_find(entries), entries.end());
  for (size_t i = 0; i < many.size(); ++i) ASSERT_EQ(dictionary.values()[indices[i]], many[i]);
}

TEST(ParquetEncoding, DictionarySortsEveryKindOfValue) {
  std::mt19937_64 random(3);
  for (const size_t distinct : {1, 2, 300, 20'000}) {
    SCOPED_TRACE(distinct);
    std::vector<int64_t> wide(50'000);
    for (int64_t& value : wide) value = static_cast<int64_t>(random() % distinct) * 250'000'000;
    CheckDictionary(wide);
    for (int64_t& value : wide) value = std::bit_cast<int64_t>(static_cast<double>(random() % distinct) / 100 - 20);
    CheckDictionary(wide);
    std::vector<int32_t> narrow(50'000);
    for (int32_t& value : narrow) value = static_cast<int32_t>(random() % distinct * 0x9E3779B1u);
    CheckDictionary(narrow);
  }
  CheckDictionary(std::vector<int64_t>{INT64_MAX, INT64_MIN, 0, -1, 1, INT64_MAX});
}

TEST(ParquetEncoding, ArrowDecodesTextDeltas) {
  std::mt19937_64 random(9);
  const auto number = [](uint64_t n) { return fmt::format("451{:07}", n); };
  for (int kind = 0; kind < 5; ++kind) {
    for (const size_t count : {1, 2, 33, 129, 1000}) {
      SCOPED_TRACE(fmt::format("kind {} count {}", kind, count));
      std::vector<std::string> texts;
      for (size_t i = 0; i < count; ++i) {
        switch (kind) {
          case 0: texts.push_back(number(i)); break;
          case 1: texts.push_back(number(random() % 1000)); break;
          case 2: texts.push_back(fmt::format("{:016x}-{:016x}", random(), random())); break;
          case 3: texts.push_back(std::string(random() % 20, 'x')); break;
          default: texts.push_back(i % 3 == 0 ? "" : i % 3 == 1 ? "abcdefgh" : "abcdefghijklmnopq"); break;
        }
      }
      TextDeltas deltas;
      deltas.Add("what Clear forgets");
      deltas.Clear();
      for (size_t i = 0; i < count; ++i) {
        EXPECT_EQ(deltas.Add(texts[i]), texts[i] > (i == 0 ? "" : texts[i - 1]));
      }
      PageBuffer page;
      deltas.AppendTo(page);
      const auto node =
          parquet::schema::PrimitiveNode::Make("x", parquet::Repetition::REQUIRED, parquet::Type::BYTE_ARRAY);
      const parquet::ColumnDescriptor column(node, 0, 0);
      auto decoder = parquet::MakeTypedDecoder<parquet::ByteArrayType>(parquet::Encoding::DELTA_BYTE_ARRAY, &column);
      decoder->SetData(static_cast<int>(count), page.data(), static_cast<int>(page.size()));
      std::vector<parquet::ByteArray> decoded(count);  // points into the decoder
      ASSERT_EQ(decoder->Decode(decoded.data(), static_cast<int>(count)), static_cast<int>(count));
      for (size_t i = 0; i < count; ++i) {
        EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(decoded[i].ptr), decoded[i].len), texts[i]);
      }
    }
  }
}

TEST(ParquetEncoding, IndexWidthsHoldTheirCount) {
  EXPECT_EQ(IndexBitWidth(0), 1);
  EXPECT_EQ(IndexBitWidth(1), 1);
  EXPECT_EQ(IndexBitWidth(2), 1);
  EXPECT_EQ(IndexBitWidth(3), 2);
  EXPECT_EQ(IndexBitWidth(5), 4);
  EXPECT_EQ(IndexBitWidth(256), 8);
  EXPECT_EQ(IndexBitWidth(257), 16);
  EXPECT_EQ(IndexBitWidth(1 << 16), 16);
  EXPECT_EQ(IndexBitWidth(1 << 17), 17);
}

}  // namespace
}  // namespace lode::codec
