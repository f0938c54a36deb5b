#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>

#include "lode/base/hashing.h"
#include "lode/ledger/receipt.h"
#include "lode/ledger/receipt_internal.h"
#include "lode/store/local_disk.h"

namespace lode::ledger {

namespace {

using nlohmann::json;

std::unexpected<Error> Bad(std::string_view what) { return Fail(ErrorKind::kCorrupt, "receipt: {}", what); }

// Reads members of one JSON object; the first fault is kept and everything after it is a default.
class Members {
 public:
  Members(const json& object, Status* status) : object_(object), status_(status) {
    if (!object.is_object()) Fault("not an object where one is expected");
  }

  const json* Find(const char* key) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  std::string Text(const char* key) {
    std::string bytes;
    const json* value = Find(key);
    if (value == nullptr) return bytes;
    if (!value->is_string() || !FromUtf8(value->get_ref<const std::string&>(), &bytes)) Fault(key);
    return bytes;
  }

  // Absent is `fallback`.
  int64_t Number(const char* key, int64_t fallback, int64_t low, int64_t high) {
    const json* value = Find(key);
    if (value == nullptr) return fallback;
    const std::optional<int64_t> number = AsNumber(*value);
    if (!number || *number < low || *number > high) {
      Fault(key);
      return fallback;
    }
    return *number;
  }

  int64_t Count(const char* key) { return Number(key, 0, 0, std::numeric_limits<int64_t>::max()); }

  std::optional<bool> Flag(const char* key) {
    const json* value = Find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean()) {
      Fault(key);
      return std::nullopt;
    }
    return value->get<bool>();
  }

  void Fault(std::string_view key) {
    if (*status_) *status_ = Bad(fmt::format("bad value of '{}'", key));
  }

  static std::optional<int64_t> AsNumber(const json& value) {
    constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (!value.is_number_integer()) return std::nullopt;
    if (value.is_number_unsigned() && value.get<uint64_t>() > kMax) return std::nullopt;
    return value.get<int64_t>();
  }

