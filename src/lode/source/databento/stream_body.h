// The body of timeseries.get_range: zstd frames around DBN, kept in a file and proven whole while they arrive.
//
// HTTP alone does not prove it: a gateway may end a chunked body properly in the middle of a frame, or send a page of
// text with 200. Each frame's checksum, the stream's end and the DBN magic do.
#pragma once

#include <memory>
#include <vector>

#include "lode/net/file_body.h"

namespace lode::source::databento {

class StreamBody final : public net::Body {
 public:
  explicit StreamBody(std::shared_ptr<net::FileBody> file);
  ~StreamBody() override;

  Status Begin(const net::ResponseHead& head, uint64_t offset) override;
  // kCorrupt for bytes that are no zstd or no DBN: the client asks again.
  Status Write(std::span<const std::byte> bytes) override;
  Status End() override;
  const net::FileBody& file() const { return *file_; }

 private:
  struct Zstd;
  std::shared_ptr<net::FileBody> file_;
  std::unique_ptr<Zstd> zstd_;
};

}  // namespace lode::source::databento
