// metadata.*: what there is, of which days, how much of it, and what it costs.
#include <fmt/format.h>

#include <algorithm>

#include "databento.h"
#include "lode/codec/testing/dbn_writer.h"
#include "text_encoding.h"

namespace lode::vendor {
namespace {

Response JsonResponse(const Json& json) {
  Response response;
  response.body = json.dump();
  return response;
}

std::string TypeName(char type, std::string_view encoding) {
  switch (type) {
    case 'B': return "uint8_t";
    case 'b': return "int8_t";
    case 'H': return "uint16_t";
    case 'h': return "int16_t";
    case 'I': return "uint32_t";
    case 'i': return "int32_t";
    case 'Q': return encoding == "json" ? "string" : "uint64_t";
    case 'q': return encoding == "json" ? "string" : "int64_t";
    default: return encoding == "dbn" ? "char" : "string";
  }
}

}  // namespace

Checked<Response> Databento::Metadata(const Request& request, const std::string& method) {
  if (method == "list_publishers") {
    Json list = Json::array();
    for (const auto& state : archive_.datasets()) {
      for (const auto& [id, venue] : state->info.publishers) {
        list.push_back({{"publisher_id", id},
                        {"dataset", state->info.code},
                        {"venue", venue},
                        {"description", state->info.description + " - " + venue}});
      }
    }
    return JsonResponse(list);
  }
  if (method == "list_datasets") {
    const auto until = ParseInstant(request.Find("end_date").value_or("2200-01-01"));
    if (!until) return std::unexpected(Plain(422, "Invalid `end_date`"));
    Json list = Json::array();
    for (const auto& state : archive_.datasets()) {
      if (state->info.first.start_ns() < until->ns) list.push_back(state->info.code);
    }
    return JsonResponse(list);
  }
  if (method == "list_fields") return ListFields(request);
  if (method == "get_record_count" || method == "get_billable_size" || method == "get_cost")
    return Amount(request, method);

  if (method != "list_schemas" && method != "list_unit_prices" && method != "get_dataset_condition" &&
      method != "get_dataset_range") {
    return std::unexpected(Plain(404, "Not Found"));
  }
  auto dataset = DatasetOf(request);
  if (!dataset) return std::unexpected(dataset.error());
  if (method == "list_schemas") return JsonResponse(SchemasOf((*dataset)->info));
  if (method == "list_unit_prices") {
    Json list = Json::array();
    for (const char* mode : {"historical", "historical-streaming", "live"}) {
      Json prices;
      for (const std::string& schema : SchemasOf((*dataset)->info)) prices[schema] = Archive::UnitPrice(schema, mode);
      list.push_back({{"mode", mode}, {"unit_prices", prices}});
    }
    return JsonResponse(list);
  }
  if (method == "get_dataset_condition") return DatasetCondition(request);
  return DatasetRange(request);
}

Checked<Response> Databento::ListFields(const Request& request) {
  const std::string schema = request.Find("schema").value_or(""), encoding = request.Find("encoding").value_or("");
  if (!IsSchema(schema)) return std::unexpected(Plain(422, fmt::format("Invalid `schema`: '{}'", schema)));
  Json list = Json::array();
  const auto add = [&](const std::string& name, char type) {
    list.push_back({{"name", name}, {"type", TypeName(type, encoding)}});
  };
  if (encoding == "dbn") {
    add("length", 'B');
    add("rtype", 'B');
    add("publisher_id", 'H');
    add("instrument_id", 'I');
    add("ts_event", 'Q');
    for (const auto& field : codec::fixture::LayoutOf(schema, options_.archive.dbn_version))
      add(field.name, field.type);
  } else if (encoding == "csv" || encoding == "json") {
    const TextEncoding text(schema, options_.archive.dbn_version, encoding == "csv", false, false, false);
    for (const TextEncoding::Column& column : text.columns()) add(column.name, column.type);
  } else {
    return std::unexpected(Plain(422, fmt::format("Invalid `encoding`: '{}'", encoding)));
  }
  return JsonResponse(list);
}

Checked<Response> Databento::DatasetCondition(const Request& request) {
  DatasetState& dataset = **DatasetOf(request);
  Day from = dataset.info.first, last = dataset.days.today() - 1;
  if (DayOf(dataset.days.now_ns() - 1) == dataset.days.today())
    last = dataset.days.today();  // a part of today is there
  if (const auto text = request.Find("start_date")) {
    const auto start = ParseInstant(*text);
    if (!start) return std::unexpected(Plain(422, fmt::format("Invalid `start_date`: '{}'", *text)));
    from = std::max(from, DayOf(start->ns));
  }
  if (const auto text = request.Find("end_date")) {
    const auto end = ParseInstant(*text);
    if (!end) return std::unexpected(Plain(422, fmt::format("Invalid `end_date`: '{}'", *text)));
    last = std::min(last, DayOf(end->ns));
  }
  return JsonResponse(ConditionJson(dataset, from, std::max(from, last + 1)));
}

Checked<Response> Databento::DatasetRange(const Request& request) {
  DatasetState& dataset = **DatasetOf(request);
  const std::string start = FormatIsoNs(dataset.info.first.start_ns());
  Json schemas = Json::object();
  for (const std::string& schema : SchemasOf(dataset.info)) {
    schemas[schema] = {{"start", start}, {"end", FormatIsoNs(dataset.AvailableEnd(schema))}};
  }
  return JsonResponse({{"start", start}, {"end", FormatIsoNs(dataset.days.now_ns())}, {"schema", schemas}});
}

Checked<Response> Databento::Amount(const Request& request, const std::string& method) {
  auto query = ReadQuery(request);
  if (!query) return std::unexpected(query.error());
  const std::string schema = query->schema;
  auto selection = archive_.Select(*std::move(query));
  if (!selection) return std::unexpected(selection.error());
  const uint64_t records = archive_.CountRecords(*selection);
  Response response;
  if (method == "get_record_count")
    response = JsonResponse(records);
  else if (method == "get_billable_size")
    response = JsonResponse(records * archive_.record_size(schema));
  else
    response = JsonResponse(archive_.CostOf(records, schema, request.Find("mode").value_or("historical-streaming")));
  if (request.Find("mode")) {
    response.headers.emplace_back("X-Warning",
                                  R"(["DeprecationWarning: The `mode` parameter is deprecated and will be removed."])");
  }
  return response;
}

}  // namespace lode::vendor
