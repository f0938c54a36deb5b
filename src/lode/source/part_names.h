// Which files may hold a part that an earlier run left. To ask the disk before each of thousands of small objects takes
// a fifteenth of the client's time.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

namespace lode::source {

// Of one folder, which is read once. Not thread-safe.
class PartNames {
 public:
  // False: nothing lay there when the first file was asked about.
  bool MayHave(const std::filesystem::path& file);

 private:
  std::optional<std::set<std::string>> names_;
};

}  // namespace lode::source
