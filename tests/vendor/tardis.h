// Tardis.dev's API: /v1/exchanges, /v1/instruments, /v1/api-key-info, and the dataset files below /v1/{exchange}/. One
// host plays both of the vendor's.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "counts.h"
#include "http.h"
#include "tardis_market.h"

namespace lode::vendor {

struct TardisOptions {
  uint64_t seed = 1;
  std::string key;          // empty: any key will do
  int rows = 60;            // a file
  size_t more_options = 0;  // of Deribit's, for tests of size
};

class Tardis {
 public:
  Tardis(TardisOptions options, Counts& counts, std::function<int64_t()> now_ns);

  static bool Owns(const std::string& path);
  Response Handle(const Request& request);
  // POST /_sim/tardis.
  Response Control(const Json& body);

 private:
  struct File {
    std::string exchange, data_type, symbol;
    Day day;
  };
  Response Route(const Request& request, std::string& endpoint);
  Response Details(const Request& request, const TardisExchange& exchange) const;
  Response Instruments(const Request& request, const std::string& rest) const;
  Response Dataset(const Request& request, const File& file);
  std::string BytesOf(const TardisExchange& exchange, const TardisSymbol& symbol, const File& file,
                      uint64_t& records) const;
  bool HasKey(const Request& request) const;
  const TardisExchange* Find(const std::string& id) const;
  Day ExportedFrom(const TardisExchange& exchange) const;
  Day ExportedUntil() const;  // exclusive

  const TardisOptions options_;
  Counts& counts_;
  const std::vector<TardisExchange> exchanges_;
  const std::function<int64_t()> now_ns_;
  mutable std::mutex mutex_;
  std::optional<Day> exported_from_, exported_until_, plan_from_;
};

}  // namespace lode::vendor
