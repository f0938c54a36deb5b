// What Tardis says of an exchange: GET /v1/exchanges/{exchange}, tens of megabytes for the large ones, read while it
// arrives. Source: the vendor's HTTP API reference and its Node client's types (docs/sources/tardis.md).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/time.h"
#include "lode/source/tardis/json_body.h"

namespace lode::source::tardis {

// An entry of availableSymbols, or of datasets.symbols: of the former the exchange's own id, of the latter what a CSV
// file is called. Views live during the call they are given to.
struct SymbolInfo {
  std::string_view id, type, available_since, available_to;  // instants as sent; `available_to` empty: it is alive
  std::string_view data_types;                               // with commas between them; datasets.symbols only
};

struct Incident {
  int64_t from_ns = 0, to_ns = 0;  // half-open; still running: INT64_MAX
};

struct ExchangeInfo {
  std::string id;
  bool has_datasets = false;
  // Files exist for days that end by `exported_until_ns`, from `exported_from_ns` on.
  int64_t exported_from_ns = 0, exported_until_ns = 0;
  std::vector<Incident> incidents;
};

struct ExchangeVisitor {
  std::function<Status(const SymbolInfo&)> available, dataset;  // either may be empty
};

// The body of that request. One try's symbols are visited as they come; `restart` is called before each try, the first
// one too: what was visited before does not count.
class ExchangeBody final : public JsonBody {
 public:
  ExchangeBody(ExchangeVisitor visitor, std::function<void()> restart);
  const ExchangeInfo& info() const { return info_; }

 private:
  void Restart() override;
  Status Take(size_t array, std::string_view list) override;
  Status TakeRest(const std::string& text) override;

  const ExchangeVisitor visitor_;
  const std::function<void()> restart_;
  ExchangeInfo info_;
};

}  // namespace lode::source::tardis
