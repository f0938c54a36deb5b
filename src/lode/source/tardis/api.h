// Tardis' HTTP API: exchanges, instruments and dataset files. Exchanges and the files of the first day of each month
// are open to everybody; the key, when there is one, goes to the configured origins only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lode/base/config.h"
#include "lode/net/http.h"
#include "lode/source/tardis/exchange.h"

namespace lode::source::tardis {

// As the vendor names a symbol's files: upper case, '-' for '/' and ':'.
std::string DatasetSymbol(std::string_view symbol);
// All instruments of a type in one file.
bool IsGrouped(std::string_view dataset_symbol);
// Lower-case letters, digits and '-': what an exchange's id may be.
bool IsExchangeId(std::string_view text);

class Api {
 public:
  // kConfig for URLs that are none. A key that the environment does not have is no error: has_key() says so; any other
  // key that cannot be read is.
  static Result<Api> Make(net::Client& client, const Config& config);

  bool has_key() const { return !key_.empty(); }
  // "env:TARDIS_API_KEY": where the key is looked for.
  const std::string& key_reference() const { return key_reference_; }

  // Runs the client's loop on the calling thread; not from its callbacks. kNotFound for an exchange the vendor does not
  // know.
  Result<ExchangeInfo> GetExchange(const std::string& exchange, ExchangeVisitor visitor, std::function<void()> restart);
  // A file; resumable through a Body that holds its beginning.
  net::Request FileRequest(const std::string& exchange, std::string_view data_type, std::string_view symbol,
                           Day day) const;
  // Tells whether the key is known at all: 200 or 401.
  net::Request KeyInfoRequest() const;
  // All instruments of an exchange with their terms; wants a key.
  net::Request InstrumentsRequest(const std::string& exchange) const;

 private:
  struct Base {
    std::string url, origin;
  };
  static Result<Base> BaseOf(const Config& config, std::string_view name);
  net::Request JsonRequest(std::string path) const;
  net::Credential CredentialFor(const std::string& origin) const;

  net::Client* client_ = nullptr;
  Base api_, datasets_;
  std::string key_, key_reference_;
};

}  // namespace lode::source::tardis
