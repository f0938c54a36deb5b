// The terms of an exchange's instruments: GET /v1/instruments/{exchange}, for which the vendor wants a key. Read while
// it arrives, an instrument at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lode/codec/gzip_inflater.h"
#include "lode/net/http.h"
#include "lode/source/tardis/json_elements.h"

namespace lode::source::tardis {

// Texts are empty and numbers absent where the vendor says nothing. Views live during the call they are given to.
struct Terms {
  std::string_view id, base, quote, settlement, contract_type, option_type, expiry;
  std::string_view tick, min_size, strike;  // decimal numbers as sent
  std::optional<double> multiplier;
};

class TermsBody final : public net::Body {
 public:
  // What was visited in a try that failed is visited again.
  explicit TermsBody(std::function<Status(const Terms&)> visit) : visit_(std::move(visit)) {}

  Status Begin(const net::ResponseHead& head, uint64_t offset) override;
  // kCorrupt for what is no list of instruments: the client asks again.
  Status Write(std::span<const std::byte> bytes) override;
  Status End() override;

 private:
  Status Visit(std::string_view text);

  std::function<Status(const Terms&)> visit_;
  std::optional<codec::GzipInflater> gzip_;
  std::optional<JsonElements> elements_;
};

}  // namespace lode::source::tardis
