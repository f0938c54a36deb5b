// Who holds a FileLock (store/local_disk.h).
#pragma once

#include <filesystem>
#include <optional>

namespace lode::store {

// The process that holds the lock on this file, as /proc/locks tells; nullopt when nobody does or it cannot be told
// (another machine, another container). Takes no lock, so that no run that starts meanwhile is refused; makes no file.
std::optional<int> LockHolder(const std::filesystem::path& path);

}  // namespace lode::store
