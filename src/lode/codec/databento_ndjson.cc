#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "lode/codec/databento_text.h"
#include "lode/codec/json_template.h"
#include "lode/codec/line_reader.h"
#include "lode/codec/text_decoder.h"
#include "lode/codec/text_rows.h"

namespace lode::codec {
namespace {

namespace sj = lode_simdjson;
namespace od = lode_simdjson::ondemand;

constexpr size_t kMaxUnknownKeys = 256;

std::string_view WithoutTrailingSpace(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n')) {
    text.remove_suffix(1);
  }
  return text;
}

// Whether `text` is a JSON number without exponent.
bool IsPlainNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || (text.size() > 1 && text[0] == '0' && text[1] != '.')) return false;
  if (text.front() == '.' || text.back() == '.') return false;
  for (const char c : text) {
    if ((c < '0' || c > '9') && c != '.') return false;
  }
  return true;
}

// Puts a scalar whose text, when quoted, holds no escapes.
bool PutScalar(TextRows& rows, int field, const JsonScalar& scalar) {
  if (scalar.quoted) return rows.Put(field, scalar.text);
  if (scalar.text == "null") return rows.PutNull(field);
  if (rows.TakesText(field) || !IsPlainNumber(scalar.text)) {
    return rows.Reject(rows.FieldName(field), scalar.text, rows.TakesText(field) ? "is not text" : "is not a number");
  }
  return rows.Put(field, scalar.text);
}

// Reads one line of any shape with the JSON parser into the rows; the reference for the template.
class JsonLineParser {
 public:
  explicit JsonLineParser(TextRows& rows) : rows_(rows) {}

  // False: the rows know why. `readable` bytes from the line's start are allocated.
  bool Parse(std::string_view line, size_t readable) {
    scalars_.clear();
    fields_.clear();
    unknown_keys_.clear();
    rows_.SetPresent({});
    od::document document;
    od::object record;
    if (!Check(parser_.iterate(line.data(), line.size(), readable).get(document))) return false;
    if (!Check(document.get_object().get(record)) || !ParseRecord(record)) return false;
    if (!document.at_end()) return rows_.Reject({}, {}, "text follows the JSON object");
    // The on-demand parser passes over unknown values without looking; before they are kept they must be JSON.
    if (!unknown_keys_.empty() && !Check(validator_.parse(line.data(), line.size(), false).error())) return false;
    if (const std::string* missing = rows_.FindMissing(rows_.present()))
      return rows_.Reject(*missing, {}, "is missing");
    for (const std::string& key : unknown_keys_) rows_.extra().NoteDrift(key);
    return true;
  }

  // Of the last line that Parse took.
  bool has_unknown_keys() const { return !unknown_keys_.empty(); }
  const std::vector<JsonScalar>& scalars() const { return scalars_; }
  const std::vector<int>& fields() const { return fields_; }

 private:
  bool Check(sj::error_code error) {
    return error == sj::SUCCESS || rows_.Reject({}, {}, fmt::format("not JSON: {}", sj::error_message(error)));
  }

  static sj::error_code ReadKey(od::field& field, std::string_view& key) {
    key = field.escaped_key();
    if (key.find('\\') == std::string_view::npos) return sj::SUCCESS;
    return field.unescaped_key().get(key);
  }

  bool ParseRecord(od::object record) {
    bool has_header = false, has_levels = false;
    for (auto result : record) {
      od::field field;
      std::string_view key;
      if (!Check(std::move(result).get(field)) || !Check(ReadKey(field, key))) return false;
      od::value value = field.value();
      if (key == "hd") {
        od::object header;
        if (std::exchange(has_header, true)) return rows_.Reject(key, {}, "comes twice");
        if (!Check(value.get_object().get(header)) || !ParseMembers(header, {})) return false;
      } else if (key == "levels") {
        if (std::exchange(has_levels, true)) return rows_.Reject(key, {}, "comes twice");
        if (!ParseLevels(value)) return false;
      } else if (!PutMember(key, value)) {
        return false;
      }
    }
    return true;
  }

  bool ParseLevels(od::value& value) {
    od::array levels;
    if (!Check(value.get_array().get(levels))) return false;
    int depth = 0;
    for (auto result : levels) {
      od::object level;
      if (!Check(result.get_object().get(level))) return false;
      if (!ParseMembers(level, fmt::format("_{:02}", depth++))) return false;
    }
    return true;
  }

