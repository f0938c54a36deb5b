#include "lode/source/databento/stream_body.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "lode/codec/testing/dbn_writer.h"

namespace lode::source::databento {
namespace {

const Day kMonday = *ParseDay("2024-01-08");

class StreamBodyTest : public testing::Test {
 protected:
  StreamBodyTest() {
    std::string name = std::filesystem::temp_directory_path() / "lode-stream-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    body_ = std::make_unique<StreamBody>(net::FileBody::Open({.path = folder_ / "file"}).value(), folder_ / "file",
                                         *codec::FindDatabentoSchema("trades"), kMonday);
    EXPECT_TRUE(body_->Begin({.status = 200}, 0));
  }
  ~StreamBodyTest() override { std::filesystem::remove_all(folder_); }

  static std::string Frame(const std::string& text) {
    std::string frame(ZSTD_compressBound(text.size()), '\0');
    frame.resize(ZSTD_compress(frame.data(), frame.size(), text.data(), text.size(), 3));
    return frame;
  }
  // In pieces of `step` bytes.
  Status Write(const std::string& bytes, size_t step = SIZE_MAX) {
    for (size_t at = 0; at < bytes.size(); at += step) {
      LODE_TRY(body_->Write(std::as_bytes(std::span(bytes).subspan(at, std::min(step, bytes.size() - at)))));
      if (step == SIZE_MAX) break;
    }
    return Ok();
  }
  std::string Written() const {
    std::ifstream in(folder_ / "file", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path folder_;
  std::unique_ptr<StreamBody> body_;
};

TEST_F(StreamBodyTest, KeepsTheBytesAsTheyCame) {
  const std::string all = Frame("DBN and more") + Frame("a second frame") + Frame("");
  ASSERT_TRUE(Write(all, 1));
  ASSERT_TRUE(body_->End());
  EXPECT_EQ(Written(), all);
  EXPECT_EQ(body_->file().size(), all.size());
}

// Symptom: a stream whose last frame gave as many bytes as the decoder's buffer takes was called cut, on every try.
TEST_F(StreamBodyTest, AFrameMayEndWhereTheBufferDoes) {
  for (const size_t size : {ZSTD_DStreamOutSize(), 2 * ZSTD_DStreamOutSize(), ZSTD_DStreamOutSize() - 1}) {
    ASSERT_TRUE(body_->Begin({.status = 200}, 0));
    ASSERT_TRUE(Write(Frame("DBN" + std::string(size - 3, 'x'))));
    EXPECT_TRUE(body_->End()) << size;
  }
}

TEST_F(StreamBodyTest, AStreamThatStopsAnywhereIsNotWhole) {
  const std::string all = Frame("DBN and then a few more bytes") + Frame("a second frame");
  const size_t border = Frame("DBN and then a few more bytes").size();
  for (size_t size = 0; size < all.size(); ++size) {
    ASSERT_TRUE(body_->Begin({.status = 200}, 0));
    ASSERT_TRUE(Write(all.substr(0, size)));
    EXPECT_EQ(bool(body_->End()), size == border) << size;  // there zstd cannot know
  }
}

TEST_F(StreamBodyTest, WhatIsNoDbnOrNoZstdIsCorrupt) {
  for (const std::string& bytes : {std::string("<html>no</html>"), Frame("<html>no</html>"), Frame("DBM"),
                                   Frame("DBN and more") + "trailing text"}) {
    ASSERT_TRUE(body_->Begin({.status = 200}, 0));
    const Status written = Write(bytes);
    ASSERT_FALSE(written) << bytes;
    EXPECT_EQ(written.error().kind, ErrorKind::kCorrupt);
  }
  ASSERT_TRUE(body_->Begin({.status = 200}, 0));
  ASSERT_TRUE(Write(Frame("DB")));  // too short to be told from the start
  EXPECT_FALSE(body_->End());
  ASSERT_TRUE(body_->Begin({.status = 200}, 0));
  EXPECT_FALSE(body_->End());
}

TEST_F(StreamBodyTest, EachTryBeginsAnew) {
  ASSERT_TRUE(Write(Frame("DBN and more").substr(0, 9)));
  ASSERT_TRUE(body_->Begin({.status = 200}, 0));
  ASSERT_TRUE(Write(Frame("DBN other")));
  ASSERT_TRUE(body_->End());
  EXPECT_EQ(Written(), Frame("DBN other"));
}

// Four days of 30,000 records each, as one frame.
codec::fixture::DbnWriter FourDays() {
  codec::fixture::DbnWriter writer({.version = 3, .schema = "trades"});
  for (int64_t i = 0; i < 120'000; ++i) {
    const auto time = static_cast<uint64_t>((kMonday + static_cast<int>(i / 30'000)).start_ns() + i);
    writer.Add("trades", {{"instrument_id", i % 7}, {"ts_recv", time}, {"sequence", i}});
  }
  return writer;
}

TEST_F(StreamBodyTest, WhatBrokeOffIsCutToItsWholeDays) {
  const auto writer = FourDays();
  const std::string all = Frame(writer.bytes());
  ASSERT_TRUE(Write(all.substr(0, all.size() * 7 / 10), 10'007));  // into the third day
  ASSERT_TRUE(body_->keeps_part());
  const auto part = body_->CutToWholeDays();
  ASSERT_TRUE(part) << part.error().message;
  EXPECT_EQ(part->end, kMonday + 2);
  const std::string written = Written();
  EXPECT_EQ(part->size, written.size());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "file.cut"));
  // Sound on its own, and the vendor's very bytes up to the third day.
  const std::string whole = writer.bytes().substr(0, writer.record_offsets()[60'000]);
  std::string text(whole.size() + 1, '\0');
  text.resize(ZSTD_decompress(text.data(), text.size(), written.data(), written.size()));
  EXPECT_EQ(text, whole);
}

TEST_F(StreamBodyTest, NothingIsKeptOfTheFirstDayNorOfCorruptBytes) {
  const auto writer = FourDays();
  std::string all = Frame(writer.bytes());
  ASSERT_TRUE(Write(all.substr(0, all.size() / 8), 10'007));
  EXPECT_FALSE(body_->keeps_part());
  EXPECT_FALSE(body_->CutToWholeDays());
  ASSERT_TRUE(body_->Begin({.status = 200}, 0));
  all.resize(all.size() * 7 / 10);
  all += std::string(300'000, '\x5a');
  ASSERT_FALSE(Write(all, 10'007));
  EXPECT_FALSE(body_->keeps_part());
}

}  // namespace
}  // namespace lode::source::databento
