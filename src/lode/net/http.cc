#include "lode/net/http.h"

#include <algorithm>

namespace lode::net {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

bool EqualIgnoringCase(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, Lower, Lower); }

std::string_view ResponseHead::Find(std::string_view name) const {
  for (const Header& header : headers) {
    if (EqualIgnoringCase(header.name, name)) return header.value;
  }
  return {};
}

Status TextBody::Begin(const ResponseHead& head, uint64_t) {
  // The length is the server's claim: believed for a moderate reservation only.
  constexpr uint64_t kLargestReservation = 1 << 20;
  text_.clear();
  if (head.content_length) text_.reserve(std::min(*head.content_length, kLargestReservation));
  return Ok();
}

Status TextBody::Write(std::span<const std::byte> bytes) {
  text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return Ok();
}

Outcome Client::Fetch(Request request, std::shared_ptr<Body> body) {
  std::optional<Outcome> outcome;
  Add(std::move(request), std::move(body), [&outcome](Outcome ended) { outcome = std::move(ended); });
  Status status = RunUntil([&outcome] { return outcome.has_value(); });
  if (outcome) return *std::move(outcome);
  if (status) status = Fail(ErrorKind::kInternal, "the request was never answered");
  return Outcome{std::move(status), {}};
}

Result<std::string> Client::FetchText(Request request) {
  const auto body = std::make_shared<TextBody>();
  Outcome outcome = Fetch(std::move(request), body);
  if (!outcome.status) return std::unexpected(std::move(outcome.status).error());
  return body->text();
}

}  // namespace lode::net
