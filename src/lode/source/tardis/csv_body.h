// The body of a dataset file: gzip around CSV, kept as it came, continued where it broke, and proven whole while it
// arrives.
//
// HTTP alone does not prove it: a gateway may end a chunked body properly in the middle, and what was continued in
// another run may have changed in between. Each gzip member's checksum and length do. A file without a byte proves
// nothing: it counts as an empty day only when its ETag or x-md5 is that of nothing.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "lode/codec/gzip_inflater.h"
#include "lode/net/spooled_body.h"

namespace lode::source::tardis {

class CsvBody final : public net::Body {
 public:
  // What must be in the first row. An empty symbol is not checked.
  struct Asked {
    std::string exchange, symbol;
  };
  // With `resume`, continues what an earlier run left in `file`, if that is a sound beginning. kStorage.
  static Result<std::shared_ptr<CsvBody>> Open(const std::filesystem::path& file, bool resume, Asked asked);

  uint64_t held() const override { return is_sound_ ? bytes_->held() : 0; }
  Status Begin(const net::ResponseHead& head, uint64_t offset) override;
  // kCorrupt for bytes that are no gzip, of another exchange or symbol, or the file once more behind itself: the client
  // asks again, from the start.
  Status Write(std::span<const std::byte> bytes) override;
  Status End() override;
  net::SpooledBody& bytes() { return *bytes_; }

 private:
  CsvBody(std::shared_ptr<net::SpooledBody> bytes, Asked asked) : bytes_(std::move(bytes)), asked_(std::move(asked)) {}
  Status ReadHeld(const std::filesystem::path& file);
  void Restart();
  Status Check(std::span<const std::byte> bytes);
  Status CheckMember(std::string_view text);
  Status CheckFirstRow();
  std::unexpected<Error> NotSound(std::string_view why);

  std::shared_ptr<net::SpooledBody> bytes_;
  Asked asked_;
  codec::GzipInflater gzip_;
  std::string head_;         // the text's first bytes, until the first row was seen
  size_t magic_bytes_ = 0;   // of the gzip magic that came
  uint64_t member_ = 0;      // that the last text was of
  std::string member_head_;  // its first bytes
  bool is_begun_ = false;    // there was text in another one before
  bool is_checked_ = false;  // the first row
  bool is_sound_ = true;     // what is held
  bool may_be_empty_ = false;
};

}  // namespace lode::source::tardis
