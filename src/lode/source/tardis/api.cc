#include "lode/source/tardis/api.h"

#include <algorithm>
#include <array>
#include <memory>

#include "lode/base/text.h"
#include "lode/net/url.h"

namespace lode::source::tardis {
namespace {

// Deribit's reply has a few hundred bytes for each of 300,000 symbols; options_chain files have many gigabytes.
constexpr uint64_t kLargestAnswer = uint64_t{2} << 30, kLargestFile = uint64_t{1} << 42;

}  // namespace

std::string DatasetSymbol(std::string_view symbol) {
  std::string name = Upper(symbol);
  std::ranges::replace_if(name, [](char c) { return c == '/' || c == ':'; }, '-');
  return name;
}

bool IsGrouped(std::string_view dataset_symbol) {
  constexpr std::array<std::string_view, 5> kGrouped = {"SPOT", "FUTURES", "PERPETUALS", "OPTIONS", "COMBOS"};
  return std::ranges::find(kGrouped, dataset_symbol) != kGrouped.end();
}

bool IsExchangeId(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

Result<Api::Base> Api::BaseOf(const Config& config, std::string_view name) {
  const std::string key = fmt::format("sources.tardis.{}", name);
  LODE_TRY(const net::Url url, net::ParseUrl(config.Get(key).value_or("")));
  if (!url.query.empty()) return Fail(ErrorKind::kConfig, "{} holds a query", key);
  std::string path = url.path;
  while (path.ends_with('/')) path.pop_back();
  return Base{url.origin + path, url.origin};
}

Result<Api> Api::Make(net::Client& client, const Config& config) {
  Api api;
  api.client_ = &client;
  LODE_TRY(api.api_, BaseOf(config, "api_url"));
  LODE_TRY(api.datasets_, BaseOf(config, "datasets_url"));
  api.key_reference_ = config.Get("sources.tardis.key").value_or("");
  auto key = config.ResolveKey("sources.tardis.key");
  if (key) {
    api.key_ = std::move(*key);
  } else if (!api.key_reference_.starts_with("env:")) {
    return std::unexpected(std::move(key).error());
  }
  return api;
}

net::Credential Api::CredentialFor(const std::string& origin) const {
  if (key_.empty()) return {};
  return {.kind = net::Credential::Kind::kBearer, .secret = key_, .origin = origin};
}

Result<ExchangeInfo> Api::GetExchange(const std::string& exchange, ExchangeVisitor visitor,
                                      std::function<void()> restart) {
  if (!IsExchangeId(exchange)) {
    return Fail(ErrorKind::kConfig, "'{}' is no exchange id such as \"deribit\" or \"binance-futures\"", exchange);
  }
  const auto body = std::make_shared<ExchangeBody>(std::move(visitor), std::move(restart));
  const net::Outcome outcome = client_->Fetch(JsonRequest("exchanges/" + exchange), body);
  if (outcome.response.failure == net::FailureClass::kNotFound ||
      outcome.response.failure == net::FailureClass::kBadRequest) {
    return Fail(ErrorKind::kNotFound, "the vendor has no exchange '{}': {}", exchange, outcome.status.error().message);
  }
  if (!outcome.status) return std::unexpected(outcome.status.error());
  return body->info();
}

net::Request Api::FileRequest(const std::string& exchange, std::string_view data_type, std::string_view symbol,
                              Day day) const {
  const auto [year, month, day_of_month] = ToYearMonthDay(day);
  net::Request request;
  request.url = fmt::format("{}/{}/{}/{:04}/{:02}/{:02}/{}.csv.gz", datasets_.url, exchange, data_type, year, month,
                            day_of_month, net::PercentEncode(symbol));
  request.credential = CredentialFor(datasets_.origin);
  request.label = fmt::format("{} {} {} {}", exchange, data_type, symbol, FormatDay(day));
  request.max_response_bytes = kLargestFile;
  return request;
}

// Of the answers that are large.
net::Request Api::JsonRequest(std::string path) const {
  net::Request request;
  request.url = fmt::format("{}/{}", api_.url, path);
  request.headers = {{"Accept", "application/json"}, {"Accept-Encoding", "gzip"}};
  request.label = std::move(path);
  request.max_response_bytes = kLargestAnswer;
  return request;
}

net::Request Api::KeyInfoRequest() const {
  net::Request request;
  request.url = api_.url + "/api-key-info";
  request.headers = {{"Accept", "application/json"}};
  request.label = "api-key-info";
  request.credential = CredentialFor(api_.origin);
  return request;
}

net::Request Api::InstrumentsRequest(const std::string& exchange) const {
  net::Request request = JsonRequest("instruments/" + exchange);
  request.credential = CredentialFor(api_.origin);
  return request;
}

}  // namespace lode::source::tardis
