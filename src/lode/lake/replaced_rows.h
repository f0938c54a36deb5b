// Which rows of present partitions an import replaces: those of the cells it delivers again. Events know the file they
// came from; a market day's bars are replaced by their day; of other bars, which merge by key, those of the symbols and
// days that the vendor has revised.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lode/lake/lake.h"
#include "lode/lake/layout.h"
#include "lode/lake/rows.h"

namespace lode::lake {

class ReplacedRows {
 public:
  // Compares the new cells with the ledger's. An older receipt's cells of a day are replaced together: kBadInput when
  // the new delivery answers only some of the symbols that an older file mixed (its rows could not be told apart).
  // `own_labels`: source labels of the files being imported; `stype_in`: of their request.
  static Result<ReplacedRows> Find(DatasetWriter& writer, const std::vector<ledger::Cell>& cells,
                                   const codec::StringPool& strings, const std::vector<std::string>& own_labels,
                                   const std::string& stype_in);

  // False: no present row gives way.
  bool any() const { return !days_.empty() || !labels_.empty() || !revised_.empty(); }
  // Whether a present row gives way. Remembers instruments that would vanish.
  bool IsReplaced(const arrow::RecordBatch& rows, uint32_t row, int32_t source_file, Day day);
  // kBadInput when a replaced file held instruments on a day that the new one lacks and no request says that both
  // answer the same question: two files of one name from different selections must not overwrite each other.
  Status CheckNothingLost() const;

  // Vendor's last_modified_date of the present cells of a day.
  std::optional<Day> PresentModified(Day day) const;
  // Partitions whose present rows may be replaced.
  std::set<std::string> PartitionsTouched(const Layout& layout) const;

  // Instruments the import delivers, by day; enables the check above.
  void set_instruments(const std::map<Day, std::set<int64_t>>* instruments) { instruments_ = instruments; }

 private:
  // Bars: the days that whole files of the market deliver again. kBadInput when their rows could not be told from
  // another file's, or the new file may be cut short and the present one is not.
  Status ReplaceDays(const std::vector<ledger::Cell>& delivered, const std::vector<ledger::CellRow>& present);

  // Tables whose rows tell their symbol: cells of which `replaces` says that the new one takes the place of the old
  // one.
  void ReplaceSymbols(const std::vector<ledger::Cell>& delivered, const std::vector<ledger::CellRow>& present,
                      bool (*replaces)(const ledger::Cell& newer, const ledger::Cell& older));
  bool IsRevised(const arrow::RecordBatch& rows, uint32_t row, Day day);

  struct RevisedDay {
    std::vector<std::string> symbols;  // of all the day's cells: rows are told apart among them
    std::set<std::string> revised;
    std::map<int32_t, bool> known;  // by pool id of a row's symbol
  };

  const codec::StringPool* strings_ = nullptr;
  std::string stype_in_;
  std::string symbol_column_ = "symbol";
  std::map<Day, RevisedDay> revised_;
  std::set<Day> days_;                             // bars: all present rows of the day are replaced
  std::map<Day, std::set<std::string>> labels_;    // source labels whose rows of the day are replaced
  std::set<std::pair<Day, std::string>> touched_;  // cells that hold those rows
  std::set<Day> loose_days_;                       // of these, days answered by files without a request
  std::map<Day, std::optional<Day>> modified_;
  const std::map<Day, std::set<int64_t>>* instruments_ = nullptr;
  std::map<int32_t, std::string> label_of_;
  std::string lost_;  // first instrument that would vanish, for the error
};

}  // namespace lode::lake
