// The renames of one intent: doing them, undoing them, and telling from hashes which are done.
//
// A target that is replaced is exchanged with its temporary where the file system can: the old version then lives on
// under the temporary's name until the publish is over, and every move can be undone.
#pragma once

#include <string>
#include <vector>

#include "lode/lake/lake.h"

namespace lode::lake {

using Move = ledger::Intent::Move;

// Nothing to do: the target held the new bytes before the publish began.
inline bool IsInPlace(const Move& move) { return move.old_sha256 == move.sha256; }

// kCorrupt unless temporary and target lie where those of `dataset` belong: intents come from a file, a file may be a
// stranger's.
Status CheckPaths(std::string_view dataset, const Move& move);

enum class MoveState {
  kBefore,  // the temporary is the new version; the target is the old one or absent
  kDone,    // the target is the new version
  kLost,    // neither: the temporary is gone, or somebody else changed the target
};
// Reads and hashes both files.
Result<MoveState> StateOf(const fs::path& root, const Move& move);

// kBefore -> kDone. False in `*undoable` when the old version of the target is not kept.
Status MoveIn(const fs::path& root, const Move& move, bool* undoable);

// kDone -> kBefore for a move that was undoable. True when the state before is there afterwards; false when the old
// version is nowhere and the target was left alone.
Result<bool> MoveBack(const fs::path& root, const Move& move);

// Creates the folders of all targets.
Status MakeTargetFolders(const fs::path& root, const std::vector<Move>& moves);
// Makes renames durable: one fsync a folder.
Status SyncTargetFolders(const fs::path& root, const std::vector<Move>& moves);

// SHA-256 of a regular file; empty when there is none.
Result<std::string> HashIfThere(const fs::path& path);

}  // namespace lode::lake