  bool ParseMembers(od::object object, const std::string& suffix) {
    std::string name;
    for (auto result : object) {
      od::field field;
      std::string_view key;
      if (!Check(std::move(result).get(field)) || !Check(ReadKey(field, key))) return false;
      if (!suffix.empty()) {
        name = key;
        key = name += suffix;
      }
      if (!PutMember(key, field.value())) return false;
    }
    return true;
  }

  bool PutMember(std::string_view key, od::value& value) {
    const int field = rows_.FindField(key);
    if (field < 0) return PutUnknown(key, value);
    if (!rows_.MarkPresent(field)) return false;
    const std::string_view token = WithoutTrailingSpace(value.raw_json_token());
    JsonScalar scalar{token, false};
    if (token.starts_with('"') && token.ends_with('"') && token.size() >= 2) {
      scalar = {token.substr(1, token.size() - 2), true};
    }
    scalars_.push_back(scalar);
    fields_.push_back(field);
    if (scalar.quoted && scalar.text.find('\\') != std::string_view::npos) {
      if (!Check(value.get_string().get(scalar.text))) return false;
    }
    return PutScalar(rows_, field, scalar);
  }

  bool PutUnknown(std::string_view key, od::value& value) {
    if (unknown_keys_.size() == kMaxUnknownKeys) return rows_.Reject({}, {}, "more than 256 unknown keys");
    if (std::ranges::find(unknown_keys_, key) != unknown_keys_.end()) return rows_.Reject(key, {}, "comes twice");
    unknown_keys_.emplace_back(key);
    std::string_view raw;
    if (!Check(value.raw_json().get(raw))) return false;
    compact_.resize(raw.size() + LineReader::kPadding);
    size_t size = 0;
    if (!Check(sj::minify(raw.data(), raw.size(), compact_.data(), size))) return false;
    rows_.extra().Put(key, std::string_view(compact_).substr(0, size));
    return true;
  }

  TextRows& rows_;
  od::parser parser_;
  sj::dom::parser validator_;
  std::vector<JsonScalar> scalars_;
  std::vector<int> fields_;
  std::vector<std::string> unknown_keys_;
  std::string compact_;
};

class DatabentoNdjson final : public TextDecoder<TextRows> {
 public:
  DatabentoNdjson(std::unique_ptr<ByteSource> bytes, const TextOptions& options, const DecodeContext& context)
      : TextDecoder(*options.schema, options, context), lines_(std::move(bytes)), parser_(rows_) {}

 private:
  Result<bool> AddRecord() override {
    std::string_view line;
    LODE_TRY(const bool more, lines_.Next(line));
    if (!more) return false;
    LODE_TRY(rows_.BeginRow());
    if (!PutByTemplate(line)) {
      rows_.RestartRow();
      PutByParser(line);
    }
    const int64_t number = lines_.line_number();
    LODE_TRY(rows_.EndRow({number - 1, number, lines_.offset(), line}));
    return true;
  }

  bool PutByTemplate(std::string_view line) {
    if (template_.empty() || !template_.Match(line, scalars_)) return false;
    rows_.SetPresent(template_present_);
    for (size_t i = 0; i < scalars_.size(); ++i) {
      if (!PutScalar(rows_, template_.fields()[i], scalars_[i])) return false;
    }
    return true;
  }

  void PutByParser(std::string_view line) {
    if (!parser_.Parse(line, lines_.readable(line)) || parser_.has_unknown_keys()) return;
    template_.Learn(line, parser_.scalars(), parser_.fields());
    template_present_ = rows_.present();
  }

  LineReader lines_;
  JsonLineParser parser_;
  JsonTemplate template_;
  TextRows::FieldSet template_present_;
  std::vector<JsonScalar> scalars_;
};

}  // namespace

Result<std::unique_ptr<Decoder>> OpenDatabentoNdjson(std::unique_ptr<ByteSource> bytes, TextOptions options,
                                                     DecodeContext context) {
  return std::make_unique<DatabentoNdjson>(std::move(bytes), options, context);
}

}  // namespace lode::codec
