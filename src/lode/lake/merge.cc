#include "lode/lake/merge.h"

#include <arrow/api.h>

#include <algorithm>
#include <map>

#include "lode/base/stop.h"

namespace lode::lake {
namespace {

using codec::MergeRule;

constexpr size_t kOutputRows = 65'536;
constexpr size_t kMaxSources = 512;  // batches held for the output at most

// A batch that output rows may refer to.
struct Source {
  Source(const codec::TableSchema& schema, Batch rows, bool is_existing)
      : batch(std::move(rows)),
        existing(is_existing),
        days(schema, *batch),
        files(View(*batch, SourceFileIndex(schema), codec::ColumnType::kText)),
        source_rows(View(*batch, SourceRowIndex(schema), codec::ColumnType::kInt64)) {}
  int32_t FileOf(uint32_t row) const { return files.IsNull(row) ? codec::StringPool::kNull : files.Int32(row); }
  Day DayOf(uint32_t row) const { return days.At(row).value_or(Day{}); }

  Batch batch;
  bool existing;
  RowDays days;
  ColumnView files, source_rows;
};

// One stream with its current batch and position.
struct Cursor {
  std::unique_ptr<RowStream> stream;
  bool existing = false;
  Batch batch;
  RowOrder::Keys keys;
  uint32_t row = 0;
  uint32_t slot = 0;  // of `batch` in sources_
};

class Merge {
 public:
  Merge(const codec::TableSchema& schema, const codec::StringPool& strings, const MergeRules& rules,
        const std::function<Status(const Batch&)>& emit)
      : schema_(schema), order_(schema, strings), rules_(rules), emit_(emit) {}

  Status AddStream(std::unique_ptr<RowStream> stream, bool existing) {
    auto cursor = std::make_unique<Cursor>();
    cursor->stream = std::move(stream);
    cursor->existing = existing;
    LODE_TRY(const bool more, Load(*cursor));
    if (more) cursors_.push_back(std::move(cursor));
    return Ok();
  }

  Result<MergeCounts> Run() {
    while (!cursors_.empty()) {
      const auto [smallest, limit] = TwoSmallest();
      if (limit == nullptr || CompareCurrent(*smallest, *limit) < 0) {
        LODE_TRY(CopyUntil(*smallest, limit));
      } else {
        LODE_TRY(TakeGroup(*smallest));
        Resolve();
      }
      if (output_.size() >= kOutputRows || sources_.size() >= kMaxSources) LODE_TRY(Flush());
    }
    LODE_TRY(Flush());
    return std::move(counts_);
  }

 private:
  // Moves a cursor to its next batch; false at the end of the stream.
  Result<bool> Load(Cursor& cursor) {
    LODE_TRY(CheckStop());
    LODE_TRY(cursor.batch, cursor.stream->Next());
    if (cursor.batch == nullptr) return false;
    cursor.keys = order_.Bind(*cursor.batch);
    cursor.row = 0;
    AddSource(cursor);
    return true;
  }

  void AddSource(Cursor& cursor) {
    sources_.emplace_back(schema_, cursor.batch, cursor.existing);
    cursor.slot = static_cast<uint32_t>(sources_.size() - 1);
  }

  Result<bool> Advance(Cursor& cursor) {
    if (++cursor.row < cursor.batch->num_rows()) return true;
    return Load(cursor);
  }

  int CompareCurrent(const Cursor& a, const Cursor& b) const { return order_.Compare(a.keys, a.row, b.keys, b.row); }

  // Few streams: a scan beats a heap.
  std::pair<Cursor*, Cursor*> TwoSmallest() const {
    Cursor *first = nullptr, *second = nullptr;
    for (const auto& cursor : cursors_) {
      if (first == nullptr || CompareCurrent(*cursor, *first) < 0) {
        second = first;
        first = cursor.get();
      } else if (second == nullptr || CompareCurrent(*cursor, *second) < 0) {
        second = cursor.get();
      }
    }
    return {first, second};
  }

  // Copies rows of one stream while they are below every other stream's. The last row of a batch waits: only the next
  // batch tells whether its key occurs again.
  Status CopyUntil(Cursor& cursor, const Cursor* limit) {
    const auto last = static_cast<uint32_t>(cursor.batch->num_rows() - 1);
    const bool by_key = schema_.merge != MergeRule::kReplaceCells;
    const Source& source = sources_[cursor.slot];
    const bool alone = limit == nullptr && !MayBeReplaced(source);
    if (alone) CopyAlone(cursor, last, by_key);
    while (!alone && cursor.row < last && output_.size() < kOutputRows) {
      if (by_key && order_.SameKey(cursor.keys, cursor.row, cursor.keys, cursor.row + 1)) break;
      if (!Replaced(source, cursor.row)) output_.push_back({cursor.slot, cursor.row});
      ++cursor.row;
      if (limit != nullptr && CompareCurrent(cursor, *limit) >= 0) return Ok();
    }
    if (output_.size() >= kOutputRows) return Ok();
    LODE_TRY(TakeGroup(cursor));
    Resolve();
    return Ok();
  }

