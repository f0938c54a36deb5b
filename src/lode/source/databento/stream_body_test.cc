#include "lode/source/databento/stream_body.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace lode::source::databento {
namespace {

class StreamBodyTest : public testing::Test {
 protected:
  StreamBodyTest() {
    std::string name = std::filesystem::temp_directory_path() / "lode-stream-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    body_ = std::make_unique<StreamBody>(net::FileBody::Open({.path = folder_ / "file"}).value());
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

}  // namespace
}  // namespace lode::source::databento
