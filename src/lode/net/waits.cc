#include "lode/net/waits.h"

#include <array>
#include <charconv>
#include <cstdlib>

namespace lode::net {

Status ApplyWaits(std::string_view text, ClientOptions* options) {
  constexpr size_t kNeeded = 4;
  std::array<int32_t, kNeeded + 1> numbers{};
  numbers.back() = 1;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (i == kNeeded && at == end) break;
    if (i > 0 && (at == end || *at++ != ',')) at = end;
    const auto [next, problem] = std::from_chars(at, end, numbers[i]);
    if (problem != std::errc() || numbers[i] < 1) {
      return Fail(ErrorKind::kConfig, "{} wants ATTEMPTS,FIRST_MS,LONGEST_MS,IDLE_MS[,RATE], not '{}'", kWaitsVariable,
                  text);
    }
    at = next;
  }
  if (at != end) return Fail(ErrorKind::kConfig, "{}: '{}' has more than five numbers", kWaitsVariable, text);
  options->retry.attempts = numbers[0];
  options->retry.first_wait = std::chrono::milliseconds(numbers[1]);
  options->retry.longest_wait = std::chrono::milliseconds(numbers[2]);
  options->idle_timeout = std::chrono::milliseconds(numbers[3]);
  options->rate_factor = numbers[kNeeded];
  return Ok();
}

Status ApplyWaits(ClientOptions* options) {
  const char* text = std::getenv(kWaitsVariable);
  return text == nullptr ? Ok() : ApplyWaits(text, options);
}

}  // namespace lode::net
