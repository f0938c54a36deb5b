// What an interrupted run left behind: open intents, receipts the ledger does not know, temporaries.
#pragma once

#include <string_view>

#include "lode/lake/lake.h"

namespace lode::lake {

// Finishes each open intent of the dataset when every move is done or can be done, else brings back what was; drops it
// either way. The caller holds the dataset's lock.
//
// An intent that can be neither finished nor fully undone (somebody emptied .lode/tmp) leaves replaced files where they
// are and says so in the log: `lode verify` names them, an import from landing makes them again.
Status RecoverIntents(const LakePaths& paths, std::string_view dataset, ledger::Ledger& ledger);

// Indexes receipts that lie in the folder and are not in the ledger (a deleted or older ledger file). kCorrupt when the
// ledger names a receipt that is gone.
Status IndexNewReceipts(const LakePaths& paths, std::string_view dataset, ledger::Ledger& ledger);

// Deletes everything below the dataset's folder for temporaries that no open intent names.
Status RemoveTemporaries(const LakePaths& paths, std::string_view dataset, ledger::Ledger& ledger);

// For runs that have nothing else to write: opens the dataset once when a killed run left an intent or temporaries and
// nobody works on it. What cannot be finished now (a read-only disk) is left to a run that has to write.
void FinishInterrupted(const LakePaths& paths, std::string_view dataset, ledger::Ledger& ledger);

}  // namespace lode::lake
