// Pins: hard links to the partition files a query reads, so that a publish during the query cannot change what it sees.
// They live under .lode/pins/<pid>-<random>, guarded by a lock that dies with the process.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "lode/base/result.h"
#include "lode/lake/lake.h"
#include "lode/store/local_disk.h"

namespace lode::sink {

class Pins {
 public:
  // kStorage where the lake cannot be written; the query then reads bronze itself.
  static Result<Pins> Create(const lake::LakePaths& paths);
  Pins(Pins&& other) noexcept;
  Pins& operator=(Pins&&) = delete;
  // Removes the links.
  ~Pins();

  // Links every partition file of a dataset; returns the folder that mirrors bronze/<dataset>.
  Result<std::filesystem::path> Pin(const lake::LakePaths& paths, std::string_view dataset);
  // Links one partition file; kNotFound when it is gone.
  Result<std::filesystem::path> PinFile(const lake::LakePaths& paths, std::string_view dataset, std::string_view file);
  const std::filesystem::path& folder() const { return folder_; }

  // Removes what dead processes left. Failure is not worth a word: the next one tries again.
  static void CleanDead(const lake::LakePaths& paths);

 private:
  Pins(std::filesystem::path folder, store::FileLock lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}
  std::filesystem::path folder_;
  std::optional<store::FileLock> lock_;
};

}  // namespace lode::sink
