#include "lode/lake/import_decode.h"

#include <arrow/api.h>

#include <algorithm>
#include <set>

#include "lode/base/stop.h"
#include "lode/codec/arrow_result.h"
#include "lode/store/local_disk.h"

namespace lode::lake {
namespace {

using codec::FromArrow;
using source::files::DataFile;
using source::files::Encoding;

constexpr int64_t kBatchBytes = int64_t{4} << 20;
constexpr size_t kMaxSlices = 8;  // runs of one batch that are cut without copying; more are gathered
constexpr uint64_t kMaxSymbologyBytes = uint64_t{1} << 30;

// Reports raw bytes as they are read.
class CountingSource : public codec::ByteSource {
 public:
  CountingSource(std::unique_ptr<codec::ByteSource> source, const UnitContext& context)
      : source_(std::move(source)), context_(context) {}
  Result<size_t> Read(std::span<std::byte> out) override {
    auto read = source_->Read(out);
    if (read) context_.progress(*read, 0);
    return read;
  }

 private:
  std::unique_ptr<codec::ByteSource> source_;
  const UnitContext& context_;
};

Result<std::unique_ptr<codec::ByteSource>> OpenCounted(const fs::path& path, const UnitContext& context) {
  LODE_TRY(const codec::Magic magic, codec::SniffFile(path));
  LODE_TRY(auto file, codec::OpenFile(path));
  std::unique_ptr<codec::ByteSource> bytes = std::make_unique<CountingSource>(std::move(file), context);
  if (magic == codec::Magic::kZstd || magic == codec::Magic::kSkippableZstd) return codec::OpenZstd(std::move(bytes));
  if (magic == codec::Magic::kGzip) return codec::OpenGzip(std::move(bytes));
  return bytes;
}

int64_t BatchRows(const codec::TableSchema& schema) {
  const auto row_bytes = static_cast<int64_t>(schema.columns.size()) * 8;
  return std::clamp<int64_t>(kBatchBytes / row_bytes, 1024, 65'536);
}

// One file on its way into the sorter.
class FileDecode {
 public:
  FileDecode(const UnitContext& context, const Unit& unit, const UnitFile& input, codec::StringPool& strings,
             UnitRows& rows, DecodedUnit& out)
      : context_(context), unit_(unit), input_(input), strings_(strings), rows_(rows), out_(out) {
    decoded_.file = input.file;
  }

  Status Run(const fs::path& path) {
    codec::SymbologyMap symbology;
    const bool text = input_.file->encoding == Encoding::kCsv || input_.file->encoding == Encoding::kNdjson;
    const bool mapped = input_.delivery->query && input_.delivery->query->map_symbols;
    if (text && !mapped && input_.delivery->symbology) {
      LODE_TRY(const std::string json, store::ReadFile(*input_.delivery->symbology, kMaxSymbologyBytes));
      LODE_TRY(symbology, codec::ParseSymbologyJson(json, strings_));
    }
    // A mixed capture is read once a schema; its messages are told once.
    const codec::DecodeContext decode{.strings = &strings_,
                                      .bad_records = &bad_records_,
                                      .batch_rows = BatchRows(*context_.schema),
                                      .gateway_notices = input_.file->schemas.front() == context_.schema};
    LODE_TRY(auto bytes, OpenCounted(path, context_));
    DataFile file = *input_.file;
    file.path = path;
    LODE_TRY(auto decoder, source::files::OpenDecoder(file, *context_.schema, symbology.empty() ? nullptr : &symbology,
                                                      input_.record.mapping, std::move(bytes), decode));
    const bool is_answer = input_.from_wire && input_.delivery->query;  // not a repair: it was checked when it came
    if (is_answer) LODE_TRY(CheckAnswer(decoder->facts()));
    LODE_TRY(SetSymbols(decoder->facts()));
    renumber_ = input_.from_wire && context_.schema->merge == codec::MergeRule::kReplaceCells;
    LODE_TRY(source_id_, strings_.Intern(renumber_ ? SourceLabelOfSymbol(symbols_.front())
                                                   : SourceLabel(context_.writer->dataset(), input_.record)));
    while (true) {
      LODE_TRY(CheckStop());
      rows_.BeginBatch();
      LODE_TRY(auto batch, decoder->Next());
      if (!batch) break;
      LODE_TRY(Take(batch->rows));
      if (rows_.out_of_order()) return Ok();
    }
    decoded_.stream = decoder->facts();
    Finish();
    return Ok();
  }

 private:
  // A sound stream may still answer another question: what its own header says must be what was asked.
  Status CheckAnswer(const codec::StreamFacts& facts) const {
    const source::databento::Query& query = *input_.delivery->query;
    const auto is_other = [](const std::string& has, const std::string& asked) { return !has.empty() && has != asked; };
    std::string other;
    if (is_other(facts.dataset, query.dataset)) other = facts.dataset;
    if (is_other(facts.schema, query.schema)) other = facts.schema;
    if (is_other(facts.stype_in, query.stype_in)) other = facts.stype_in;
    const std::set<std::string> asked(query.symbols.begin(), query.symbols.end());
    const std::set<std::string> has(facts.symbols.begin(), facts.symbols.end());
    if (!has.empty() && has != asked && !asked.contains("ALL_SYMBOLS")) {
      other = fmt::format("symbols {}", fmt::join(has, ","));
    }
    const bool starts_late = facts.start_ns && query.start_ns && *facts.start_ns > *query.start_ns;
    const bool ends_early = facts.end_ns && query.end_ns && *facts.end_ns < *query.end_ns;
    if (starts_late || ends_early) other = "another range of time";
    if (other.empty()) return Ok();
    return Fail(ErrorKind::kBadInput, "the answer is for {}, which was not asked for", other);
  }

  Status SetSymbols(const codec::StreamFacts& facts) {
    symbols_ = CellSymbols(*input_.delivery, *input_.file, facts);
    stype_in_ = input_.delivery->query ? input_.delivery->query->stype_in : facts.stype_in;
    symbol_index_ = codec::DecodedSchema(*context_.schema)->GetFieldIndex(context_.schema->symbol_column);
    if (input_.from_wire && symbols_.size() > 1 && context_.schema->merge == codec::MergeRule::kReplaceCells) {
      return Fail(ErrorKind::kInternal, "a request for events of {} symbols", symbols_.size());
    }
    if (context_.layout->has_symbol() && symbols_.size() > 1) {
      return Fail(ErrorKind::kConfig, "layout '{}' has {{symbol}}, and this file answers for {} symbols",
                  context_.layout->text(), symbols_.size());
    }
    return Ok();
  }

  // Adds the source_file column, counts rows by day and routes them to their partitions.
  Status Take(const Batch& decoded) {
    arrow::ArrayVector columns = decoded->columns();
    LODE_TRY(auto source_file, SourceFileColumn(decoded->num_rows()));
    columns.push_back(std::move(source_file));
    Batch rows = arrow::RecordBatch::Make(StoredArrowSchema(), decoded->num_rows(), std::move(columns));
    context_.progress(0, rows->num_rows());
    if (renumber_) {
      LODE_TRY(rows, Renumber(rows));
    }

    const RowDays days(*context_.schema, *rows);
    std::map<std::string, std::vector<RowRange>> taken;
    const auto end = static_cast<uint32_t>(rows->num_rows());
    for (uint32_t row = 0; row < end;) {
      const uint32_t first = row;
      row = days.EndOfDay(first, end);
      const auto day = days.At(first);
      if (!day || !IsOfTheFile(*day)) {
        for (uint32_t rejected = first; rejected < row; ++rejected) RejectRow(*rows, rejected, day);
        continue;
      }
      CountRows(*rows, *day, first, row);
      if (input_.only_days && !input_.only_days->contains(*day)) continue;
      if (const std::string& partition = PartitionOf(*day); !partition.empty()) {
        AddCurrent(*rows, *day, {first, row}, taken[partition]);
      }
    }
    for (const auto& [partition, ranges] : taken) LODE_TRY(AddToPartition(partition, rows, ranges));
    return Ok();
  }

  struct RowRange {
    uint32_t first, last;  // [first, last)
  };

  // Rows of one day but those that a later answer made outdated.
  void AddCurrent(const arrow::RecordBatch& rows, Day day, RowRange range, std::vector<RowRange>& taken) {
    const auto add = [&](uint32_t first, uint32_t last) {
      if (!taken.empty() && taken.back().last == first) {
        taken.back().last = last;
      } else {
        taken.push_back({first, last});
      }
    };
    const auto outdated = input_.outdated.find(day);
    if (outdated == input_.outdated.end()) return add(range.first, range.last);
    for (uint32_t row = range.first; row < range.last; ++row) {
      if (!IsOutdated(rows, row, outdated->second)) add(row, row + 1);
    }
  }

  // source_row counts from 0 on each day: the records of a symbol and day are the same in whatever requests they come.
  Result<Batch> Renumber(const Batch& rows) {
    const RowDays days(*context_.schema, *rows);
    const auto end = static_cast<uint32_t>(rows->num_rows());
    LODE_TRY(std::shared_ptr<arrow::Buffer> numbers,
             FromArrow(arrow::AllocateBuffer(rows->num_rows() * static_cast<int64_t>(sizeof(int64_t))), "number rows"));
    auto* const out = reinterpret_cast<int64_t*>(numbers->mutable_data());
    for (uint32_t row = 0; row < end;) {
      const uint32_t first = row;
      row = days.EndOfDay(first, end);
      const auto day = days.At(first);
      int64_t& next = next_number_[day.value_or(Day{INT32_MIN})];
      for (uint32_t i = first; i < row; ++i) out[i] = next++;
    }
    const int column = SourceRowIndex(*context_.schema);
    auto array =
        arrow::MakeArray(arrow::ArrayData::Make(arrow::int64(), rows->num_rows(), {nullptr, std::move(numbers)}, 0));
    return FromArrow(rows->SetColumn(column, rows->schema()->field(column), std::move(array)), "number rows");
  }

  // The same id for every row; batches share its memory.
  Result<std::shared_ptr<arrow::Array>> SourceFileColumn(int64_t rows) {
    if (source_file_ == nullptr || source_file_->length() < rows) {
      LODE_TRY(source_file_,
               FromArrow(arrow::MakeArrayFromScalar(arrow::Int32Scalar(source_id_), rows), "name the raw file"));
    }
    return source_file_->Slice(0, rows);
  }

  Status AddToPartition(const std::string& partition, const Batch& rows, const std::vector<RowRange>& ranges) {
    if (ranges.size() > kMaxSlices) {
      std::vector<RowRef> refs;
      for (const RowRange& range : ranges) {
        for (uint32_t row = range.first; row < range.last; ++row) refs.push_back({0, row});
      }
      LODE_TRY(Batch gathered, GatherRows(std::span(&rows, 1), refs));
      return rows_.Add(partition, std::move(gathered));
    }
    for (const RowRange& range : ranges) {
      LODE_TRY(rows_.Add(partition, rows->Slice(range.first, int64_t{range.last} - range.first)));
    }
    return Ok();
  }

  // Path of the day's partition; empty when this unit does not write it.
  const std::string& PartitionOf(Day day) {
    if (last_day_ && *last_day_ == day) return last_partition_;
    last_day_ = day;
    last_partition_ = context_.layout->PathOf(day, symbols_.front());
    if (unit_.only_partitions && !unit_.only_partitions->contains(last_partition_)) last_partition_.clear();
    return last_partition_;
  }

  void CountRows(const arrow::RecordBatch& rows, Day day, uint32_t first, uint32_t last) {
    DayRows& counts = decoded_.days[day];
    counts.rows += last - first;
    if (context_.schema->merge == codec::MergeRule::kReplaceCells) CountInstruments(rows, day, first, last);
    if (symbols_.size() == 1) {
      counts.by_symbol[0] += last - first;
      return;
    }
    const ColumnView ids = View(rows, symbol_index_, codec::ColumnType::kText);
    for (uint32_t row = first; row < last; ++row) {
      const auto symbol = ids.IsNull(row) ? std::nullopt : AttributionOf(ids.Int32(row));
      if (symbol)
        ++counts.by_symbol[*symbol];
      else
        ++counts.unattributed;
    }
  }

  void CountInstruments(const arrow::RecordBatch& rows, Day day, uint32_t first, uint32_t last) {
    const int column = rows.schema()->GetFieldIndex("instrument_id");
    if (column < 0) return;
    const ColumnView ids = View(rows, column, codec::ColumnType::kInt64);
    std::set<int64_t>& seen = out_.instruments[day];
    int64_t previous = -1;
    for (uint32_t row = first; row < last; ++row) {
      if (ids.Int64(row) != previous) seen.insert(ids.Int64(row));
      previous = ids.Int64(row);
    }
  }

  bool IsOutdated(const arrow::RecordBatch& rows, uint32_t row, const std::set<std::string>& symbols) {
    if (symbols_.size() == 1) return symbols.contains(symbols_.front());
    const ColumnView ids = View(rows, symbol_index_, codec::ColumnType::kText);
    const auto symbol = ids.IsNull(row) ? std::nullopt : AttributionOf(ids.Int32(row));
    return symbol && symbols.contains(symbols_[*symbol]);
  }

  std::optional<size_t> AttributionOf(int32_t symbol_id) {
    const auto [found, added] = attribution_.try_emplace(symbol_id);
    if (added) found->second = AttributeSymbol(symbols_, stype_in_, strings_.Get(symbol_id));
    return found->second;
  }

  // A file whose name says its days answers for them alone: a stray row of another day must not stand for that day, let
  // alone replace it.
  bool IsOfTheFile(Day day) const {
    const auto& name = input_.file->name_facts;
    return !name.first || (*name.first <= day && day <= *name.last);
  }

  void RejectRow(const arrow::RecordBatch& rows, uint32_t row, std::optional<Day> day) {
    codec::BadRecord record;
    record.source_row = View(rows, SourceRowIndex(*context_.schema), codec::ColumnType::kInt64).Int64(row);
    record.reason =
        day ? fmt::format("{} is of {}, the file of another day", context_.schema->day_column, FormatDay(*day))
            : fmt::format("no usable time in {}", context_.schema->day_column);
    bad_records_.Add(std::move(record));
  }

  void Finish() {
    for (const codec::BadRecord& record : bad_records_.kept()) out_.rejected.push_back({input_.record.name, record});
    out_.records += decoded_.stream.records;
    out_.rejected_count += decoded_.rejected = bad_records_.count();
    // Which day a rejected record belonged to is unknown; every day of the file carries the remark.
    if (bad_records_.count() > 0) {
      for (auto& [day, rows] : decoded_.days) rows.rejected = bad_records_.count();
    }
    out_.files.push_back(std::move(decoded_));
    out_.source_ids.push_back(source_id_);
  }

  const std::shared_ptr<arrow::Schema>& StoredArrowSchema() {
    if (stored_ == nullptr) stored_ = codec::StoredSchema(*context_.schema);
    return stored_;
  }

  const UnitContext& context_;
  const Unit& unit_;
  const UnitFile& input_;
  codec::StringPool& strings_;
  UnitRows& rows_;
  DecodedUnit& out_;
  DecodedFile decoded_;
  codec::BadRecords bad_records_;
  std::shared_ptr<arrow::Schema> stored_;
  std::vector<std::string> symbols_;
  std::string stype_in_;
  int symbol_index_ = -1;
  int32_t source_id_ = codec::StringPool::kNull;
  bool renumber_ = false;
  std::map<Day, int64_t> next_number_;
  std::shared_ptr<arrow::Array> source_file_;
  std::map<int32_t, std::optional<size_t>> attribution_;
  std::optional<Day> last_day_;
  std::string last_partition_;
};

}  // namespace

std::string SourceLabel(std::string_view dataset, const ledger::RawFile& record) {
  if (record.in_place) return record.landed;
  std::string_view label = record.landed;
  const std::string folder = fmt::format("landing/{}/", dataset);
  if (label.starts_with(folder)) label.remove_prefix(folder.size());
  constexpr std::string_view kLoose = "files/";
  if (label.starts_with(kLoose)) label.remove_prefix(kLoose.size());
  return std::string(label);
}

std::string SourceLabelOfSymbol(std::string_view symbol) { return fmt::format("api:{}", symbol); }

namespace {

// Takes back what one pass over the files reported.
class PassProgress {
 public:
  explicit PassProgress(const UnitContext& context) : outer_(context), context_(context) {
    context_.progress = [this](uint64_t bytes, int64_t rows) {
      bytes_ += bytes;
      rows_ += rows;
      outer_.progress(bytes, rows);
    };
  }
  const UnitContext& context() const { return context_; }
  void TakeBack() const { outer_.progress(0 - bytes_, -rows_); }

