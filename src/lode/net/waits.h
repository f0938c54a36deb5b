// Shorter waits for tests: a vendor that fails all the time must not make them last minutes.
#pragma once

#include <string_view>

#include "lode/net/http.h"

namespace lode::net {

// Not for users, so no key of lode.toml: docs/exit-codes.md.
inline constexpr const char* kWaitsVariable = "LODE_HTTP_WAITS";

// "ATTEMPTS,FIRST_MS,LONGEST_MS,IDLE_MS[,RATE]" into `options`: tries of a request, the range of the back-off, how long
// a server may be silent, and how many times a vendor's own rate it is asked at. kConfig for anything else.
Status ApplyWaits(std::string_view text, ClientOptions* options);
// The same of the environment's kWaitsVariable, when it is set.
Status ApplyWaits(ClientOptions* options);

}  // namespace lode::net
