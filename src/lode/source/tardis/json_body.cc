#include "lode/source/tardis/json_body.h"

namespace lode::source::tardis {
namespace {

Status AsCorrupt(Status status) {
  if (status || status.error().kind != ErrorKind::kBadInput) return status;
  Error error = std::move(status).error();
  error.kind = ErrorKind::kCorrupt;
  return std::unexpected(std::move(error));
}

}  // namespace

Status JsonBody::Begin(const net::ResponseHead& head, uint64_t) {
  gzip_.reset();
  if (net::EqualIgnoringCase(head.Find("Content-Encoding"), "gzip")) gzip_.emplace();
  elements_.emplace(arrays_, [this](size_t array, std::string_view list) { return Take(array, list); });
  Restart();
  return Ok();
}

Status JsonBody::Write(std::span<const std::byte> bytes) {
  const auto feed = [this](std::string_view text) { return elements_->Feed(text); };
  return AsCorrupt(gzip_ ? gzip_->Feed(bytes, feed)
                         : feed({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

Status JsonBody::End() {
  if (gzip_) LODE_TRY(AsCorrupt(gzip_->End()));
  const auto rest = elements_->Finish();
  return AsCorrupt(rest ? TakeRest(*rest) : std::unexpected(rest.error()));
}

}  // namespace lode::source::tardis
