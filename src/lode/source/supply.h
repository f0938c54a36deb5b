// What a vendor that can be asked over the wire implements: what should exist, what it costs, and a request's bytes.
//
// A Supply belongs to one dataset and one run. Expect and EstimateCost talk to the vendor on the calling thread and
// cost nothing; Fetch hands a billable request to the run's net::Client and answers on that client's thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/config.h"
#include "lode/base/result.h"
#include "lode/net/http.h"
#include "lode/plan/chunk.h"
#include "lode/plan/expected.h"
#include "lode/plan/listings.h"
#include "lode/source/files/discover.h"

namespace lode::source {

// What should exist in a range of days.
struct Expectation {
  std::vector<plan::VendorDay> days;
  plan::Listings listings;        // one a symbol asked for
  std::string pending_reason;     // of days that are not ready; empty: their place in a condition list
  std::string missing_reason;     // the same, of days that the vendor has nothing of
  std::vector<Expectation> more;  // of symbols that have days, or dates of revision, of their own
  bool is_snapshot = false;       // of the moment it is asked for: days before these cannot be had any more
};

// What requests would bring. Fields the vendor was not asked for or does not tell stay empty.
struct Estimate {
  std::optional<uint64_t> records, bytes;  // bytes as billed
  std::optional<double> usd;
};

// Adds what is known; what one of them does not tell stays as it is.
inline void AddTo(Estimate* sum, const Estimate& part) {
  if (part.records) sum->records = sum->records.value_or(0) + *part.records;
  if (part.bytes) sum->bytes = sum->bytes.value_or(0) + *part.bytes;
  if (part.usd) sum->usd = sum->usd.value_or(0) + *part.usd;
}

struct FetchOutcome {
  enum class Kind {
    kFetched,        // the file is whole, and durable unless the supply is free; or `bytes` are what came
    kFetchedInPart,  // the answer broke off; the file is whole and durable for the days up to `ready`, ask for the rest
    kTooMuch,        // the vendor times out over it, or its answer always breaks off: ask for less
    kSettled,        // the vendor said why there are no records: `state` and `reason` are those of all its cells
    kFailed,         // `error` is the reason of its cells; others may go on
    kStop,           // `error` ends the run: a wrong key, no payment, a full disk, Ctrl-C
  };
  Kind kind = Kind::kFailed;
  uint64_t size = 0;
  uint32_t crc32c = 0;
  // Of a free supply, where it is little: not in the file, so that the client's thread does not wait for the disk.
  std::optional<std::string> bytes;
  int64_t end_ns = 0;  // up to when records were asked for: not always the end of the last day
  int tries = 0;
  ledger::CellState state = ledger::CellState::kFailed;
  std::string reason;
  // kTooMuch: nothing behind this day is ready yet; ask for the days up to it.
  std::optional<Day> ready;
  Error error;
};

class Supply {
 public:
  virtual ~Supply() = default;
  // Days inclusive. kRefused: key, plan or payment; kPartial: the vendor cannot be reached.
  virtual Result<Expectation> Expect(const std::vector<std::string>& symbols, Day first, Day last) = 0;
  // Of all work together. `whole`: records and bytes too, not only money.
  virtual Result<Estimate> EstimateCost(const plan::Work& work, bool whole) = 0;
  // What decides a request's id besides symbols and days.
  virtual plan::Selection selection() const = 0;
  // A symbol as the vendor spells it: what cells are called.
  virtual std::string Spell(std::string symbol) const { return symbol; }
  // The most of one request, where the vendor's files decide it; unset: the dataset's `chunk` or the schema do.
  virtual std::optional<plan::ChunkLimits> request_limits() const { return std::nullopt; }
  // Whether what was fetched may be asked for again at no cost. Then it becomes durable when it is published: a power
  // cut before that costs no more than the time, and thousands of small files do not wait for the disk one by one.
  virtual bool is_free() const { return false; }
  // What becomes of bad records where the dataset does not say. A source whose bytes carry no checksum asks again
  // rather than do without one.
  virtual BadRecordPolicy bad_record_policy() const { return BadRecordPolicy::kDefault; }
  // Whether Fetch continues what `file` holds of an earlier try, in this run or another.
  virtual bool continues_files() const { return false; }
  // Adds the request to the client. Its bytes go to `file`, which is replaced, or continued (continues_files), or into
  // the outcome; then what comes of a request that fails goes to `file` when it ends.
  virtual void Fetch(const plan::Request& request, const std::filesystem::path& file,
                     std::function<void(FetchOutcome)> done) = 0;
  // The request and its bytes as a delivery of one data file, ready to be decoded; its name, under which the bytes are
  // kept, holds the request's id. `end_ns` as the outcome had it, perhaps in an earlier run.
  virtual Result<files::Delivery> Deliver(const plan::Request& request, const std::filesystem::path& file,
                                          int64_t end_ns) const = 0;
};

// The dataset's source, ready to be asked; its key is read here. kConfig for a declaration that lacks what the source
// needs, kUnsupported for a source that cannot be asked. `client` outlives the Supply.
Result<std::unique_ptr<Supply>> OpenSupply(const Config& config, const DatasetConfig& dataset, net::Client& client);

// Whether the source can be asked at all: `files` cannot.
bool HasSupply(const DatasetConfig& dataset);

// Where a dataset begins that does not say so; nullopt: it must.
std::optional<Day> DefaultStart(const DatasetConfig& dataset);

// Whether the vendor tells how things are when it is asked, and of no day before: its one day is today.
bool IsSnapshot(const DatasetConfig& dataset);
// The calendar that says which days a dataset should have; empty: the vendor does.
std::string CalendarOf(const DatasetConfig& dataset);

// What a dataset asks for that names no symbols, where its source has an answer: a file of the whole market is asked
// for as ALL_SYMBOLS. Empty: it must name some.
std::vector<std::string> DefaultSymbols(const DatasetConfig& dataset);

}  // namespace lode::source
