// Taking files out of a lake: what is to go is recorded first, durably, and deleted after. At no instant is a file gone
// that receipts or ledger call present.
#pragma once

#include <span>

#include "lode/lake/lake.h"

namespace lode::lake {

// Records a receipt whose `removed` names the files, indexes it, then deletes them. After a kill at any instant the
// next DatasetWriter::Open leaves either everything as it was or the files gone. Sets receipt.sequence.
//
// Errors: kStorage; kConfig for a folder on the way that is a symbolic link; kUnsupported for a receipt that is too
// large. Once the intent is committed, an error leaves the rest to the next Open.
Status PublishRemoval(DatasetWriter& writer, ledger::Receipt receipt);

// Deletes files that are recorded as removed, and folders that are empty then. Absent ones are fine; one of another
// size than recorded is somebody else's and stays. The caller holds the dataset's lock.
Status DeleteRemoved(const LakePaths& paths, std::span<const ledger::Removal> removed);

// kConfig when a folder between the lake's root and the file is a symbolic link: in a stranger's lake it may lead to
// somebody's home folder.
Status RefuseLinkedFolders(const fs::path& root, const std::string& path);

}  // namespace lode::lake
