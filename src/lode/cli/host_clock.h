// Whether the host's clock is UTC, which cron goes by.
#pragma once

namespace lode::cli {

// Over all of this year and the next: London's is UTC in winter alone. `zone` as in TZ, nullptr: the system's own,
// whatever TZ says here. Changes TZ for the moment: not while other threads tell the time.
bool ClockIsUtc(const char* zone);

}  // namespace lode::cli
