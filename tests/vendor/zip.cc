#include "zip.h"

#include <isa-l/crc.h>

#include <cstdint>
#include <utility>

namespace lode::vendor {
namespace {

void Put(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

}  // namespace

void ZipWriter::Add(std::string_view name, std::string_view bytes) {
  const uint64_t offset = bytes_.size();
  const uint32_t crc = crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  std::string common;  // version … length of extra fields, equal in both headers
  Put(common, 20, 2);
  Put(common, 0, 2);
  Put(common, 0, 2);     // stored
  Put(common, 0, 2);     // time
  Put(common, 0x21, 2);  // 1980-01-01
  Put(common, crc, 4);
  Put(common, bytes.size(), 4);
  Put(common, bytes.size(), 4);
  Put(common, name.size(), 2);
  Put(common, 0, 2);
  Put(bytes_, 0x04034B50, 4);
  bytes_.append(common).append(name).append(bytes);
  Put(directory_, 0x02014B50, 4);
  Put(directory_, 20, 2);
  directory_ += common;
  Put(directory_, 0, 2);  // length of the comment
  Put(directory_, 0, 2);  // disk
  Put(directory_, 0, 2);  // internal attributes
  Put(directory_, 0, 4);  // external attributes
  Put(directory_, offset, 4);
  directory_ += name;
  ++files_;
}

std::string ZipWriter::Finish() {
  const uint64_t at = bytes_.size();
  bytes_ += directory_;
  Put(bytes_, 0x06054B50, 4);
  Put(bytes_, 0, 4);
  Put(bytes_, files_, 2);
  Put(bytes_, files_, 2);
  Put(bytes_, directory_.size(), 4);
  Put(bytes_, at, 4);
  Put(bytes_, 0, 2);
  return std::move(bytes_);
}

}  // namespace lode::vendor
