#include <arrow/api.h>

#include <algorithm>

#include "lode/base/text.h"
#include "lode/codec/parquet_file.h"
#include "lode/codec/string_pool.h"
#include "lode/store/local_disk.h"
#include "lode/sync/instruments.h"

namespace lode::sync {
namespace {

constexpr size_t kPoolBytes = size_t{1} << 30;
constexpr std::string_view kChain = "options_chain";

// A text column of a batch.
class Texts {
 public:
  Texts(const arrow::RecordBatch& rows, const codec::StringPool& strings, const char* name)
      : array_(std::static_pointer_cast<arrow::Int32Array>(rows.GetColumnByName(name))), strings_(strings) {}
  std::string_view operator[](int64_t row) const {
    return array_->IsNull(row) ? std::string_view() : strings_.Get(array_->Value(row));
  }

 private:
  std::shared_ptr<arrow::Int32Array> array_;
  const codec::StringPool& strings_;
};

class Finder {
 public:
  explicit Finder(const TargetFilter& filter) : filter_(filter) {}

  Status Read(const std::filesystem::path& file) {
    codec::StringPool strings(kPoolBytes);
    LODE_TRY(auto rows, codec::ParquetRows::Open(file, DefinitionSchema(), &strings));
    while (true) {
      LODE_TRY(const auto batch, rows->Next());
      if (batch == nullptr) return Ok();
      LODE_TRY(Take(*batch, strings));
    }
  }

  std::vector<Target> Sorted() && {
    std::ranges::sort(targets_);
    const auto twice = std::ranges::unique(targets_);
    targets_.erase(twice.begin(), twice.end());
    return std::move(targets_);
  }

 private:
  static bool Fits(const std::set<std::string>& wanted, std::string_view has) {
    return wanted.empty() || wanted.contains(Upper(has));
  }

  Status Take(const arrow::RecordBatch& rows, const codec::StringPool& strings) {
    const auto texts = [&](const char* name) { return Texts(rows, strings, name); };
    const Texts key = texts("instrument_key"), venue = texts("venue"), exchange = texts("tardis_exchange"),
                type = texts("instrument_type"), base = texts("base_asset"), quote = texts("quote_asset"),
                from = texts("available_from_datetime"), to = texts("available_to_datetime"),
                data_types = texts("data_types"), name = texts("tardis_symbol");
    for (int64_t row = 0; row < rows.num_rows(); ++row) {
      const bool is_venue = Fits(filter_.venues, venue[row]) || Fits(filter_.venues, exchange[row]) ||
                            Fits(filter_.venues, symbol::VenueName(exchange[row], symbol::KeyStyle::kUpper));
      if (!is_venue || !Fits(filter_.bases, base[row]) || !Fits(filter_.quotes, quote[row])) continue;
      if (!filter_.types.empty()) {
        const auto own = symbol::ParseKeyType(type[row]);
        if (!own || !filter_.types.contains(*own)) continue;
      }
      LODE_TRY(const int64_t from_ns, ParseIsoNs(from[row]));
      LODE_TRY(const int64_t to_ns, ParseIsoNs(to[row]));
      Target target{.exchange = std::string(exchange[row]),
                    .data_type = {},
                    .symbol = std::string(name[row]),
                    .instrument_key = std::string(key[row]),
                    .first = DayOf(from_ns),
                    .last = DayOf(to_ns - 1)};
      if (to[row] == kStillListed) target.last.reset();
      if (filter_.first && target.last && *target.last < *filter_.first) continue;
      if (filter_.last && target.first > *filter_.last) continue;
      AddEach(std::move(target), data_types[row]);
    }
    return Ok();
  }

  void AddEach(Target target, std::string_view data_types) {
    while (!data_types.empty()) {
      const size_t comma = std::min(data_types.find(','), data_types.size());
      target.data_type = data_types.substr(0, comma);
      data_types.remove_prefix(std::min(comma + 1, data_types.size()));
      if (!filter_.data_types.empty() && !filter_.data_types.contains(target.data_type)) continue;
      if (target.data_type == kChain) {
        AddChain(target);
      } else {
        targets_.push_back(target);
      }
    }
  }

  // One file of all contracts: from the first one's day to the last one's.
  void AddChain(const Target& contract) {
    const auto chain = std::ranges::find_if(targets_, [&](const Target& target) {
      return target.data_type == kChain && target.exchange == contract.exchange;
    });
    if (chain == targets_.end()) {
      targets_.push_back(contract);
      targets_.back().symbol = "OPTIONS";
      targets_.back().instrument_key.clear();
      std::rotate(targets_.begin(), targets_.end() - 1, targets_.end());  // found at once next time
      return;
    }
    chain->first = std::min(chain->first, contract.first);
    if (chain->last) chain->last = contract.last ? std::max(*chain->last, *contract.last) : contract.last;
  }

  const TargetFilter& filter_;
  std::vector<Target> targets_;
};

}  // namespace

Result<std::vector<Target>> FindTargets(const lake::LakePaths& paths, const TargetFilter& filter) {
  LODE_TRY(const auto files, store::List(paths.root / "instruments"));
  Finder finder(filter);
  bool has_any = false;
  for (const store::FileInfo& file : files) {
    if (!file.path.ends_with(".parquet")) continue;
    has_any = true;
    if (Status read = finder.Read(paths.root / "instruments" / file.path); !read) {
      return std::unexpected(std::move(read).error().With(file.path));
    }
  }
  if (!has_any) {
    return Fail(ErrorKind::kNotFound, "{} has no instrument definitions; run `lode instruments EXCHANGE` first",
                paths.root.string());
  }
  return std::move(finder).Sorted();
}

}  // namespace lode::sync
