// The decoder interface: vendor bytes in, Arrow record batches out, in file order, in bounded memory.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lode/base/result.h"
#include "lode/codec/schema.h"
#include "lode/codec/string_pool.h"

namespace lode::codec {

// One malformed record, as it goes to quarantine.
struct BadRecord {
  int64_t source_row = 0;  // record number from 0 (text: data line number from 0, headers not counted)
  int64_t offset = 0;      // byte offset of the record in the decompressed stream
  std::string reason;      // one line, names the column
  std::string raw;         // the record's bytes, at most 4 KiB
};

// Where decoders put malformed records. Bounded: past kMaxKept only the count grows.
class BadRecords {
 public:
  static constexpr size_t kMaxKept = 10'000;
  void Add(BadRecord record);
  int64_t count() const { return count_; }
  const std::vector<BadRecord>& kept() const { return kept_; }

 private:
  int64_t count_ = 0;
  std::vector<BadRecord> kept_;
};

// What a stream says about itself. `records` and `ended` are final once Next() returned nullopt.
struct StreamFacts {
  std::string dataset;                      // "GLBX.MDP3"; empty when the stream does not say
  std::string schema;                       // vendor schema; empty for a mixed capture
  std::string stype_in;                     // "parent", "raw_symbol", …; empty when unknown
  std::vector<std::string> symbols;         // as requested
  std::vector<std::string> not_found;       // requested symbols that resolved to nothing
  std::optional<int64_t> start_ns, end_ns;  // requested range, end exclusive
  uint64_t limit = 0;                       // requested record limit, 0: none
  int64_t records = 0;                      // good and bad records seen, control messages not counted
  bool ended = false;                       // the stream ended properly
  bool ended_open = false;                  // text whose last line has no LF: only compression proves it whole
};

struct DecodedBatch {
  const TableSchema* schema;
  std::shared_ptr<arrow::RecordBatch> rows;  // DecodedSchema(*schema), at least one row
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  // The next batch; nullopt once at the proper end. A structural fault (truncation, bad magic, counts that overrun)
  // is an error and ends the stream; a malformed record goes to BadRecords and decoding goes on.
  virtual Result<std::optional<DecodedBatch>> Next() = 0;
  virtual const StreamFacts& facts() const = 0;
};

struct DecodeContext {
  StringPool* strings = nullptr;      // not owned; outlives the decoder's batches
  BadRecords* bad_records = nullptr;  // not owned
  int64_t batch_rows = 65'536;        // rows a batch at most
  bool gateway_notices = true;        // log what a live gateway said within the stream
};

}  // namespace lode::codec