  // The same where no other stream is left and no row gives way to another delivery's.
  void CopyAlone(Cursor& cursor, uint32_t last, bool by_key) {
    const auto room = static_cast<uint32_t>(kOutputRows - std::min(kOutputRows, output_.size()));
    const uint32_t end = std::min(last, cursor.row + room);
    const uint32_t stop = by_key ? order_.NextTie(cursor.keys, cursor.row, end) : end;
    for (; cursor.row < stop; ++cursor.row) output_.push_back({cursor.slot, cursor.row});
  }

  bool MayBeReplaced(const Source& source) const { return source.existing && rules_.replaced != nullptr; }

  bool Replaced(const Source& source, uint32_t row) const {
    return MayBeReplaced(source) && rules_.replaced(*source.batch, row, source.FileOf(row), source.DayOf(row));
  }

  // Pops all rows whose key equals the cursor's into group_.
  Status TakeGroup(const Cursor& smallest) {
    group_.clear();
    // The batch may be replaced while its stream advances; the group keeps its own hold on the key.
    const Batch key_batch = smallest.batch;
    const RowOrder::Keys key = smallest.keys;
    const uint32_t key_row = smallest.row;
    for (size_t i = 0; i < cursors_.size();) {
      Cursor& cursor = *cursors_[i];
      bool more = true;
      while (more && order_.SameKey(cursor.keys, cursor.row, key, key_row)) {
        group_.push_back({cursor.slot, cursor.row});
        LODE_TRY(more, Advance(cursor));
      }
      if (more)
        ++i;
      else
        cursors_.erase(cursors_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return Ok();
  }

  Precedence PrecedenceOf(RowRef ref) const {
    const Source& source = sources_[ref.batch];
    return rules_.precedence(source.FileOf(ref.row), source.DayOf(ref.row));
  }

  void Resolve() {
    std::erase_if(group_, [&](RowRef ref) { return Replaced(sources_[ref.batch], ref.row); });
    if (schema_.merge == MergeRule::kReplaceCells) {
      output_.insert(output_.end(), group_.begin(), group_.end());
      return;
    }
    if (group_.size() > 1) RefuseContradictions();
    const RowRef* best = nullptr;
    Precedence best_precedence;
    for (const RowRef& ref : group_) {
      const Precedence precedence = PrecedenceOf(ref);
      if (best == nullptr || precedence > best_precedence) {
        best = &ref;
        best_precedence = precedence;
      } else if (precedence == best_precedence) {
        ++counts_.duplicates;
      }
    }
    if (best != nullptr) output_.push_back(*best);
  }

  // Rows of one receipt with this key and different values contradict each other: none of them is believed.
  void RefuseContradictions() {
    struct Claim {
      RowRef first;
      bool contradicted = false;
    };
    std::map<int64_t, Claim> claims;  // by receipt
    for (const RowRef ref : group_) {
      if (sources_[ref.batch].existing) continue;
      const auto [claim, added] = claims.try_emplace(PrecedenceOf(ref).sequence, Claim{ref});
      if (added) continue;
      const RowRef first = claim->second.first;
      const bool same =
          SameValues(schema_, *sources_[first.batch].batch, first.row, *sources_[ref.batch].batch, ref.row);
      claim->second.contradicted |= !same;
    }
    std::erase_if(group_, [&](RowRef ref) {
      const Source& source = sources_[ref.batch];
      if (source.existing || !claims.at(PrecedenceOf(ref).sequence).contradicted) return false;
      const std::string key = order_.Describe(order_.Bind(*source.batch), ref.row);
      rules_.conflict(source.FileOf(ref.row), source.source_rows.Int64(ref.row), key);
      return true;
    });
  }

  Status Flush() {
    if (!output_.empty()) {
      std::vector<Batch> batches;
      for (const Source& source : sources_) batches.push_back(source.batch);
      LODE_TRY(const Batch rows, GatherRows(batches, output_));
      if (counts_.rows == 0) counts_.min_key = order_.Describe(order_.Bind(*rows), 0);
      counts_.max_key = order_.Describe(order_.Bind(*rows), static_cast<uint32_t>(rows->num_rows() - 1));
      counts_.rows += rows->num_rows();
      LODE_TRY(emit_(rows));
      output_.clear();
    }
    // Only the batches that cursors still stand on are needed from here.
    sources_.clear();
    for (const auto& cursor : cursors_) AddSource(*cursor);
    return Ok();
  }

  const codec::TableSchema& schema_;
  RowOrder order_;
  const MergeRules& rules_;
  const std::function<Status(const Batch&)>& emit_;
  std::vector<std::unique_ptr<Cursor>> cursors_;
  std::vector<Source> sources_;  // batches that output_, group_ and cursors refer to
  std::vector<RowRef> group_;    // rows with the key in hand
  std::vector<RowRef> output_;
  MergeCounts counts_;
};

}  // namespace

Result<MergeCounts> MergeStreams(const codec::TableSchema& schema, const codec::StringPool& strings,
                                 std::unique_ptr<RowStream> existing, std::vector<std::unique_ptr<RowStream>> incoming,
                                 const MergeRules& rules, const std::function<Status(const Batch&)>& emit) {
  Merge merge(schema, strings, rules, emit);
  if (existing != nullptr) LODE_TRY(merge.AddStream(std::move(existing), true));
  for (auto& stream : incoming) LODE_TRY(merge.AddStream(std::move(stream), false));
  return merge.Run();
}

}  // namespace lode::lake
