#include "lode/codec/databento_text.h"

#include <simdjson.h>

#include <set>

#include "lode/codec/csv_reader.h"
#include "lode/codec/dbn_layout.h"
#include "lode/codec/text_rows.h"

namespace lode::codec {
namespace {

namespace sj = lode_simdjson;

// What a text file shows of its schema.
struct TextShapeFacts {
  std::set<std::string, std::less<>> names;
  std::optional<uint64_t> rtype;
};

// The line that begins at `at`, without its LF; nullopt when it does not end within the bytes.
std::optional<std::string_view> LineAt(std::string_view bytes, size_t& at) {
  const size_t end = bytes.find('\n', at);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = bytes.substr(at, end - at);
  at = end + 1;
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

std::optional<TextShapeFacts> LookAtCsv(std::string_view bytes) {
  size_t at = 0;
  const auto header = LineAt(bytes, at);
  std::vector<std::string_view> names, values;
  std::string scratch, value_scratch;
  if (!header || SplitCsv(*header, names, scratch) != nullptr) return std::nullopt;
  TextShapeFacts facts;
  facts.names.insert(names.begin(), names.end());
  const auto first = LineAt(bytes, at);
  if (first && SplitCsv(*first, values, value_scratch) == nullptr && values.size() == names.size()) {
    for (size_t i = 0; i < names.size(); ++i) {
      uint64_t rtype = 0;
      if (names[i] == "rtype" && ParseDigits(values[i], rtype)) facts.rtype = rtype;
    }
  }
  return facts;
}

void AddMembers(sj::dom::object object, std::string_view suffix, TextShapeFacts& facts) {
  for (const auto [key, value] : object) {
    uint64_t rtype = 0;
    if (key == "rtype" && value.get_uint64().get(rtype) == sj::SUCCESS) facts.rtype = rtype;
    facts.names.insert(fmt::format("{}{}", key, suffix));
  }
}

std::optional<TextShapeFacts> LookAtNdjson(std::string_view bytes) {
  size_t at = 0;
  const auto first = LineAt(bytes, at);
  sj::dom::parser parser;
  sj::dom::object record, header;
  if (!first || parser.parse(first->data(), first->size()).get_object().get(record) != sj::SUCCESS) return std::nullopt;
  TextShapeFacts facts;
  AddMembers(record, {}, facts);
  if (record["hd"].get_object().get(header) == sj::SUCCESS) AddMembers(header, {}, facts);
  sj::dom::array levels;
  if (record["levels"].get_array().get(levels) != sj::SUCCESS) return facts;
  int depth = 0;
  for (const auto element : levels) {
    sj::dom::object level;
    if (element.get_object().get(level) == sj::SUCCESS) AddMembers(level, fmt::format("_{:02}", depth), facts);
    ++depth;
  }
  return facts;
}

// Whether a file with these columns can be of the schema; `exactly`: and has no others.
bool Fits(const TableSchema& schema, const TextShapeFacts& facts, bool exactly) {
  StringPool strings;
  BadRecords bad_records;
  TextOptions options;
  options.schema = &schema;
  const TextRows rows(options, {.strings = &strings, .bad_records = &bad_records});
  TextRows::FieldSet present;
  for (const std::string& name : facts.names) {
    const int field = rows.FindField(name);
    if (field >= 0) present.set(static_cast<size_t>(field));
    if (field < 0 && exactly && name != "hd" && name != "levels") return false;
  }
  return rows.FindMissing(present) == nullptr;
}

}  // namespace

const TableSchema* InferTextSchema(std::string_view first_bytes, TextEncoding encoding) {
  if (first_bytes.starts_with("\xEF\xBB\xBF")) first_bytes.remove_prefix(3);
  const auto facts = encoding == TextEncoding::kCsv ? LookAtCsv(first_bytes) : LookAtNdjson(first_bytes);
  if (!facts) return nullptr;
  const TableSchema* only = nullptr;
  for (const TableSchema* schema : DatabentoSchemas()) {
    // tbbo is mbp-1 of trades alone: nothing in the text tells them apart, and every tbbo row is a valid mbp-1 row.
    if (schema->name == "tbbo") continue;
    if (facts->rtype) {
      if (*facts->rtype == FindRecordLayout(*schema, 3)->rtype && Fits(*schema, *facts, false)) {
        return schema;
      }
    } else if (Fits(*schema, *facts, true)) {
      if (only != nullptr) return nullptr;
      only = schema;
    }
  }
  return only;
}

}  // namespace lode::codec