 private:
  const json& object_;
  Status* status_;
};

RawFile ReadRawFile(const json& object, Status* status) {
  Members members(object, status);
  RawFile file;
  file.name = members.Text("name");
  file.landed = members.Text("landed");
  file.in_place = members.Flag("in_place").value_or(false);
  file.size = static_cast<uint64_t>(members.Count("size"));
  file.sha256 = members.Text("sha256");
  file.role = members.Text("role");
  file.encoding = members.Text("encoding");
  file.schema = members.Text("schema");
  file.pretty_px = members.Flag("pretty_px");
  file.pretty_ts = members.Flag("pretty_ts");
  file.mapping = members.Text("mapping");
  const bool path_ok = file.in_place ? file.landed.starts_with('/') && file.landed.find('\0') == std::string::npos
                                     : store::IsPlainRelativePath(file.landed);
  if (!path_ok) members.Fault("landed");
  if (!IsSha256(file.sha256)) members.Fault("sha256");
  return file;
}

Partition ReadPartition(const json& object, Status* status) {
  Members members(object, status);
  Partition partition;
  partition.path = members.Text("path");
  partition.size = static_cast<uint64_t>(members.Count("size"));
  partition.sha256 = members.Text("sha256");
  partition.rows = members.Count("rows");
  partition.min_key = members.Text("min_key");
  partition.max_key = members.Text("max_key");
  partition.replaces = members.Text("replaces");
  if (!store::IsPlainRelativePath(partition.path)) members.Fault("path");
  if (!IsSha256(partition.sha256)) members.Fault("sha256");
  if (!partition.replaces.empty() && !IsSha256(partition.replaces)) members.Fault("replaces");
  return partition;
}

Removal ReadRemoval(const json& object, Status* status) {
  Members members(object, status);
  Removal removal;
  removal.path = members.Text("path");
  removal.size = static_cast<uint64_t>(members.Count("size"));
  removal.sha256 = members.Text("sha256");
  if (!store::IsPlainRelativePath(removal.path)) members.Fault("path");
  if (!IsSha256(removal.sha256)) members.Fault("sha256");
  return removal;
}

// "2024-01-02" or "2024-01-02/2024-01-31", both inclusive.
Result<std::pair<Day, Day>> ParseDays(const json& value) {
  if (!value.is_string()) return Bad("bad value of 'days'");
  const std::string_view text = value.get_ref<const std::string&>();
  const size_t slash = text.find('/');
  LODE_TRY(const Day first, ParseDay(text.substr(0, slash)));
  if (slash == std::string_view::npos) return std::pair(first, first);
  LODE_TRY(const Day last, ParseDay(text.substr(slash + 1)));
  if (last <= first) return Bad("bad value of 'days'");
  return std::pair(first, last);
}

Status ReadDays(const json* days, const Cell& pattern, std::vector<Cell>* cells) {
  if (days == nullptr || !days->is_array() || days->empty()) return Bad("a cell group without days");
  for (const json& value : *days) {
    const Result<std::pair<Day, Day>> range = ParseDays(value);
    if (!range) return Bad(range.error().message);
    const int64_t count = int64_t{range->second.since_epoch} - range->first.since_epoch + 1;
    if (count > kMaxReceiptCells - static_cast<int64_t>(cells->size())) return Bad("too many cells");
    for (Day day = range->first; day <= range->second; day = day + 1) {
      cells->push_back(pattern);
      cells->back().day = day;
    }
  }
  return Ok();
}

// Calls `set(value, cell)` for each cell: `values` is one value for all or an array parallel to them.
template <typename Set>
Status ReadParallel(const json* values, const char* key, std::span<Cell> group, const Set& set) {
  if (values == nullptr) return Ok();
  if (values->is_array() && values->size() != group.size())
    return Bad(fmt::format("'{}' and 'days' differ in length", key));
  for (size_t i = 0; i < group.size(); ++i) {
    const json& value = values->is_array() ? (*values)[i] : *values;
    if (!value.is_null() && !set(value, group[i])) return Bad(fmt::format("bad value of '{}'", key));
  }
  return Ok();
}

bool SetRows(const json& value, Cell& cell) {
  cell.rows = Members::AsNumber(value);
  return cell.rows && *cell.rows >= 0;
}

// A date, or the number of days after the cell's day.
bool SetModified(const json& value, Cell& cell) {
  constexpr int64_t kMaxLag = 4'000'000;  // more than all days from 0001 to 9999
  if (value.is_string()) {
    const Result<Day> day = ParseDay(value.get_ref<const std::string&>());
    if (day) cell.modified = *day;
    return day.has_value();
  }
  const std::optional<int64_t> lag = Members::AsNumber(value);
  if (!lag || *lag < -kMaxLag || *lag > kMaxLag) return false;
  cell.modified = cell.day + static_cast<int32_t>(*lag);
  return true;
}

Status ReadCellGroup(const json& object, std::vector<Cell>* cells) {
  Status status = Ok();
  Members members(object, &status);
  Cell pattern;
  pattern.symbol = members.Text("symbol");
  const Result<CellState> state = ParseCellState(members.Text("state"));
  if (state) {
    pattern.state = *state;
  } else {
    members.Fault("state");
  }
  pattern.reason = members.Text("reason");
  pattern.proof = members.Text("proof");
  pattern.degraded = members.Flag("degraded").value_or(false);
  LODE_TRY(status);
  const size_t begin = cells->size();
  LODE_TRY(ReadDays(members.Find("days"), pattern, cells));
  const std::span<Cell> group = std::span(*cells).subspan(begin);
  LODE_TRY(ReadParallel(members.Find("rows"), "rows", group, SetRows));
  return ReadParallel(members.Find("modified"), "modified", group, SetModified);
}

Status ReadCells(const json* groups, std::vector<Cell>* cells) {
  if (groups == nullptr || !groups->is_array()) return Bad("no cells");
  for (const json& group : *groups) LODE_TRY(ReadCellGroup(group, cells));
  const size_t count = cells->size();
  SortCells(cells);
  if (cells->size() != count) return Bad("one cell twice");
  return Ok();
}

template <typename Item>
Status ReadArray(const json* array, Item (*read)(const json&, Status*), std::vector<Item>* items) {
  if (array == nullptr || !array->is_array()) return Bad("a list is not there");
  Status status = Ok();
  for (const json& object : *array) {
    items->push_back(read(object, &status));
    LODE_TRY(status);
  }
  return status;
}

Result<std::string_view> CheckedBody(std::string_view text) {
  const size_t tail = kChecksumKey.size() + kSha256Digits + kChecksumEnd.size();
  if (text.size() < tail || !text.ends_with(kChecksumEnd)) return Bad("cut off, or not a receipt");
  const std::string_view body = text.substr(0, text.size() - tail);
  const std::string_view rest = text.substr(body.size());
  if (!rest.starts_with(kChecksumKey) || rest.substr(kChecksumKey.size(), kSha256Digits) != Sha256Hex(body)) {
    return Bad("its bytes differ from its own checksum");
  }
  return body;
}

Result<Receipt> FromJson(const json& object) {
  Status status = Ok();
  Members members(object, &status);
  LODE_TRY(status);
  constexpr int64_t kMaxInt = std::numeric_limits<int>::max();
  const int64_t format = members.Number("format", 0, 1, kMaxInt);
  LODE_TRY(status);
  if (format > kReceiptFormat) {
    return Fail(ErrorKind::kUnsupported, "receipt: written by a newer lode (format {}, this one reads {})", format,
                kReceiptFormat);
  }
  Receipt receipt;
  receipt.sequence = members.Number("sequence", 0, 1, std::numeric_limits<int64_t>::max() - 1);
  receipt.dataset = members.Text("dataset");
  receipt.schema = members.Text("schema");
  receipt.schema_version = static_cast<int>(members.Number("schema_version", 1, 0, kMaxInt));
  receipt.layout = members.Text("layout");
  receipt.origin = members.Text("origin");
  receipt.unit = members.Text("unit");
  receipt.request = members.Text("request");
  receipt.attempts = static_cast<int>(members.Number("attempts", 1, 0, kMaxInt));
  receipt.started_at = members.Text("started_at");
  receipt.finished_at = members.Text("finished_at");
  receipt.program = members.Text("program");
  receipt.records = members.Count("records");
  receipt.rejected = members.Count("rejected");
  receipt.quarantine = members.Text("quarantine");
  receipt.duplicates = members.Count("duplicates");
  if (receipt.sequence < 1) members.Fault("sequence");
  if (!store::IsPlainRelativePath(receipt.dataset) || receipt.dataset.find('/') != std::string::npos) {
    members.Fault("dataset");
  }
  if (!receipt.quarantine.empty() && !store::IsPlainRelativePath(receipt.quarantine)) members.Fault("quarantine");
  LODE_TRY(status);
  LODE_TRY(ReadArray(members.Find("raw_files"), ReadRawFile, &receipt.raw_files));
  LODE_TRY(ReadArray(members.Find("partitions"), ReadPartition, &receipt.partitions));
  LODE_TRY(ReadCells(members.Find("cells"), &receipt.cells));
  if (const json* removed = members.Find("removed"); removed != nullptr) {
    LODE_TRY(ReadArray(removed, ReadRemoval, &receipt.removed));
  }
  // What is deleted because a receipt says so lies where the dataset's own files do.
  for (const Removal& removal : receipt.removed) {
    const bool own = removal.path.starts_with(fmt::format("landing/{}/", receipt.dataset)) ||
                     removal.path.starts_with(fmt::format("bronze/{}/", receipt.dataset));
    if (!own) return Bad("bad value of 'removed'");
  }
  return receipt;
}

}  // namespace

Result<Receipt> ReadReceipt(std::string_view text) {
  LODE_TRY(const std::string_view body, CheckedBody(text));
  try {
    const json object = json::parse(std::string(body) + "}", nullptr, false);
    if (object.is_discarded()) return Bad("not JSON");
    return FromJson(object);
  } catch (const std::exception& error) {
    return Bad(error.what());
  }
}

}  // namespace lode::ledger
