#include "lode/codec/fred_pages.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lode/codec/json_table.h"
#include "lode/codec/line_reader.h"
#include "lode/codec/text_decoder.h"

namespace lode::codec {
namespace {

namespace dom = lode_simdjson::dom;

constexpr size_t kMaxPageBytes = size_t{64} << 20;
// Of one series; the longest daily ones have a tenth of a million.
constexpr size_t kMaxRows = 20'000'000;
// "Until further notice", in the vendor's words.
const Day kOpenEnd = ToDay({9999, 12, 31});

// What a row says, decided before it is known how far its period reaches.
struct Observation {
  Day date, start, end;
  std::optional<double> value;
};

struct BadObservation {
  std::string reason, raw;
};

struct Window {
  Day start, end;
  bool operator==(const Window&) const = default;
  bool has_vintages() const { return start != end; }
};

class FredObservations final : public TextDecoder<JsonTable> {
 public:
  FredObservations(std::unique_ptr<ByteSource> bytes, std::string_view series_id, const TableSchema& schema,
                   const DecodeContext& context)
      : TextDecoder(schema, schema, context),
        lines_(std::move(bytes), {.max_line_bytes = kMaxPageBytes}),
        series_id_(series_id),
        series_(rows_.Find("series_id")),
        date_(rows_.Find("date")),
        start_(rows_.Find("realtime_start")),
        end_(rows_.Find("realtime_end")),
        value_(rows_.Find("value")) {
    facts_.symbols = {series_id_};
  }

 private:
  Result<bool> AddRecord() override {
    if (!std::exchange(read_, true)) LODE_TRY(ReadPages());
    if (next_bad_ < bad_.size()) {
      const BadObservation& bad = bad_[next_bad_++];
      rows_.Reject("observation", {}, bad.reason);
      rows_.Drop(bad.raw);
      return true;
    }
    if (next_ == observations_.size()) return false;
    LODE_TRY(AddRow(next_));
    ++next_;
    return true;
  }

  Status AddRow(size_t at) {
    const Observation& row = observations_[at];
    rows_.SetText(series_, series_id_);
    rows_.SetDay(date_, row.date);
    if (has_vintages_) {
      rows_.SetDay(start_, row.start);
      if (row.end != kOpenEnd) rows_.SetDay(end_, row.end);
    }
    if (row.value) rows_.SetDouble(value_, *row.value);
    if (const auto extra = extra_.find(at); extra != extra_.end()) {
      for (const auto& [key, json] : extra->second) {
        dom::element value;
        if (extra_parser_.parse(json).get(value) == lode_simdjson::SUCCESS) rows_.SetExtra(key, value);
      }
    }
    LODE_TRY(const bool kept, rows_.Keep());
    if (!kept) rows_.Drop(FormatDay(row.date));
    return Ok();
  }

  Status ReadPages() {
    std::string_view line;
    while (true) {
      LODE_TRY(const bool more, lines_.Next(line));
      if (!more) break;
      LODE_TRY(ReadPage(line));
    }
    std::vector<size_t> order(observations_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, {},
                             [&](size_t i) { return std::pair(observations_[i].date, observations_[i].start); });
    std::vector<Observation> sorted;
    std::map<size_t, std::vector<std::pair<std::string, std::string>>> extra;
    for (const size_t i : order) {
      if (joined_[i]) continue;
      if (const auto found = extra_.find(i); found != extra_.end()) extra[sorted.size()] = std::move(found->second);
      sorted.push_back(observations_[i]);
    }
    observations_ = std::move(sorted);
    extra_ = std::move(extra);
    return Ok();
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
    const auto start = DayAt(page, "realtime_start"), end = DayAt(page, "realtime_end");
    if (page["observations"].get(list) != lode_simdjson::SUCCESS) return bad("no 'observations'");
    if (!start || !end || *end < *start) return bad("no real-time period");
    LODE_TRY(Enter({*start, *end}));
    for (const dom::element& entry : list) {
      if (observations_.size() + bad_.size() >= kMaxRows) return bad("too many observations");
      ReadObservation(entry);
    }
    return Ok();
  }

