// Which cells a delivery settles, and with what proof. Pure: facts in, cells out. This is where promise 1 (no lie)
// lives.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lode/ledger/receipt.h"
#include "lode/source/files/discover.h"

namespace lode::lake {

// Rows of one file by day: all of them, and by requested symbol where rows can be told apart.
struct DayRows {
  int64_t rows = 0;
  int64_t rejected = 0;
  std::map<size_t, int64_t> by_symbol;  // index into the file's symbols; rows of no symbol are in `unattributed`
  int64_t unattributed = 0;
};

// One file after it was decoded to its end.
struct DecodedFile {
  const source::files::DataFile* file = nullptr;
  codec::StreamFacts stream;  // final
  std::map<Day, DayRows> days;
  int64_t rejected = 0;  // records, of whichever day
};

// Begins the symbol of cells that answer no known request: "file:glbx-mdp3.trades".
inline constexpr std::string_view kFileGroupPrefix = "file:";

// The symbols a file answers for, sorted: the request's, or the file's own group where no request is known.
std::vector<std::string> CellSymbols(const source::files::Delivery& delivery, const source::files::DataFile& file,
                                     const codec::StreamFacts& stream);

// Index into `symbols` of the request that a row's symbol answers, or nullopt: equal names, or ROOT.FUT for a parent.
std::optional<size_t> AttributeSymbol(const std::vector<std::string>& symbols, std::string_view stype_in,
                                      std::string_view row_symbol);

// Whether `newer` is the vendor's later word on the cell: rows of `older` that it does not bring are no more. Not of
// cells without a known request, which may have answered another.
bool IsRevision(const ledger::Cell& newer, const ledger::Cell& older);

// Cells of one decoded file: days with rows, and days it covers without any.
std::vector<ledger::Cell> CellsOfFile(const source::files::Delivery& delivery, const DecodedFile& decoded);

// Cells of a delivery that no file present answers: days whose file is absent or failed (file name -> why), and days
// the vendor lists without a file.
std::vector<ledger::Cell> CellsWithoutFile(const source::files::Delivery& delivery,
                                           const std::map<std::string, std::string>& failed);

}  // namespace lode::lake
