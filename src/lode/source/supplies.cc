#include <array>

#include "lode/source/databento/supply.h"
#include "lode/source/fred/supply.h"
#include "lode/source/polygon/flat_file.h"
#include "lode/source/polygon/flat_file_supply.h"
#include "lode/source/polygon/rest.h"
#include "lode/source/supply.h"
#include "lode/source/tardis/supply.h"

namespace lode::source {
namespace {

struct Entry {
  std::string_view source;
  Result<std::unique_ptr<Supply>> (*open)(const Config&, const DatasetConfig&, net::Client&);
  // Which of the source's datasets it is for; nullptr: all.
  bool (*serves)(const DatasetConfig&) = nullptr;
  const char* default_symbol = nullptr;
  std::optional<YearMonthDay> start = {};  // of its data, where one asks for all of them
  const char* calendar = nullptr;          // whose sessions its days are; nullptr: the vendor lists its days itself
};

bool IsRest(const DatasetConfig& dataset) { return !dataset.rest.empty(); }
bool IsFlatFile(const DatasetConfig& dataset) { return !dataset.flat_file.empty(); }

// A vendor adds one line here.
constexpr std::array kSupplies = std::to_array<Entry>({
    {"databento", databento::OpenSupply},
    {"fred", fred::OpenSupply, nullptr, nullptr, YearMonthDay{1776, 7, 4}},
    {"polygon", polygon::OpenFlatFiles, IsFlatFile, polygon::kAllSymbols, {}, "XNYS"},
    {"polygon", polygon::OpenRest, polygon::IsPerTicker},
    {"polygon", polygon::OpenRest, IsRest, polygon::kAllSymbols},
    {"tardis", tardis::OpenSupply},
});

const Entry* FindEntry(const DatasetConfig& dataset) {
  for (const Entry& entry : kSupplies) {
    if (entry.source == dataset.source && (entry.serves == nullptr || entry.serves(dataset))) return &entry;
  }
  return nullptr;
}

}  // namespace

bool HasSupply(const DatasetConfig& dataset) { return FindEntry(dataset) != nullptr; }

std::optional<Day> DefaultStart(const DatasetConfig& dataset) {
  const Entry* entry = FindEntry(dataset);
  return entry != nullptr && entry->start ? std::optional(ToDay(*entry->start)) : std::nullopt;
}

bool IsSnapshot(const DatasetConfig& dataset) { return dataset.source == "polygon" && polygon::IsSnapshot(dataset); }

std::string CalendarOf(const DatasetConfig& dataset) {
  const Entry* entry = FindEntry(dataset);
  if (entry == nullptr || entry->calendar == nullptr) return {};
  return dataset.calendar.empty() ? entry->calendar : dataset.calendar;
}

std::vector<std::string> DefaultSymbols(const DatasetConfig& dataset) {
  const Entry* entry = FindEntry(dataset);
  if (entry == nullptr || entry->default_symbol == nullptr) return {};
  return {entry->default_symbol};
}

Result<std::unique_ptr<Supply>> OpenSupply(const Config& config, const DatasetConfig& dataset, net::Client& client) {
  if (const Entry* entry = FindEntry(dataset)) return entry->open(config, dataset, client);
  return Fail(ErrorKind::kUnsupported,
              "dataset {}: source '{}' cannot be asked over the wire yet; `lode import` takes its files", dataset.name,
              dataset.source.empty() ? "files" : dataset.source);
}

}  // namespace lode::source
