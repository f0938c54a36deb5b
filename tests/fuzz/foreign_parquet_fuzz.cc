// Somebody's Parquet, footer first. Arrow's reader wants a file, so each input goes through one in memory.
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "drain.h"
#include "lode/codec/parquet_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lode;
  static const int file = memfd_create("foreign.parquet", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  codec::StringPool strings(size_t{1} << 20);
  codec::BadRecords bad;
  fuzz::Drain(codec::OpenForeignParquet(path, *codec::FindDatabentoSchema("ohlcv-1m"), {}, {&strings, &bad, 64}), bad);
  return 0;
}
