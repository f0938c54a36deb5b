// Selected records as the bytes of a response or file: DBN, CSV or JSON, plain or zstd.
#pragma once

#include <memory>
#include <string>

#include "archive.h"
#include "http.h"

namespace lode::vendor {

// Compresses what passes through: a frame a MiB, as the vendor's files have many.
class ZstdSink : public BodySink {
 public:
  explicit ZstdSink(BodySink& to);
  ~ZstdSink() override;
  bool Write(std::string_view bytes) override;
  // Ends the last frame.
  bool Finish();

 private:
  bool Pass(std::string_view bytes, bool end_frame);
  struct State;
  std::unique_ptr<State> state_;
  BodySink& to_;
};

// Metadata of a DBN stream of the selection, for the days [from, to) of it.
std::string DbnHeader(const Archive& archive, const Selection& selection, int64_t start_ns, int64_t end_ns);

// Writes the records of the days [from, to) in the query's encoding and compression; returns how many. `always_header`:
// also when there are none.
uint64_t EncodeRecords(const Archive& archive, const Selection& selection, Day from, Day to, BodySink& sink,
                       bool always_header);

}  // namespace lode::vendor
