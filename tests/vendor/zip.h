// A ZIP archive of stored (not compressed) files, for batch.download.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lode::vendor {

class ZipWriter {
 public:
  void Add(std::string_view name, std::string_view bytes);
  // The archive. Call once. Sizes above 4 GiB are not supported.
  std::string Finish();

 private:
  std::string bytes_, directory_;
  uint16_t files_ = 0;
};

}  // namespace lode::vendor
