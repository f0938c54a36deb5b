// Turns at lake.duckdb: lode runs that would open it at the same time wait for each other here, because DuckDB's own
// lock refuses instead of waiting.
#pragma once

#include "lode/base/descriptor.h"
#include "lode/lake/lake.h"

namespace lode::sink {

// Held as long as the object lives; waits for another run's turn. Best effort: where no lock can be made there is none.
// Only short work belongs under it: a refresh of the views, the opening of a load.
class DuckdbTurn {
 public:
  explicit DuckdbTurn(const lake::LakePaths& paths);

 private:
  Descriptor file_;
};

}  // namespace lode::sink
