#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <span>

#include "lode/base/hashing.h"
#include "lode/ledger/receipt.h"
#include "lode/ledger/receipt_internal.h"

namespace lode::ledger {

namespace {

using nlohmann::json;

constexpr size_t kSequenceDigits = 8;
constexpr std::string_view kHexDigits = "0123456789abcdef";

// Length of the valid UTF-8 sequence at the start of `text`, 0 when there is none (RFC 3629, table 3-7 of Unicode).
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto in = [&](size_t i, unsigned low, unsigned high) { return byte(i) >= low && byte(i) <= high; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return in(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

void SetText(json& object, const char* key, std::string_view value) {
  if (!value.empty()) object[key] = ToUtf8(value);
}

void SetNumber(json& object, const char* key, int64_t value) {
  if (value != 0) object[key] = value;
}

json ToJson(const RawFile& file) {
  json object = json::object();
  SetText(object, "name", file.name);
  SetText(object, "landed", file.landed);
  if (file.in_place) object["in_place"] = true;
  object["size"] = file.size;
  SetText(object, "sha256", file.sha256);
  SetText(object, "role", file.role);
  SetText(object, "encoding", file.encoding);
  SetText(object, "schema", file.schema);
  if (file.pretty_px) object["pretty_px"] = *file.pretty_px;
  if (file.pretty_ts) object["pretty_ts"] = *file.pretty_ts;
  SetText(object, "mapping", file.mapping);
  return object;
}

json ToJson(const Partition& partition) {
  json object = json::object();
  SetText(object, "path", partition.path);
  object["size"] = partition.size;
  SetText(object, "sha256", partition.sha256);
  object["rows"] = partition.rows;
  SetText(object, "min_key", partition.min_key);
  SetText(object, "max_key", partition.max_key);
  SetText(object, "replaces", partition.replaces);
  return object;
}

json ToJson(const Removal& removal) {
  json object = json::object();
  SetText(object, "path", removal.path);
  object["size"] = removal.size;
  SetText(object, "sha256", removal.sha256);
  return object;
}

// Cells of one symbol that agree in everything but day, rows and modified, in day order.
using CellGroup = std::vector<const Cell*>;

json DaysOf(const CellGroup& group) {
  json days = json::array();
  for (size_t first = 0; first < group.size();) {
    size_t last = first;
    while (last + 1 < group.size() && group[last + 1]->day == group[last]->day + 1) ++last;
    std::string text = FormatDay(group[first]->day);
    if (last != first) text += "/" + FormatDay(group[last]->day);
    days.push_back(std::move(text));
    first = last + 1;
  }
  return days;
}

// One value when all days have the same, else an array parallel to the days; nothing when no value is known.
void SetParallel(json& object, const char* key, const std::vector<std::optional<int64_t>>& values) {
  if (std::ranges::all_of(values, [&](const auto& value) { return value == values.front(); })) {
    if (values.front()) object[key] = *values.front();
    return;
  }
  json array = json::array();
  for (const auto& value : values) array.push_back(value ? json(*value) : json(nullptr));
  object[key] = std::move(array);
}

void SetRows(json& object, const CellGroup& group) {
  std::vector<std::optional<int64_t>> rows;
  for (const Cell* cell : group) rows.push_back(cell->rows);
  SetParallel(object, "rows", rows);
}

// A date when all days have the same; else days after the cell's day, which for a vendor's daily run is one number.
void SetModified(json& object, const CellGroup& group) {
  const auto differs = [&](const Cell* cell) { return cell->modified != group.front()->modified; };
  if (group.front()->modified && std::ranges::none_of(group, differs)) {
    object["modified"] = FormatDay(*group.front()->modified);
    return;
  }
  std::vector<std::optional<int64_t>> lags;
  for (const Cell* cell : group) {
    lags.push_back(cell->modified ? std::optional(int64_t{cell->modified->since_epoch} - cell->day.since_epoch)
                                  : std::nullopt);
  }
  SetParallel(object, "modified", lags);
}

json ToJson(const CellGroup& group) {
  const Cell& cell = *group.front();
  json object = json::object();
  SetText(object, "symbol", cell.symbol);
  object["state"] = Name(cell.state);
  SetText(object, "reason", cell.reason);
  SetText(object, "proof", cell.proof);
  SetModified(object, group);
  if (cell.degraded) object["degraded"] = true;
  object["days"] = DaysOf(group);
  SetRows(object, group);
  return object;
}

bool SameGroup(const Cell& a, const Cell& b) {
  return a.state == b.state && a.reason == b.reason && a.proof == b.proof && a.degraded == b.degraded;
}

// Groups in order of symbol, then of their first day. A symbol has few distinct groups, so the last ones are searched.
json CellGroups(const std::vector<Cell>& cells) {
  json groups = json::array();
  constexpr size_t kMaxOpenGroups = 32;
  for (size_t begin = 0; begin < cells.size();) {
    std::vector<CellGroup> open;
    size_t end = begin;
    for (; end < cells.size() && cells[end].symbol == cells[begin].symbol; ++end) {
      const Cell& cell = cells[end];
      const size_t searched = std::min(open.size(), kMaxOpenGroups);
      const auto recent = std::span(open).last(searched);
      const auto found = std::ranges::find_if(recent, [&](const CellGroup& g) { return SameGroup(*g.front(), cell); });
      if (found != recent.end()) {
        found->push_back(&cell);
      } else {
        open.push_back({&cell});
      }
    }
    for (const CellGroup& group : open) groups.push_back(ToJson(group));
    begin = end;
  }
  return groups;
}

template <typename Item>
json ToArray(const std::vector<Item>& items) {
  json array = json::array();
  for (const Item& item : items) array.push_back(ToJson(item));
  return array;
}

// One line a key, and one line an element of a top-level array: readable and greppable, yet small.
std::string Body(const json& object) {
  std::string text = "{";
  for (const auto& [key, value] : object.items()) {
    text += text.size() == 1 ? "\n" : ",\n";
    text += json(key).dump() + ":";
    if (!value.is_array() || value.empty()) {
      text += value.dump();
      continue;
    }
    text += "[";
    for (size_t i = 0; i < value.size(); ++i) {
      text += i == 0 ? "\n" : ",\n";
      text += value[i].dump();
    }
    text += "]";
  }
  return text;
}

}  // namespace

bool IsSha256(std::string_view text) {
  return text.size() == kSha256Digits && text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

std::string ToUtf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const size_t length = bytes.front() == '\0' ? 0 : Utf8Length(bytes);
    if (length > 0) {
      text += bytes.substr(0, length);
    } else {
      const auto byte = static_cast<unsigned char>(bytes.front());
      text += {'\0', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
    }
    bytes.remove_prefix(std::max<size_t>(length, 1));
  }
  return text;
}

bool FromUtf8(std::string_view text, std::string* bytes) {
  bytes->clear();
  bytes->reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\0') {
      *bytes += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return false;
    const size_t high = kHexDigits.find(text[i + 1]);
    const size_t low = kHexDigits.find(text[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    *bytes += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

std::string ReceiptFileName(int64_t sequence) { return fmt::format("{:0{}}.json", sequence, kSequenceDigits); }

std::optional<int64_t> ReceiptSequence(std::string_view file_name) {
  const size_t dot = file_name.find('.');
  int64_t sequence = 0;
  const auto [end, error] =
      std::from_chars(file_name.data(), file_name.data() + std::min(dot, file_name.size()), sequence);
  if (error != std::errc() || sequence < 1 || ReceiptFileName(sequence) != file_name) return std::nullopt;
  return sequence;
}

std::string WriteReceipt(Receipt receipt) {
  SortCells(&receipt.cells);
  json object = json::object();
  object["format"] = receipt.removed.empty() ? 1 : kReceiptFormat;
  object["sequence"] = receipt.sequence;
  SetText(object, "dataset", receipt.dataset);
  SetText(object, "schema", receipt.schema);
  object["schema_version"] = receipt.schema_version;
  SetText(object, "layout", receipt.layout);
  SetText(object, "origin", receipt.origin);
  SetText(object, "unit", receipt.unit);
  SetText(object, "request", receipt.request);
  object["attempts"] = receipt.attempts;
  SetText(object, "started_at", receipt.started_at);
  SetText(object, "finished_at", receipt.finished_at);
  SetText(object, "program", receipt.program);
  object["raw_files"] = ToArray(receipt.raw_files);
  object["partitions"] = ToArray(receipt.partitions);
  object["cells"] = CellGroups(receipt.cells);
  receipt.cells = {};  // millions, perhaps
  if (!receipt.removed.empty()) object["removed"] = ToArray(receipt.removed);
  SetNumber(object, "records", receipt.records);
  SetNumber(object, "rejected", receipt.rejected);
  SetText(object, "quarantine", receipt.quarantine);
  SetNumber(object, "duplicates", receipt.duplicates);
  std::string text = Body(object);
  const std::string checksum = Sha256Hex(text);
  text += kChecksumKey;
  text += checksum;
  text += kChecksumEnd;
  return text;
}

}  // namespace lode::ledger
