// The body of timeseries.get_range: zstd frames around DBN, kept in a file and proven whole while they arrive.
//
// HTTP alone does not prove it: a gateway may end a chunked body properly in the middle of a frame, or send a page of
// text with 200. Each frame's checksum, the stream's end and the DBN magic do.
#pragma once

#include <memory>
#include <vector>

#include "lode/net/file_body.h"
#include "lode/source/databento/day_cut.h"

namespace lode::source::databento {

class StreamBody final : public net::Body {
 public:
  // `file` of `path`; the request's schema and its first day.
  StreamBody(std::shared_ptr<net::FileBody> file, std::filesystem::path path, const codec::TableSchema& schema,
             Day first);
  ~StreamBody() override;

  Status Begin(const net::ResponseHead& head, uint64_t offset) override;
  // kCorrupt for bytes that are no zstd or no DBN: the client asks again.
  Status Write(std::span<const std::byte> bytes) override;
  Status End() override;
  // A whole day at least came before the stream broke off.
  bool keeps_part() const override;
  // The last answer broke off in sound bytes: a shorter one might not.
  bool broke_off() const { return !is_corrupt_ && file_->held() > 0; }
  const net::FileBody& file() const { return *file_; }

  struct Part {
    Day end;  // the days before it are there
    uint64_t size;
    uint32_t crc32c = 0;
  };
  // After a stream that broke off, and while keeps_part(): cuts the file down to its whole days, packed anew and
  // durable. kStorage; kCorrupt when the file is not what was written.
  Result<Part> CutToWholeDays();

 private:
  struct Zstd;
  std::shared_ptr<net::FileBody> file_;
  std::filesystem::path path_;
  DayCut days_;
  Day first_;
  bool is_corrupt_ = false;  // what was unpacked may be wrong
  std::unique_ptr<Zstd> zstd_;
};

}  // namespace lode::source::databento
