// lode.toml.
#include <string_view>

#include "drain.h"
#include "lode/base/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto config = lode::Config::Parse({reinterpret_cast<const char*>(data), size}, "lode.toml");
  if (!config) {
    lode::fuzz::Require(!config.error().message.empty());
    return 0;
  }
  for (const auto& [name, dataset] : config->datasets()) lode::fuzz::Require(name == dataset.name);
  return 0;
}
