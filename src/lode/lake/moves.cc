#include "lode/lake/moves.h"

#include <set>

namespace lode::lake {

namespace {

std::set<fs::path> TargetFolders(const fs::path& root, const std::vector<Move>& moves) {
  std::set<fs::path> folders;
  for (const Move& move : moves) folders.insert((root / move.target).parent_path());
  return folders;
}

}  // namespace

Status CheckPaths(std::string_view dataset, const Move& move) {
  const auto below = [&](std::string_view path, std::string_view folder) {
    return path.starts_with(fmt::format("{}/{}/", folder, dataset));
  };
  const bool plain = store::IsPlainRelativePath(move.temporary) && store::IsPlainRelativePath(move.target);
  const bool placed =
      below(move.temporary, ".lode/tmp") &&
      (below(move.target, "landing") || below(move.target, "bronze") || below(move.target, "quarantine"));
  if (plain && placed) return Ok();
  return Fail(ErrorKind::kCorrupt, "publish of '{}' as '{}' would leave the folders of dataset {}", move.temporary,
              move.target, dataset);
}

Result<std::string> HashIfThere(const fs::path& path) {
  Result<store::Digest> digest = store::HashFile(path);
  if (digest) return std::move(digest->sha256);
  const ErrorKind kind = digest.error().kind;
  if (kind == ErrorKind::kNotFound || kind == ErrorKind::kBadInput) return "";
  return std::unexpected(std::move(digest).error());
}

Result<MoveState> StateOf(const fs::path& root, const Move& move) {
  LODE_TRY(const std::string target, HashIfThere(root / move.target));
  if (target == move.sha256) return MoveState::kDone;
  LODE_TRY(const std::string temporary, HashIfThere(root / move.temporary));
  std::error_code error;
  const bool free = fs::symlink_status(root / move.target, error).type() == fs::file_type::not_found;
  const bool untouched = free || (!target.empty() && target == move.old_sha256);
  return temporary == move.sha256 && untouched ? MoveState::kBefore : MoveState::kLost;
}

Status MoveIn(const fs::path& root, const Move& move, bool* undoable) {
  *undoable = true;
  if (IsInPlace(move)) return Ok();
  const fs::path from = root / move.temporary, to = root / move.target;
  if (move.old_sha256.empty()) return store::RenameNew(from, to);
  LODE_TRY(const std::optional<uint64_t> there, store::FileSize(to));
  if (there) {
    LODE_TRY(const bool exchanged, store::Exchange(from, to));
    if (exchanged) return Ok();
  }
  *undoable = false;
  return store::Rename(from, to);
}

Result<bool> MoveBack(const fs::path& root, const Move& move) {
  if (IsInPlace(move)) return true;
  const fs::path temporary = root / move.temporary, target = root / move.target;
  if (move.old_sha256.empty()) {
    LODE_TRY(store::Rename(target, temporary));
    return true;
  }
  LODE_TRY(const std::string kept, HashIfThere(temporary));
  if (kept != move.old_sha256) return false;
  LODE_TRY(const bool exchanged, store::Exchange(temporary, target));
  if (!exchanged) LODE_TRY(store::Rename(temporary, target));
  return true;
}

Status MakeTargetFolders(const fs::path& root, const std::vector<Move>& moves) {
  for (const fs::path& folder : TargetFolders(root, moves)) LODE_TRY(store::MakeDirectories(folder));
  return Ok();
}

Status SyncTargetFolders(const fs::path& root, const std::vector<Move>& moves) {
  for (const fs::path& folder : TargetFolders(root, moves)) LODE_TRY(store::SyncDirectory(folder));
  return Ok();
}

}  // namespace lode::lake
