// The terms of an exchange's instruments: GET /v1/instruments/{exchange}, for which the vendor wants a key. Read while
// it arrives, an instrument at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lode/source/tardis/json_body.h"

namespace lode::source::tardis {

// Texts are empty and numbers absent where the vendor says nothing. Views live during the call they are given to.
struct Terms {
  std::string_view id, base, quote, settlement, contract_type, option_type, expiry;
  std::string_view tick, min_size, strike;  // decimal numbers as sent
  std::optional<double> multiplier;
};

class TermsBody final : public JsonBody {
 public:
  // What was visited in a try that failed is visited again.
  explicit TermsBody(std::function<Status(const Terms&)> visit) : JsonBody({""}), visit_(std::move(visit)) {}

 private:
  Status Take(size_t array, std::string_view list) override;
  Status TakeRest(const std::string& text) override;

  const std::function<Status(const Terms&)> visit_;
};

}  // namespace lode::source::tardis
