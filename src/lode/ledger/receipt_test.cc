#include "lode/ledger/receipt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "lode/base/hashing.h"
#include "lode/ledger/ledger.h"
#include "lode/ledger/receipt_internal.h"

namespace lode::ledger {
namespace {

using testing::HasSubstr;

// Random receipts; the seed is printed with every failure.
class ReceiptSource {
 public:
  explicit ReceiptSource(uint64_t seed) : random_(seed) {}

  Receipt Next() {
    Receipt receipt;
    receipt.sequence = 1 + Below(1'000'000'000);
    receipt.dataset = "d" + std::to_string(Below(10));
    receipt.schema = Text();
    receipt.schema_version = static_cast<int>(Below(5));
    receipt.layout = Text();
    receipt.origin = "file";
    receipt.unit = Text();
    receipt.request = R"({"symbols":["a"]})";
    receipt.attempts = static_cast<int>(Below(9));
    receipt.started_at = Text();
    receipt.finished_at = Text();
    receipt.program = "lode 0.1";
    receipt.records = Below(1 << 30);
    receipt.rejected = Below(2);
    receipt.quarantine = Below(2) == 0 ? "" : "quarantine/x/1.json";
    receipt.duplicates = Below(3);
    for (int64_t i = Below(4); i > 0; --i) receipt.raw_files.push_back(NextRawFile());
    for (int64_t i = Below(4); i > 0; --i) receipt.partitions.push_back(NextPartition());
    for (int64_t i = Below(60); i > 0; --i) receipt.cells.push_back(NextCell());
    SortCells(&receipt.cells);
    for (int64_t i = Below(8) == 0 ? Below(4) : 0; i > 0; --i) receipt.removed.push_back(NextRemoval(receipt.dataset));
    return receipt;
  }

  int64_t Below(int64_t limit) { return std::uniform_int_distribution<int64_t>(0, limit - 1)(random_); }

 private:
  // Any bytes, NUL, quotes and broken UTF-8 among them.
  std::string Text() {
    std::string text;
    for (int64_t i = Below(6); i > 0; --i) {
      constexpr std::string_view kPieces[] = {"a", "\"", "\\", "\n", "é", "\xF0\x9F\x8C\xBE", "€"};
      text += Below(3) == 0 ? std::string(1, static_cast<char>(Below(256))) : std::string(kPieces[Below(7)]);
    }
    return text;
  }

  std::string Hash() { return Sha256Hex(std::to_string(Below(1 << 20))); }

  RawFile NextRawFile() {
    RawFile file;
    file.name = Text();
    file.in_place = Below(2) == 0;
    file.landed = file.in_place ? "/some/where.dbn" : "landing/d/files/x\xFF.dbn";
    file.size = static_cast<uint64_t>(Below(int64_t{1} << 40));
    file.sha256 = Hash();
    file.role = "data";
    file.encoding = Text();
    file.schema = Text();
    if (Below(2) == 0) file.pretty_px = Below(2) == 0;
    if (Below(2) == 0) file.pretty_ts = Below(2) == 0;
    file.mapping = Text();
    return file;
  }

  Partition NextPartition() {
    return Partition{.path = "month=2024-01/data.parquet",
                     .size = static_cast<uint64_t>(Below(1 << 30)),
                     .sha256 = Hash(),
                     .rows = Below(1 << 20),
                     .min_key = Text(),
                     .max_key = Text(),
                     .replaces = Below(2) == 0 ? "" : Hash()};
  }

  Removal NextRemoval(const std::string& dataset) {
    return Removal{.path = fmt::format("{}/{}/x\xFF{}", Below(2) == 0 ? "landing" : "bronze", dataset, Below(100)),
                   .size = static_cast<uint64_t>(Below(1 << 30)),
                   .sha256 = Hash()};
  }

  Cell NextCell() {
    Cell cell;
    cell.symbol = Below(2) == 0 ? "ZL.FUT" : std::string(1, static_cast<char>(Below(256)));
    cell.day = Day{static_cast<int32_t>(19'700 + Below(20))};
    cell.state = static_cast<CellState>(Below(11));
    if (Below(3) == 0) cell.reason = Text();
    if (Below(3) == 0) cell.proof = "manifest";
    if (Below(2) == 0) cell.rows = Below(3);
    if (Below(3) == 0) cell.modified = Day{static_cast<int32_t>(19'700 + Below(2))};
    if (Below(3) == 0) cell.modified = cell.day + static_cast<int32_t>(Below(2));
    cell.degraded = Below(5) == 0;
    return cell;
  }

  std::mt19937_64 random_;
};

TEST(Receipt, RoundTripsAnyContent) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  ReceiptSource source(seed);
  for (int i = 0; i < 500; ++i) {
    const Receipt receipt = source.Next();
    const std::string text = WriteReceipt(receipt);
    const Result<Receipt> read = ReadReceipt(text);
    ASSERT_TRUE(read) << read.error().ToString() << "\n" << text;
    ASSERT_EQ(*read, receipt) << text;
    ASSERT_EQ(WriteReceipt(*read), text);
  }
}

TEST(Receipt, EverySingleFlippedBitIsFound) {
  ReceiptSource source(7);
  Receipt receipt = source.Next();
  while (receipt.cells.size() < 3 || receipt.raw_files.empty() || receipt.partitions.empty()) receipt = source.Next();
  receipt.cells.resize(3);
  std::string text = WriteReceipt(receipt);
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(ReadReceipt(text)) << "bit " << bit;
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
  }
  for (size_t size = 0; size < text.size(); ++size) ASSERT_FALSE(ReadReceipt(text.substr(0, size)));
  ASSERT_FALSE(ReadReceipt(text + "\n"));
  ASSERT_TRUE(ReadReceipt(text));
}

// A receipt whose checksum is right but whose body was made by somebody else.
std::string Sealed(std::string_view body) {
  return fmt::format("{}{}{}{}", body, kChecksumKey, Sha256Hex(body), kChecksumEnd);
}

std::string SealedWithCells(std::string_view groups) {
  return Sealed(
      fmt::format(R"({{"format":1,"sequence":1,"dataset":"d","raw_files":[],"partitions":[],"cells":[{}])", groups));
}

TEST(Receipt, HostileTextIsRefused) {
  ASSERT_TRUE(ReadReceipt(SealedWithCells("")));
  ASSERT_TRUE(
      ReadReceipt(SealedWithCells(R"({"symbol":"a","state":"empty","days":["2024-01-01/2024-01-03"],"rows":0})")));
  const std::vector<std::string> texts = {
      "",
      "{}",
      "[]",
      Sealed("["),
      Sealed("{"),
      Sealed("{\"format\":1"),
      Sealed("{\"format\":\"1\""),
      Sealed(std::string(100'000, '[')),
      Sealed("{\"a\":" + std::string(1'000'000, '[')),
      SealedWithCells("1"),
      SealedWithCells("{}"),
      SealedWithCells(R"({"state":"empty","days":[]})"),
      SealedWithCells(R"({"state":"nonsense","days":["2024-01-01"]})"),
      SealedWithCells(R"({"state":"empty","days":["2024-01-32"]})"),
      SealedWithCells(R"({"state":"empty","days":["2024-01-02/2024-01-01"]})"),
      SealedWithCells(R"({"state":"empty","days":["2024-01-01","2024-01-01"]})"),
      SealedWithCells(R"({"state":"empty","days":["2024-01-01"],"rows":[1,2]})"),
      SealedWithCells(R"({"state":"empty","days":["2024-01-01"],"rows":-1})"),
      SealedWithCells(R"({"state":"empty","days":["2024-01-01"],"rows":1.5})"),
      SealedWithCells(R"({"state":"empty","days":["2024-01-01"],"rows":18446744073709551615})"),
      SealedWithCells(R"({"state":"empty","days":["2024-01-01"],"modified":"2024-01-00"})"),
      SealedWithCells(R"({"state":"empty","days":["2024-01-01"],"modified":9223372036854775807})"),
      SealedWithCells(R"({"state":"empty","days":["2024-01-01"],"modified":[]})"),
      SealedWithCells(R"({"state":"empty","symbol":"\u0000zz","days":["2024-01-01"]})"),
      // 3.65 million days in 24 bytes, twice.
      SealedWithCells(R"({"symbol":"a","state":"empty","days":["0001-01-01/9999-12-31"]},)"
                      R"({"symbol":"b","state":"empty","days":["0001-01-01/9999-12-31"]})"),
  };
  for (const std::string& text : texts) {
    const Result<Receipt> receipt = ReadReceipt(text);
    ASSERT_FALSE(receipt) << text.substr(0, 200);
    EXPECT_EQ(receipt.error().kind, ErrorKind::kCorrupt);
  }
}

TEST(Receipt, PathsStayBelowTheLake) {
  const std::string hash(64, 'a');
  const auto with_path = [&](std::string_view landed, std::string_view partition) {
    return Sealed(fmt::format(R"({{"format":1,"sequence":1,"dataset":"d","cells":[],)"
                              R"("raw_files":[{{"landed":"{}","size":1,"sha256":"{}"}}],)"
                              R"("partitions":[{{"path":"{}","size":1,"rows":1,"sha256":"{}"}}])",
                              landed, hash, partition, hash));
  };
  EXPECT_TRUE(ReadReceipt(with_path("landing/x", "a/b.parquet")));
  EXPECT_FALSE(ReadReceipt(with_path("/etc/passwd", "a/b.parquet")));
  EXPECT_FALSE(ReadReceipt(with_path("landing/../../x", "a/b.parquet")));
  EXPECT_FALSE(ReadReceipt(with_path("landing/x", "../b.parquet")));
  EXPECT_FALSE(
      ReadReceipt(Sealed(R"({"format":1,"sequence":1,"dataset":"../d","cells":[],"raw_files":[],"partitions":[])")));
}

TEST(Receipt, NewerFormatIsNamed) {
  const Result<Receipt> receipt = ReadReceipt(Sealed(R"({"format":3)"));
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(receipt.error().message, HasSubstr("newer lode"));
}

// A program that does not know of removals would miss the files.
TEST(Receipt, OneThatRemovesIsOfALaterFormat) {
  Receipt receipt;
  receipt.sequence = 1;
  receipt.dataset = "d";
  EXPECT_THAT(WriteReceipt(receipt), HasSubstr("\"format\":1"));
  receipt.removed = {{.path = "landing/d/x", .size = 1, .sha256 = std::string(64, 'a')}};
  EXPECT_THAT(WriteReceipt(receipt), HasSubstr("\"format\":2"));
  EXPECT_EQ(ReadReceipt(WriteReceipt(receipt)).value(), receipt);
  for (const char* path : {"landing/e/x", "bronze/d", "receipts/d/1.json", "landing/d/../e/x", "/landing/d/x", ""}) {
    receipt.removed[0].path = path;
    EXPECT_FALSE(ReadReceipt(WriteReceipt(receipt))) << path;
  }
}

TEST(Receipt, ThousandsOfCellsStaySmall) {
  Receipt receipt;
  receipt.sequence = 1;
  receipt.dataset = "d";
  for (int symbol = 0; symbol < 100; ++symbol) {
    for (int day = 0; day < 365; ++day) {
      Cell cell;
      cell.symbol = fmt::format("S{:03}.FUT", symbol);
      cell.day = Day{19'700 + day};
      cell.state = day % 7 < 2 ? CellState::kEmpty : CellState::kComplete;
      cell.proof = "manifest";
      cell.rows = day % 7 < 2 ? 0 : 1000 + day;
      cell.modified = cell.day + 1;
      receipt.cells.push_back(cell);
    }
  }
  const std::string text = WriteReceipt(receipt);
  EXPECT_LT(text.size(), receipt.cells.size() * 12);
  EXPECT_EQ(ReadReceipt(text).value().cells, receipt.cells);
}

TEST(Receipt, FileNames) {
  EXPECT_EQ(ReceiptFileName(1), "00000001.json");
  EXPECT_EQ(ReceiptFileName(123'456'789'012), "123456789012.json");
  EXPECT_EQ(ReceiptSequence("00000042.json"), 42);
  EXPECT_EQ(ReceiptSequence("123456789012.json"), 123'456'789'012);
  for (const char* name :
       {"", ".json", "1.json", "00000000.json", "00000001.json.tmp", "0000000a.json", "-0000001.json"}) {
    EXPECT_EQ(ReceiptSequence(name), std::nullopt) << name;
  }
}

Cell CellIn(CellState state, std::optional<int> modified = {}) {
  Cell cell;
  cell.state = state;
  if (modified) cell.modified = Day{*modified};
  return cell;
}

TEST(Replaces, SettledCellsAreNotUndoneByADeliveryThatLacksThem) {
  using enum CellState;
  for (const CellState older : {kComplete, kEmpty, kNotListed, kNotEntitled, kExpired, kPartial, kStale}) {
    for (const CellState newer : {kMissing, kFailed, kPending}) {
      EXPECT_FALSE(Replaces(CellIn(newer), CellIn(older))) << Name(newer) << " over " << Name(older);
    }
  }
  for (const CellState older : {kMissing, kFailed, kPending, kClosed}) {
    for (int newer = 0; newer <= static_cast<int>(kExpired); ++newer) {
      EXPECT_TRUE(Replaces(CellIn(static_cast<CellState>(newer)), CellIn(older)));
    }
  }
}

TEST(Replaces, RowsAreNotDeniedByALaterEmptyDay) {
  using enum CellState;
  EXPECT_FALSE(Replaces(CellIn(kEmpty), CellIn(kComplete)));
  EXPECT_FALSE(Replaces(CellIn(kEmpty, 5), CellIn(kComplete, 5)));
  EXPECT_TRUE(Replaces(CellIn(kEmpty, 6), CellIn(kComplete, 5)));
  EXPECT_FALSE(Replaces(CellIn(kPartial), CellIn(kComplete)));
  EXPECT_TRUE(Replaces(CellIn(kComplete), CellIn(kEmpty)));
}

TEST(Replaces, HigherVendorDateWinsThenTheLaterReceipt) {
  using enum CellState;
  EXPECT_TRUE(Replaces(CellIn(kComplete), CellIn(kComplete)));
  EXPECT_TRUE(Replaces(CellIn(kComplete, 5), CellIn(kComplete, 5)));
  EXPECT_FALSE(Replaces(CellIn(kComplete, 4), CellIn(kComplete, 5)));
  EXPECT_TRUE(Replaces(CellIn(kStale), CellIn(kComplete, 5)));
  EXPECT_TRUE(Replaces(CellIn(kExpired), CellIn(kComplete)));
}

TEST(CellStates, NamesParseBack) {
  for (int state = 0; state <= static_cast<int>(CellState::kExpired); ++state) {
    EXPECT_EQ(ParseCellState(Name(static_cast<CellState>(state))).value(), static_cast<CellState>(state));
  }
  EXPECT_FALSE(ParseCellState("Complete"));
}

}  // namespace
}  // namespace lode::ledger
