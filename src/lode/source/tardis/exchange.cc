#include "lode/source/tardis/exchange.h"

#include "lode/base/json.h"
#include "lode/source/tardis/json_objects_internal.h"

namespace lode::source::tardis {
namespace {

namespace sj = lode_simdjson;
namespace od = lode_simdjson::ondemand;

constexpr size_t kAvailable = 0;

// A member; `data_types` is the storage of the view.
Status ReadMember(std::string_view key, od::value& value, SymbolInfo* info, std::string* data_types) {
  const auto bad = [&] { return Fail(ErrorKind::kBadInput, "a symbol of the exchange: {}", key); };
  std::string_view* text = key == "id"               ? &info->id
                           : key == "type"           ? &info->type
                           : key == "availableSince" ? &info->available_since
                           : key == "availableTo"    ? &info->available_to
                                                     : nullptr;
  if (text != nullptr) {
    bool is_null = false;
    if (value.is_null().get(is_null) == sj::SUCCESS && is_null) return Ok();
    if (value.get_string().get(*text) != sj::SUCCESS) return bad();
  } else if (key == "dataTypes") {
    od::array types;
    if (value.get_array().get(types) != sj::SUCCESS) return bad();
    for (auto type : types) {
      std::string_view name;
      if (type.get_string().get(name) != sj::SUCCESS) return bad();
      if (!data_types->empty()) *data_types += ',';
      *data_types += name;
    }
  }
  return Ok();
}

Result<int64_t> InstantOf(const Json& object, std::string_view key) {
  auto ns = ParseIsoNs(TextOr(object, key));
  if (!ns) return std::unexpected(std::move(ns).error().With(std::string(key)));
  return *ns;
}

}  // namespace

ExchangeBody::ExchangeBody(ExchangeVisitor visitor, std::function<void()> restart)
    : JsonBody({"availableSymbols", "datasets.symbols"}), visitor_(std::move(visitor)), restart_(std::move(restart)) {}

void ExchangeBody::Restart() {
  info_ = {};
  restart_();
}

Status ExchangeBody::Take(size_t array, std::string_view list) {
  const auto& visit = array == kAvailable ? visitor_.available : visitor_.dataset;
  if (!visit) return Ok();
  SymbolInfo info;
  std::string data_types;
  const auto take = [&](std::string_view key, od::value& value) { return ReadMember(key, value, &info, &data_types); };
  const auto end = [&]() -> Status {
    if (info.id.empty() || info.available_since.empty()) {
      return Fail(ErrorKind::kBadInput, "a symbol of the exchange: without id or availableSince");
    }
    info.data_types = data_types;
    LODE_TRY(visit(info));
    info = {};
    data_types.clear();
    return Ok();
  };
  return ForEachObject(list, "a symbol of the exchange", take, end);
}

Status ExchangeBody::TakeRest(const std::string& text) {
  LODE_TRY(const Json json, ParseJson(text, "the exchange"));
  ExchangeInfo info;
  info.id = TextOr(json, "id");
  if (info.id.empty()) return Fail(ErrorKind::kBadInput, "no exchange");
  if (const auto datasets = json.find("datasets"); datasets != json.end() && datasets->is_object()) {
    info.has_datasets = true;
    LODE_TRY(info.exported_from_ns, InstantOf(*datasets, "exportedFrom"));
    LODE_TRY(info.exported_until_ns, InstantOf(*datasets, "exportedUntil"));
  }
  if (const auto reports = json.find("incidentReports"); reports != json.end() && reports->is_array()) {
    for (const Json& report : *reports) {
      // Remarks of the vendor: one that cannot be read is passed over.
      const auto from = InstantOf(report, "from"), to = InstantOf(report, "to");
      if (from) info.incidents.push_back({*from, to ? *to : INT64_MAX});
    }
  }
  info_ = std::move(info);
  return Ok();
}

}  // namespace lode::source::tardis
