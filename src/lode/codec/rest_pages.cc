#include "lode/codec/rest_pages.h"

#include <simdjson.h>

#include <map>
#include <string>
#include <utility>

#include "lode/codec/json_table.h"
#include "lode/codec/line_reader.h"
#include "lode/codec/new_york_day.h"
#include "lode/codec/text_decoder.h"

namespace lode::codec {
namespace {

namespace dom = lode_simdjson::dom;

constexpr size_t kMaxPageBytes = size_t{64} << 20;
constexpr int64_t kNsPerMs = 1'000'000;

class RestPages final : public TextDecoder<JsonTable> {
 public:
  RestPages(std::unique_ptr<ByteSource> bytes, const RestRequest& asked, const TableSchema& schema,
            const DecodeContext& context)
      : TextDecoder(schema, schema, context),
        lines_(std::move(bytes), {.max_line_bytes = kMaxPageBytes}),
        asked_(asked) {
    for (const Column& column : schema.columns) {
      if (column.origin != ColumnOrigin::kVendor) continue;
      if (column.computed) {
        const int index = rows_.Find(column.name);
        (column.name == "ticker" ? ticker_ : column.name == "as_of" ? as_of_ : session_date_) = index;
        continue;
      }
      const std::string& name = column.vendor_name();
      const size_t dot = name.find('.');
      if (dot == std::string::npos) {
        columns_[name] = rows_.Find(column.name);
      } else {
        inner_[name.substr(0, dot)][name.substr(dot + 1)] = rows_.Find(column.name);
      }
    }
  }

 private:
  using Columns = std::map<std::string, int, std::less<>>;

  Result<bool> AddRecord() override {
    while (next_ == end_) {
      std::string_view line;
      LODE_TRY(const bool more, lines_.Next(line));
      if (!more) return false;
      LODE_TRY(ReadPage(line));
    }
    const dom::element row = *next_;
    ++next_;
    bool good = ReadRow(row);
    if (good) {
      LODE_TRY(good, rows_.Keep());
    }
    if (!good) rows_.Drop(lode_simdjson::minify(row));
    return true;
  }

  Status ReadPage(std::string_view line) {
    const auto bad = [&](std::string_view what) {
      return Fail(ErrorKind::kBadInput, "page {}: {}", lines_.line_number(), what);
    };
    dom::element page;
    if (const auto error = parser_.parse(line.data(), line.size()).get(page)) {
      return bad(fmt::format("not JSON: {}", lode_simdjson::error_message(error)));
    }
    dom::array list;
    dom::element results;
    around_.reset();
    if (page.get(list) != lode_simdjson::SUCCESS) {
      if (!page.is_object()) return bad("neither an object nor a list");
      // A page without rows may leave them out.
      const auto found = page["results"].get(results);
      if (found == lode_simdjson::NO_SUCH_FIELD || results.is_null()) return Ok();
      dom::object around;
      if (results.get(around) == lode_simdjson::SUCCESS) around_ = around;
      if ((around_ ? around["events"].get(list) : results.get(list)) != lode_simdjson::SUCCESS) {
        return bad("'results' is no list");
      }
    }
    next_ = list.begin();
    end_ = list.end();
    return Ok();
  }

  bool ReadRow(const dom::element& row) {
    dom::object object;
    if (row.get(object) != lode_simdjson::SUCCESS)
      return rows_.Reject("row", lode_simdjson::minify(row), "is no object");
    return ReadMembers(object, "") && (!around_ || ReadMembers(*around_, "events")) && Compute(object);
  }

  // What neither the row nor the page's object says.
  bool Compute(const dom::object& row) {
    if (as_of_ >= 0 && asked_.day) rows_.SetDay(as_of_, *asked_.day);
    if (ticker_ >= 0 && !rows_.SetText(ticker_, asked_.ticker)) return false;
    int64_t ms = 0;
    // A time that is none was refused before.
    if (session_date_ >= 0 && row["t"].get(ms) == lode_simdjson::SUCCESS) {
      rows_.SetDay(session_date_, days_.Of(ms * kNsPerMs));
    }
    return true;
  }

  bool ReadMembers(const dom::object& object, std::string_view without) {
    for (const auto& member : object) {
      if (member.key == without) continue;
      if (const auto column = columns_.find(member.key); column != columns_.end()) {
        if (!rows_.Set(column->second, member.value)) return false;
      } else if (const auto group = inner_.find(member.key); group != inner_.end() && member.value.is_object()) {
        if (!ReadInner(member.key, group->second, member.value)) return false;
      } else if (!member.value.is_null() && !rows_.SetExtra(member.key, member.value)) {
        return false;
      }
    }
    return true;
  }

  bool ReadInner(std::string_view name, const Columns& columns, const dom::element& value) {
    dom::object object;
    if (value.get(object) != lode_simdjson::SUCCESS) return true;
    for (const auto& member : object) {
      const auto column = columns.find(member.key);
      const bool good = column != columns.end() ? rows_.Set(column->second, member.value)
                                                : rows_.SetExtra(fmt::format("{}.{}", name, member.key), member.value);
      if (!good) return false;
    }
    return true;
  }

  LineReader lines_;
  const RestRequest asked_;
  int ticker_ = -1, as_of_ = -1, session_date_ = -1;  // computed columns
  NewYorkDays days_;
  dom::parser parser_;
  Columns columns_;
  std::map<std::string, Columns, std::less<>> inner_;
  std::optional<dom::object> around_;  // the page's rows
  dom::array::iterator next_, end_;
};

}  // namespace

Result<std::unique_ptr<Decoder>> OpenRestPages(std::unique_ptr<ByteSource> bytes, const RestRequest& asked,
                                               const TableSchema& schema, DecodeContext context) {
  return std::make_unique<RestPages>(std::move(bytes), asked, schema, context);
}

}  // namespace lode::codec