 private:
  const UnitContext& outer_;
  UnitContext context_;
  uint64_t bytes_ = 0;
  int64_t rows_ = 0;
};

Result<DecodedUnit> DecodeOnce(const UnitContext& context, const Unit& unit, const std::vector<fs::path>& paths,
                               codec::StringPool& strings, UnitRows& rows) {
  DecodedUnit out;
  for (size_t i = 0; i < unit.files.size() && !rows.out_of_order(); ++i) {
    FileDecode decode(context, unit, unit.files[i], strings, rows, out);
    if (auto status = decode.Run(paths[i]); !status) {
      return std::unexpected(std::move(status).error().With(unit.files[i].record.name));
    }
  }
  if (!rows.out_of_order()) LODE_TRY(rows.Finish());
  return out;
}

}  // namespace

Result<DecodedUnit> DecodeUnit(const UnitContext& context, const Unit& unit, const std::vector<fs::path>& paths,
                               codec::StringPool& strings, UnitRows& rows) {
  const PassProgress pass(context);
  auto decoded = DecodeOnce(pass.context(), unit, paths, strings, rows);
  if (!rows.out_of_order()) return decoded;
  pass.TakeBack();
  rows.Reset();
  return DecodeOnce(context, unit, paths, strings, rows);
}

}  // namespace lode::lake
