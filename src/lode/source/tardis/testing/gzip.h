// A gzip member, as the vendor's files hold it.
#pragma once

#include <gtest/gtest.h>
#include <isa-l/igzip_lib.h>

#include <string>
#include <string_view>

namespace lode::source::tardis {

inline std::string Gzip(std::string_view text) {
  isal_zstream stream;
  isal_deflate_stateless_init(&stream);
  std::string out(text.size() + text.size() / 100 + 1000, '\0');
  stream.gzip_flag = IGZIP_GZIP;
  stream.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uint32_t>(text.size());
  stream.next_out = reinterpret_cast<uint8_t*>(out.data());
  stream.avail_out = static_cast<uint32_t>(out.size());
  stream.end_of_stream = 1;
  EXPECT_EQ(isal_deflate_stateless(&stream), COMP_OK);
  out.resize(stream.total_out);
  return out;
}

}  // namespace lode::source::tardis
