#include <toml++/toml.h>

#include <string>
#include <utility>

#include "lode/codec/parquet_file.h"

namespace lode::codec {
namespace {

std::unexpected<Error> Refuse(const toml::source_region& where, std::string_view why) {
  return Fail(ErrorKind::kConfig, "column mapping, line {}: {}", where.begin.line, why);
}

// The literal of `target = { value = … }`.
Result<std::string> Literal(std::string_view target, const toml::table& table) {
  const toml::node* value = table.get("value");
  if (value == nullptr || table.size() != 1) {
    return Refuse(table.source(), fmt::format("{} = {{ … }} takes one key, `value`", target));
  }
  if (const auto* text = value->as_string()) return "=" + text->get();
  if (const auto* number = value->as_integer()) return fmt::format("={}", number->get());
  if (const auto* number = value->as_floating_point()) return fmt::format("={}", number->get());
  if (const auto* truth = value->as_boolean()) return fmt::format("={}", truth->get());
  return Refuse(value->source(), fmt::format("the value of {} must be a number, a text, true or false", target));
}

Status ReadColumns(const toml::table& table, ColumnMapping& mapping) {
  for (const auto& [key, node] : table) {
    const std::string target(key.str());
    if (const auto* source = node.as_string()) {
      if (source->get().empty()) return Refuse(node.source(), fmt::format("{} names an empty column", target));
      mapping.columns[target] = source->get();
    } else if (const auto* literal = node.as_table()) {
      LODE_TRY(mapping.columns[target], Literal(target, *literal));
    } else {
      return Refuse(node.source(), fmt::format("{} must be a source column's name or {{ value = … }}", target));
    }
  }
  return Ok();
}

}  // namespace

Result<ColumnMapping> ParseColumnMapping(std::string_view toml_text) {
  toml::table document;
  try {
    document = toml::parse(toml_text);
  } catch (const toml::parse_error& error) {
    return Refuse(error.source(), error.description());
  }
  ColumnMapping mapping;
  for (const auto& [key, node] : document) {
    if (key == "schema" && node.is_string()) {
      mapping.schema = node.as_string()->get();
    } else if (key == "columns" && node.is_table()) {
      LODE_TRY(ReadColumns(*node.as_table(), mapping));
    } else {
      return Refuse(node.source(), fmt::format("`{}` is neither schema = \"…\" nor [columns]", key.str()));
    }
  }
  return mapping;
}

}  // namespace lode::codec
