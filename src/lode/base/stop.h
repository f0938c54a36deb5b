// Cooperative cancellation: Ctrl-C and SIGTERM ask for a stop; long loops look at it between batches and end with
// kInterrupted, leaving nothing half-published.
#pragma once

#include "lode/base/result.h"

namespace lode {

// Installs handlers for SIGINT and SIGTERM. A second signal kills the process at once.
void InstallStopHandlers();
// For tests and for handlers: asks for a stop.
void RequestStop();
// For tests only: takes the request back.
void ForgetStop();
bool StopRequested();
// kInterrupted when a stop was asked for.
Status CheckStop();

}  // namespace lode
