// Compressed text for tests, in one go.
#pragma once

#include <gtest/gtest.h>
#include <isa-l/igzip_lib.h>

#include <string>
#include <string_view>

namespace lode::codec::fixture {

// A DEFLATE stream in the wrapper (IGZIP_DEFLATE: none).
inline std::string Deflate(std::string_view content, uint16_t wrapper = IGZIP_DEFLATE) {
  isal_zstream stream;
  isal_deflate_stateless_init(&stream);
  std::string out(content.size() + content.size() / 100 + 1000, '\0');
  stream.gzip_flag = wrapper;
  stream.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uint32_t>(content.size());
  stream.next_out = reinterpret_cast<uint8_t*>(out.data());
  stream.avail_out = static_cast<uint32_t>(out.size());
  stream.end_of_stream = 1;
  EXPECT_EQ(isal_deflate_stateless(&stream), COMP_OK);
  out.resize(stream.total_out);
  return out;
}

// A gzip member.
inline std::string Gzip(std::string_view content) { return Deflate(content, IGZIP_GZIP); }

}  // namespace lode::codec::fixture
