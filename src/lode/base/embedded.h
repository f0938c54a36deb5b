// The data files of the source tree's data/ (symbol lists, calendars), compiled into the program.
#pragma once

#include <span>
#include <string_view>

namespace lode {

struct EmbeddedFile {
  std::string_view path;  // relative to data/: "symbols/cme_fx.toml"
  std::string_view text;
};

// Sorted by path. Static storage.
std::span<const EmbeddedFile> EmbeddedFiles();

// nullptr when there is no such file.
inline const EmbeddedFile* FindEmbedded(std::string_view path) {
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

}  // namespace lode