  // Rows of the window before that stood at its end may go on in this one.
  Status Enter(Window window) {
    if (entered_ && window == window_) return Ok();
    if (entered_ && (!window.has_vintages() || !has_vintages_ || window.start <= window_.end)) {
      return Fail(ErrorKind::kBadInput, "page {}: its real-time period does not follow that of the page before",
                  lines_.line_number());
    }
    const bool follows = entered_ && window.start == window_.end + 1;
    standing_before_ = follows ? std::move(standing_) : std::map<Day, size_t>();
    standing_.clear();
    window_ = window;
    has_vintages_ = window.has_vintages();
    entered_ = true;
    return Ok();
  }

  static std::optional<Day> DayAt(const dom::element& object, const char* key) {
    std::string_view text;
    if (object[key].get(text) != lode_simdjson::SUCCESS) return std::nullopt;
    const auto day = ParseDay(text);
    return day ? std::optional(*day) : std::nullopt;
  }

  // nullopt when it is neither a number nor the vendor's mark for none.
  static std::optional<std::optional<double>> ValueOf(const dom::element& entry) {
    dom::element value;
    std::string_view text;
    double number = 0;
    if (entry["value"].get(value) != lode_simdjson::SUCCESS) return std::nullopt;
    if (value.get(number) == lode_simdjson::SUCCESS) return std::optional(number);
    if (value.get(text) != lode_simdjson::SUCCESS) return std::nullopt;
    if (text == ".") return std::optional<double>();
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
    return std::optional(number);
  }

  void ReadObservation(const dom::element& entry) {
    const auto date = DayAt(entry, "date"), start = DayAt(entry, "realtime_start"), end = DayAt(entry, "realtime_end");
    const auto value = ValueOf(entry);
    const char* fault = nullptr;
    if (!date)
      fault = "its date is no day";
    else if (!value)
      fault = "its value is neither a number nor '.'";
    else if (!start || !end || *end < *start)
      fault = "its real-time period is none";
    else if (*start < window_.start || *end > window_.end)
      fault = "its real-time period is not within the page's";
    if (fault != nullptr) {
      bad_.push_back({fault, lode_simdjson::minify(entry)});
      return;
    }
    const size_t at = observations_.size();
    observations_.push_back({*date, *start, *end, *value});
    joined_.push_back(false);
    KeepUnknown(entry, at);
    size_t whole = at;
    if (*start == window_.start) {
      const auto before = standing_before_.find(*date);
      if (before != standing_before_.end() && observations_[before->second].value == *value) {
        whole = before->second;
        observations_[whole].end = *end;
        joined_[at] = true;
      }
    }
    if (*end == window_.end) standing_[*date] = whole;
  }

  void KeepUnknown(const dom::element& entry, size_t at) {
    dom::object object;
    if (entry.get(object) != lode_simdjson::SUCCESS) return;
    for (const auto& member : object) {
      if (member.key == "date" || member.key == "value" || member.key.starts_with("realtime_")) continue;
      extra_[at].emplace_back(member.key, lode_simdjson::minify(member.value));
    }
  }

  LineReader lines_;
  dom::parser parser_, extra_parser_;
  const std::string series_id_;
  const int series_, date_, start_, end_, value_;
  std::vector<Observation> observations_;
  std::vector<bool> joined_;  // into an earlier one
  std::vector<BadObservation> bad_;
  std::map<size_t, std::vector<std::pair<std::string, std::string>>> extra_;  // by observation: key, JSON
  Window window_;
  bool entered_ = false, has_vintages_ = false, read_ = false;
  std::map<Day, size_t> standing_, standing_before_;  // by date: the observation that stands at the window's end
  size_t next_ = 0, next_bad_ = 0;
};

}  // namespace

Result<std::unique_ptr<Decoder>> OpenFredObservations(std::unique_ptr<ByteSource> bytes, std::string_view series_id,
                                                      const TableSchema& schema, DecodeContext context) {
  if (series_id.empty()) return Fail(ErrorKind::kBadInput, "the file's name does not say which series it is of");
  return std::make_unique<FredObservations>(std::move(bytes), series_id, schema, context);
}

}  // namespace lode::codec
