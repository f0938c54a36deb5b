// The files of a finished job: data files by duration (and symbol), and the files that describe them.
#include <fmt/format.h>

#include <algorithm>

#include "databento.h"
#include "databento_batch.h"
#include "encoder.h"
#include "lode/base/hashing.h"
#include "market.h"

namespace lode::vendor {
namespace {

class StringSink : public BodySink {
 public:
  bool Write(std::string_view bytes) override {
    text += bytes;
    return true;
  }
  std::string text;
};

std::string LowerCode(const std::string& dataset) {
  std::string code = Lower(dataset);
  std::ranges::replace(code, '.', '-');
  return code;
}

std::string Compact(Day day) {
  const YearMonthDay date = ToYearMonthDay(day);
  return fmt::format("{:04}{:02}{:02}", date.year, date.month, date.day);
}

// First day of the file after the one that holds `day`. A week starts on Sunday.
Day NextFile(Day day, const std::string& split, Day end) {
  const YearMonthDay date = ToYearMonthDay(day);
  if (split == "day") return day + 1;
  if (split == "week") return day + (7 - fixtures::WeekDay(day));
  if (split == "month") return date.month == 12 ? ToDay({date.year + 1, 1, 1}) : ToDay({date.year, date.month + 1, 1});
  if (split == "year") return ToDay({date.year + 1, 1, 1});
  return end;
}

Json QueryJson(const Query& query) {
  return {{"dataset", query.dataset},
          {"schema", query.schema},
          {"symbols", query.symbols},
          {"stype_in", query.stype_in},
          {"stype_out", query.stype_out},
          {"start", query.start_ns},
          {"end", query.end_ns},
          {"limit", query.limit == 0 ? Json(nullptr) : Json(query.limit)},
          {"encoding", query.encoding},
          {"compression", query.compression == "none" ? Json(nullptr) : Json(query.compression)}};
}

std::string SymbologyCsv(const Resolution& resolution) {
  std::string text = "raw_symbol,instrument_id,date\n";
  for (const auto& [symbol, intervals] : resolution.mappings) {
    for (const SymbolInterval& interval : intervals) {
      for (Day day = interval.d0; day < interval.d1; day = day + 1) {
        fmt::format_to(std::back_inserter(text), "{},{},{}\n", symbol, interval.s, FormatDay(day));
      }
    }
  }
  return text;
}

// The same selection with one of its mappings alone.
Selection OnlyMapping(const Selection& selection, uint32_t mapping) {
  Selection one = selection;
  std::erase_if(one.resolution.segments, [&](const Segment& segment) { return segment.mapping != mapping; });
  return one;
}

}  // namespace

void BatchJobs::AddDataFiles(Job& job, const Selection& selection, const std::string& symbol) {
  const Query& query = selection.query;
  Selection left = selection;  // its limit shrinks from file to file
  for (Day day = query.first_day(); day < query.last_day_exclusive();) {
    const Day next =
        std::min(NextFile(day, job.split_duration, query.last_day_exclusive()), query.last_day_exclusive());
    StringSink bytes;
    const uint64_t records = EncodeRecords(archive_, left, day, next, bytes, false);
    if (records > 0) {
      const std::string range = job.split_duration == "day" ? Compact(day) : Compact(day) + "-" + Compact(next - 1);
      File file;
      file.name =
          fmt::format("{}-{}.{}.{}{}{}", LowerCode(query.dataset), range, query.schema,
                      symbol.empty() ? "" : symbol + ".", query.encoding, query.compression == "zstd" ? ".zst" : "");
      std::ranges::replace(file.name, '/', '_');
      file.bytes = std::move(bytes.text);
      job.files.push_back(std::move(file));
    }
    if (query.limit > 0) {
      if (records >= left.query.limit) break;
      left.query.limit -= records;
    }
    day = next;
  }
}

void BatchJobs::MakeFiles(Job& job) {
  Selection& selection = job.selection;
  const Query& query = selection.query;
  const Day first = query.first_day(), end = query.last_day_exclusive();
  const Json customizations = {{"pretty_px", query.pretty_px},
                               {"pretty_ts", query.pretty_ts},
                               {"map_symbols", query.map_symbols},
                               {"split_symbols", job.split_symbols},
                               {"split_duration", job.object["split_duration"]},
                               {"split_size", nullptr},
                               {"packaging", nullptr},
                               {"delivery", "download"}};
  const auto add = [&](std::string name, std::string bytes) {
    job.files.push_back({std::move(name), std::move(bytes), ""});
  };
  job.files.clear();
  add("condition.json", ConditionJson(*selection.dataset, first, end).dump(4));
  add("metadata.json",
      Json{{"version", 1}, {"job_id", job.id()}, {"query", QueryJson(query)}, {"customizations", customizations}}.dump(
          4));
  add("symbology.json",
      SymbologyJson(selection.resolution, query.symbols, query.stype_in, query.stype_out, first, end).dump(4));
  if (query.encoding == "csv") add("symbology.csv", SymbologyCsv(selection.resolution));
  if (job.split_symbols) {
    for (uint32_t i = 0; i < selection.resolution.mappings.size(); ++i) {
      AddDataFiles(job, OnlyMapping(selection, i), selection.resolution.mappings[i].first);
    }
  } else {
    AddDataFiles(job, selection, "");
  }
  uint64_t actual = 0;
  for (File& file : job.files) {
    file.hash = Sha256Hex(file.bytes);
    actual += file.bytes.size();
  }
  const std::string manifest = Json{{"job_id", job.id()}, {"files", FilesJson(job, false)}}.dump(4);
  job.files.push_back({"manifest.json", manifest, Sha256Hex(manifest)});
  job.object["actual_size"] = actual;
  job.object["package_size"] = actual + manifest.size();
}

}  // namespace lode::vendor
