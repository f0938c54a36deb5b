// Both text decoders over every schema: all spellings of the same records decode alike, and bad bytes do no harm.
#include "lode/codec/databento_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "lode/codec/testing/databento_text_writer.h"

namespace lode::codec {
namespace {

using fixture::DecodedText;
using fixture::DecodeText;
using fixture::RandomTextRow;
using fixture::TextRow;
using fixture::TextSpelling;
using fixture::WriteCsv;
using fixture::WriteNdjson;

std::vector<TextRow> RandomRows(const TableSchema& schema, uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  std::vector<TextRow> rows;
  for (int i = 0; i < count; ++i) rows.push_back(RandomTextRow(schema, random));
  return rows;
}

// What the decoder should give: no rtype for bars, the columns the text never has, row numbers.
std::vector<TextRow> Expected(const TableSchema& schema, std::vector<TextRow> rows, bool symbols) {
  for (size_t i = 0; i < rows.size(); ++i) {
    for (const Column& column : schema.columns) {
      if (column.origin == ColumnOrigin::kVendor) rows[i].try_emplace(column.name, "null");
    }
    if (schema.Find("rtype") < 0) rows[i].erase("rtype");
    if (!symbols) rows[i]["symbol"] = "null";
    rows[i]["_extra"] = "null";
    rows[i]["source_row"] = std::to_string(i);
  }
  return rows;
}

class EverySchema : public ::testing::TestWithParam<const TableSchema*> {};

TEST_P(EverySchema, AllSpellingsDecodeAlike) {
  const TableSchema& schema = *GetParam();
  constexpr uint64_t kSeed = 17;
  SCOPED_TRACE(kSeed);
  const std::vector<TextRow> rows = RandomRows(schema, kSeed, 60);
  for (int bits = 0; bits < 32; ++bits) {
    const TextSpelling spelling{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
    TextOptions options;
    options.schema = &schema;
    if ((bits & 16) != 0) {
      options.pretty_px = spelling.pretty_px;
      options.pretty_ts = spelling.pretty_ts;
    }
    for (const TextEncoding encoding : {TextEncoding::kCsv, TextEncoding::kNdjson}) {
      const std::string text =
          encoding == TextEncoding::kCsv ? WriteCsv(schema, rows, spelling) : WriteNdjson(schema, rows, spelling);
      const DecodedText decoded = DecodeText(encoding, options, text, 7);
      ASSERT_FALSE(decoded.error) << decoded.error->ToString() << "\n" << text;
      ASSERT_TRUE(decoded.bad.empty()) << decoded.bad[0].reason << "\n" << text;
      ASSERT_EQ(decoded.rows, Expected(schema, rows, spelling.symbols)) << text;
      EXPECT_EQ(decoded.facts.records, 60);
      EXPECT_TRUE(decoded.facts.ended);
      EXPECT_EQ(decoded.facts.schema, schema.name);
    }
  }
}

TEST_P(EverySchema, IsInferredFromItsOwnText) {
  const TableSchema& schema = *GetParam();
  const std::vector<TextRow> rows = RandomRows(schema, 3, 2);
  const TableSchema* expected = schema.name == "tbbo" ? FindDatabentoSchema("mbp-1") : &schema;
  EXPECT_EQ(InferTextSchema(WriteCsv(schema, rows, {}), TextEncoding::kCsv), expected);
  EXPECT_EQ(InferTextSchema(WriteNdjson(schema, rows, {}), TextEncoding::kNdjson), expected);
}

TEST_P(EverySchema, AHeaderWithoutANeededColumnIsRefusedByName) {
  const TableSchema& schema = *GetParam();
  const std::string header = WriteCsv(schema, {}, {});
  std::string_view rest(header.data(), header.size() - 1);
  int refused = 0;
  while (!rest.empty()) {
    const std::string name(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    const bool may_lack = name == "symbol" || name.starts_with("leg_") || (name == "rtype" && schema.Find("rtype") < 0);
    const size_t at = header.size() - 1 - rest.size() - name.size() - (rest.empty() ? 0 : 1);
    std::string renamed = header;
    renamed.replace(at, name.size(), "renamed");
    const DecodedText decoded = fixture::DecodeCsv(schema.name, renamed);
    ASSERT_EQ(decoded.error.has_value(), !may_lack) << name;
    if (may_lack) continue;
    EXPECT_EQ(decoded.error->kind, ErrorKind::kBadInput);
    EXPECT_THAT(decoded.error->message, ::testing::HasSubstr("'" + name + "'"));
    ++refused;
  }
  EXPECT_GE(refused, 8);
}

// A damaged line decodes the same in company, where the shape of its neighbours is known, as alone, where only the
// JSON parser sees it; and its neighbours are not touched.
TEST_P(EverySchema, ADamagedLineIsJudgedAloneAndHarmsNoOther) {
  const TableSchema& schema = *GetParam();
  constexpr uint64_t kSeed = 23;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  TextOptions options;
  options.schema = &schema;
  const std::vector<TextRow> rows = RandomRows(schema, kSeed, 3);
  const std::vector<TextRow> expected = Expected(schema, rows, true);
  for (const TextEncoding encoding : {TextEncoding::kCsv, TextEncoding::kNdjson}) {
    const bool csv = encoding == TextEncoding::kCsv;
    const std::string header = csv ? WriteCsv(schema, {}, {}) : "";
    std::vector<std::string> lines;
    for (const TextRow& row : rows) {
      lines.push_back(csv ? WriteCsv(schema, {row}, {}).substr(header.size()) : WriteNdjson(schema, {row}, {}));
    }
    for (int round = 0; round < 150; ++round) {
      std::string damaged = lines[1];
      for (uint64_t hits = random() % 3; hits < 3; ++hits) {
        const size_t at = random() % (damaged.size() - 1);
        constexpr std::string_view kBytes = "0192.-\",:{}[]\\nTZ \x01\x80\xC3\xA9";
        switch (random() % 3) {
          case 0: damaged[at] = kBytes[random() % kBytes.size()]; break;
          case 1: damaged.erase(at, 1); break;
          default: damaged.insert(at, 1, kBytes[random() % kBytes.size()]); break;
        }
      }
      const DecodedText alone = DecodeText(encoding, options, header + damaged);
      const DecodedText company = DecodeText(encoding, options, header + lines[0] + damaged + lines[2]);
      ASSERT_FALSE(company.error) << damaged;
      ASSERT_EQ(alone.rows.size() + alone.bad.size(), 1U) << damaged;
      ASSERT_EQ(company.rows.size(), 2 + alone.rows.size()) << damaged;
      EXPECT_EQ(company.rows.front(), expected.front()) << damaged;
      EXPECT_EQ(company.rows.back(), expected.back()) << damaged;
      if (alone.rows.empty()) {
        EXPECT_EQ(company.bad[0].source_row, 1);
        EXPECT_EQ(company.bad[0].offset, static_cast<int64_t>(header.size() + lines[0].size()));
        EXPECT_EQ(company.bad[0].raw + "\n", damaged);
        continue;
      }
      TextRow row = company.rows[1];
      row["source_row"] = "0";
      EXPECT_EQ(row, alone.rows[0]) << damaged;
    }
  }
}

TEST_P(EverySchema, AFileCutAnywhereButAtALineEndIsRefused) {
  const TableSchema& schema = *GetParam();
  TextOptions options;
  options.schema = &schema;
  const std::vector<TextRow> rows = RandomRows(schema, 5, 2);
  for (const TextEncoding encoding : {TextEncoding::kCsv, TextEncoding::kNdjson}) {
    const std::string text =
        encoding == TextEncoding::kCsv ? WriteCsv(schema, rows, {}) : WriteNdjson(schema, rows, {});
    for (size_t size = 0; size < text.size(); size += 1 + size / 50) {
      const bool whole = size > 0 && text[size - 1] == '\n';
      const DecodedText decoded = DecodeText(encoding, options, std::string_view(text).substr(0, size));
      ASSERT_EQ(decoded.error.has_value(), !whole) << size;
      EXPECT_TRUE(whole || decoded.error->kind == ErrorKind::kBadInput) << size;
    }
  }
}

std::string TestName(const ::testing::TestParamInfo<const TableSchema*>& schema) {
  std::string name = schema.param->name;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(Databento, EverySchema, ::testing::ValuesIn(DatabentoSchemas()), TestName);

TEST(DatabentoText, NothingFits) {
  EXPECT_EQ(InferTextSchema("", TextEncoding::kCsv), nullptr);
  EXPECT_EQ(InferTextSchema("a,b\n1,2\n", TextEncoding::kCsv), nullptr);
  EXPECT_EQ(InferTextSchema("{\"a\":1}\n", TextEncoding::kNdjson), nullptr);
  EXPECT_EQ(InferTextSchema("{]\n", TextEncoding::kNdjson), nullptr);
  EXPECT_EQ(InferTextSchema("[1]\n", TextEncoding::kNdjson), nullptr);
}

TEST(DatabentoText, AHeaderAloneTellsASchemaOnlyWhereOneHasItsColumns) {
  const auto infer = [](const char* schema) {
    return InferTextSchema(WriteCsv(*FindDatabentoSchema(schema), {}, {}), TextEncoding::kCsv);
  };
  EXPECT_EQ(infer("mbo"), FindDatabentoSchema("mbo"));
  EXPECT_EQ(infer("definition"), FindDatabentoSchema("definition"));
  EXPECT_EQ(infer("ohlcv-1m"), nullptr);
}

}  // namespace
}  // namespace lode::codec
