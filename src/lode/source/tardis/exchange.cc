#include "lode/source/tardis/exchange.h"

#include <simdjson.h>

#include <nlohmann/json.hpp>

namespace lode::source::tardis {
namespace {

namespace sj = lode_simdjson;
namespace od = lode_simdjson::ondemand;

constexpr size_t kAvailable = 0, kDatasets = 1;

Error AsCorrupt(Error error) {
  if (error.kind == ErrorKind::kBadInput) error.kind = ErrorKind::kCorrupt;
  return error;
}

// One element; `data_types` is the storage of the view.
Status ReadSymbol(od::object object, SymbolInfo* info, std::string* data_types) {
  const auto bad = [](std::string_view what) {
    return Fail(ErrorKind::kBadInput, "a symbol of the exchange: {}", what);
  };
  for (auto field : object) {
    std::string_view key;
    if (field.unescaped_key().get(key) != sj::SUCCESS) return bad("no key");
    std::string_view* text = key == "id"               ? &info->id
                             : key == "type"           ? &info->type
                             : key == "availableSince" ? &info->available_since
                             : key == "availableTo"    ? &info->available_to
                                                       : nullptr;
    if (text != nullptr) {
      od::value value;
      if (field.value().get(value) != sj::SUCCESS) return bad(key);
      bool is_null = false;
      if (value.is_null().get(is_null) == sj::SUCCESS && is_null) continue;
      if (value.get_string().get(*text) != sj::SUCCESS) return bad(key);
    } else if (key == "dataTypes") {
      od::array types;
      if (field.value().get_array().get(types) != sj::SUCCESS) return bad(key);
      for (auto type : types) {
        std::string_view name;
        if (type.get_string().get(name) != sj::SUCCESS) return bad(key);
        if (!data_types->empty()) *data_types += ',';
        *data_types += name;
      }
    }
  }
  if (info->id.empty() || info->available_since.empty()) return bad("without id or availableSince");
  info->data_types = *data_types;
  return Ok();
}

Result<int64_t> InstantOf(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return Fail(ErrorKind::kBadInput, "no {}", key);
  auto ns = ParseIsoNs(found->get_ref<const std::string&>());
  if (!ns) return std::unexpected(std::move(ns).error().With(key));
  return *ns;
}

Result<ExchangeInfo> ReadRest(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("id") || !json["id"].is_string()) {
    return Fail(ErrorKind::kBadInput, "no exchange");
  }
  ExchangeInfo info;
  info.id = json["id"].get<std::string>();
  if (const auto datasets = json.find("datasets"); datasets != json.end() && datasets->is_object()) {
    info.has_datasets = true;
    LODE_TRY(info.exported_from_ns, InstantOf(*datasets, "exportedFrom"));
    LODE_TRY(info.exported_until_ns, InstantOf(*datasets, "exportedUntil"));
  }
  if (const auto reports = json.find("incidentReports"); reports != json.end() && reports->is_array()) {
    for (const auto& report : *reports) {
      if (!report.is_object()) continue;
      // Remarks of the vendor: one that cannot be read is passed over.
      const auto from = InstantOf(report, "from"), to = InstantOf(report, "to");
      if (from) info.incidents.push_back({*from, to ? *to : INT64_MAX});
    }
  }
  return info;
}

}  // namespace

ExchangeBody::ExchangeBody(ExchangeVisitor visitor, std::function<void()> restart)
    : visitor_(std::move(visitor)), restart_(std::move(restart)) {}

Status ExchangeBody::Begin(const net::ResponseHead& head, uint64_t) {
  gzip_.reset();
  if (net::EqualIgnoringCase(head.Find("Content-Encoding"), "gzip")) gzip_.emplace();
  elements_.emplace(std::vector<std::string>{"availableSymbols", "datasets.symbols"},
                    [this](size_t array, std::string_view text) { return Visit(array, text); });
  info_ = {};
  restart_();
  return Ok();
}

Status ExchangeBody::Visit(size_t array, std::string_view text) {
  const auto& visit = array == kAvailable ? visitor_.available : visitor_.dataset;
  if (!visit) return Ok();
  // A parser holds buffers for its largest document, and is cheap beside a piece.
  od::parser parser;
  od::document document;
  od::array symbols;
  const sj::padded_string_view padded(text, text.size() + JsonElements::kPadding);
  if (parser.iterate(padded).get(document) != sj::SUCCESS || document.get_array().get(symbols) != sj::SUCCESS) {
    return Fail(ErrorKind::kBadInput, "{} is no list", array == kDatasets ? "datasets.symbols" : "availableSymbols");
  }
  std::string data_types;
  for (auto element : symbols) {
    od::object object;
    if (element.get_object().get(object) != sj::SUCCESS) return Fail(ErrorKind::kBadInput, "a symbol is no object");
    SymbolInfo info;
    data_types.clear();
    LODE_TRY(ReadSymbol(object, &info, &data_types));
    LODE_TRY(visit(info));
  }
  return Ok();
}

Status ExchangeBody::Write(std::span<const std::byte> bytes) {
  const auto feed = [this](std::string_view text) { return elements_->Feed(text); };
  Status taken = gzip_ ? gzip_->Feed(bytes, feed) : feed({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!taken) return std::unexpected(AsCorrupt(std::move(taken).error()));
  return Ok();
}

Status ExchangeBody::End() {
  if (gzip_) {
    if (Status ended = gzip_->End(); !ended) return std::unexpected(AsCorrupt(std::move(ended).error()));
  }
  auto rest = elements_->Finish();
  if (!rest) return std::unexpected(AsCorrupt(std::move(rest).error()));
  auto info = ReadRest(*rest);
  if (!info) return std::unexpected(AsCorrupt(std::move(info).error()));
  info_ = std::move(*info);
  return Ok();
}

}  // namespace lode::source::tardis
