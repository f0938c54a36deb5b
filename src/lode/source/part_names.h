// Which files may hold a part of what is asked for. To ask the disk before each of thousands of small objects takes a
// fifteenth of the client's time.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "lode/net/spooled_body.h"

namespace lode::source {

// Of one folder, which is read once. Not thread-safe.
class PartNames {
 public:
  // False: nothing lay there when the first file was asked about, and nothing was added since.
  bool MayHave(const std::filesystem::path& file);
  void Add(const std::filesystem::path& file);

 private:
  std::optional<std::set<std::string>> names_;
};

// A request failed: what the body holds goes to the file, where the next one continues it, if it can be written at all.
void LeavePart(net::SpooledBody& body, const std::filesystem::path& file, PartNames* parts);

}  // namespace lode::source
