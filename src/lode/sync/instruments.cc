#include "lode/sync/instruments.h"

#include <arrow/api.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "lode/codec/parquet_file.h"
#include "lode/codec/string_pool.h"
#include "lode/lake/disk_guard.h"
#include "lode/net/waits.h"
#include "lode/source/tardis/api.h"
#include "lode/source/tardis/terms.h"
#include "lode/store/local_disk.h"
#include "lode/symbol/raw_instrument.h"

namespace lode::sync {
namespace {

using codec::Column;
using codec::ColumnType;
using codec::StringPool;
using source::tardis::SymbolInfo;
using source::tardis::Terms;
using symbol::InstrumentKey;
using symbol::KeyType;

constexpr size_t kMostReasons = 5;
constexpr size_t kPoolBytes = size_t{512} << 20;
constexpr int64_t kBatchRows = 65'536;
// Of contracts whose terms are unknown: when crypto exchanges settle.
constexpr std::string_view kExpiryTime = "T08:00:00.000Z";

enum ColumnIndex {
  kKey,
  kVenue,
  kType,
  kFrom,
  kTo,
  kDataTypes,
  kBase,
  kQuote,
  kSettle,
  kRaw,
  kTardisSymbol,
  kTardisExchange,
  kProvider,
  kVenueType,
  kAssetClass,
  kInverse,
  kSymbolType,
  kContractType,
  kStrike,
  kOptionType,
  kExpiry,
  kContractSize,
  kTick,
  kSettlementType,
  kUnderlying,
  kMinSize,
  kCcxtSymbol,
  kCcxtExchange,
  kColumns
};

// One instrument; texts are ids of the pool, kNull where there is none.
struct Row {
  int32_t texts[kColumns];
  double contract_size = 0;
  bool has_contract_size = false, is_inverse = false;
};

// Interns with a look at the text before.
class LastText {
 public:
  Result<int32_t> Intern(StringPool& strings, std::string_view text) {
    if (id_ != StringPool::kNull && text == text_) return id_;
    LODE_TRY(id_, strings.Intern(text));
    text_ = text;
    return id_;
  }

 private:
  std::string text_;
  int32_t id_ = StringPool::kNull;
};

class Table {
 public:
  explicit Table(const DefinitionsRequest& request)
      : request_(request), schema_(DefinitionSchema()), strings_(kPoolBytes) {}

  void Clear() {
    rows_.clear();
    index_.clear();
    unmatched_.clear();
    next_ = 0;
    report_ = {};
  }

  Status AddSymbol(const SymbolInfo& info) {
    if (source::tardis::IsGrouped(info.id)) return Ok();
    const std::string name = source::tardis::DatasetSymbol(info.id);
    Row row;
    std::ranges::fill(row.texts, StringPool::kNull);
    LODE_TRY(row.texts[kTardisSymbol], strings_.Append(name));
    row.texts[kRaw] = row.texts[kTardisSymbol];
    if (name != info.id) {
      LODE_TRY(row.texts[kRaw], strings_.Append(info.id));
    }
    LODE_TRY(row.texts[kSymbolType], types_.Intern(strings_, info.type));
    LODE_TRY(row.texts[kFrom], since_.Intern(strings_, info.available_since));
    if (!info.available_to.empty()) {
      LODE_TRY(row.texts[kTo], to_.Intern(strings_, info.available_to));
    }
    rows_.push_back(row);
    return Ok();
  }

  Status AddDataset(const SymbolInfo& info) {
    if (info.id == "OPTIONS") has_chain_ = fmt::format(",{},", info.data_types).contains(",options_chain,");
    if (source::tardis::IsGrouped(info.id)) return Ok();
    LODE_TRY(const int32_t types, data_types_.Intern(strings_, info.data_types));
    if (Row* row = Find(info.id)) {
      row->texts[kDataTypes] = types;
    } else {
      unmatched_.emplace_back(std::string(info.id), types);
    }
    return Ok();
  }

  // What only the vendor's instruments know.
  Status AddTerms(const Terms& terms) {
    Row* const found = Find(source::tardis::DatasetSymbol(terms.id));
    if (found == nullptr) return Ok();
    Row& row = *found;
    LODE_TRY(row.texts[kTick], InternIfAny(terms.tick));
    LODE_TRY(row.texts[kMinSize], InternIfAny(terms.min_size));
    LODE_TRY(row.texts[kContractType], InternIfAny(terms.contract_type));
    LODE_TRY(row.texts[kSettle], InternIfAny(terms.settlement));
    LODE_TRY(row.texts[kExpiry], InternIfAny(terms.expiry));
    LODE_TRY(row.texts[kBase], InternIfAny(terms.base));
    LODE_TRY(row.texts[kQuote], InternIfAny(terms.quote));
    LODE_TRY(row.texts[kStrike], InternIfAny(terms.strike));
    LODE_TRY(row.texts[kOptionType], InternIfAny(terms.option_type));
    row.has_contract_size = terms.multiplier.has_value();
    row.contract_size = terms.multiplier.value_or(0);
    return Ok();
  }

  // Keys, and what follows from them. Rows without one are counted and left out.
  Status Key() {
    for (const auto& [name, types] : unmatched_) {
      if (Row* row = Find(name)) row->texts[kDataTypes] = types;
    }
    index_.clear();
    LODE_TRY(MakeConstants());
    for (size_t i = 0; i < rows_.size(); ++i) {
      Row& row = rows_[i];
      auto key = symbol::KeyOf(RawOf(row));
      if (!key) {
        ++report_.unreadable;
        if (report_.why.size() < kMostReasons) report_.why.push_back(key.error().message);
        continue;
      }
      LODE_TRY(Complete(row, *key));
      order_.push_back(static_cast<uint32_t>(i));
    }
    std::ranges::sort(order_, {}, [this](uint32_t i) { return strings_.Get(rows_[i].texts[kKey]); });
    LODE_TRY(MergeTwins());
    for (const uint32_t i : order_) ++report_.by_type[std::string(strings_.Get(rows_[i].texts[kSymbolType]))];
    report_.instruments = static_cast<int64_t>(order_.size());
    return Ok();
  }

  Result<codec::WrittenFile> Write(const std::filesystem::path& file) {
    LODE_TRY(auto writer,
             codec::ParquetWriter::Create(file, schema_, {"instruments", request_.exchange + ".parquet"}, strings_));
    for (size_t begin = 0; begin < order_.size(); begin += kBatchRows) {
      const size_t count = std::min<size_t>(kBatchRows, order_.size() - begin);
      LODE_TRY(const auto batch, BatchOf(std::span(order_).subspan(begin, count)));
      LODE_TRY(writer->Write(*batch));
    }
    return writer->Close();
  }

  DefinitionsReport& report() { return report_; }

 private:
  Result<int32_t> InternIfAny(std::string_view text) {
    if (text.empty()) return StringPool::kNull;
    return strings_.Intern(text);
  }
  std::string_view TextOf(const Row& row, ColumnIndex column) const {
    return row.texts[column] == StringPool::kNull ? std::string_view() : strings_.Get(row.texts[column]);
  }

  // The vendor lists instruments everywhere in the same order: mostly it is the next one.
  Row* Find(std::string_view name) {
    if (next_ >= rows_.size()) next_ = 0;
    if (next_ < rows_.size() && strings_.Get(rows_[next_].texts[kTardisSymbol]) == name) return &rows_[next_++];
    if (index_.empty()) {
      index_.reserve(rows_.size());
      for (size_t i = 0; i < rows_.size(); ++i) index_.emplace(strings_.Get(rows_[i].texts[kTardisSymbol]), i);
    }
    const auto found = index_.find(name);
    if (found == index_.end()) return nullptr;
    next_ = found->second + 1;
    return &rows_[found->second];
  }

  // One id listed again is one instrument, from the first day to the last; two ids of one key are an error.
  Status MergeTwins() {
    size_t kept = 0;
    for (size_t i = 0; i < order_.size(); ++i) {
      const Row& row = rows_[order_[i]];
      if (kept > 0) {
        Row& before = rows_[order_[kept - 1]];
        if (strings_.Get(before.texts[kKey]) == strings_.Get(row.texts[kKey])) {
          if (strings_.Get(before.texts[kRaw]) != strings_.Get(row.texts[kRaw])) {
            return Fail(ErrorKind::kBadInput, "{}: '{}' and '{}' would both be {}; nothing was written",
                        request_.exchange, strings_.Get(before.texts[kRaw]), strings_.Get(row.texts[kRaw]),
                        strings_.Get(row.texts[kKey]));
          }
          if (strings_.Get(row.texts[kFrom]) < strings_.Get(before.texts[kFrom]))
            before.texts[kFrom] = row.texts[kFrom];
          if (strings_.Get(row.texts[kTo]) > strings_.Get(before.texts[kTo])) before.texts[kTo] = row.texts[kTo];
          continue;
        }
      }
      order_[kept++] = order_[i];
    }
    order_.resize(kept);
    return Ok();
  }

  // Texts that are the same in every row.
  Status MakeConstants() {
    const auto make = [&](int32_t& id, std::string_view text) -> Status {
      LODE_TRY(id, strings_.Intern(text));
      return Ok();
    };
    LODE_TRY(make(none_, ""));
    LODE_TRY(make(exchange_, request_.exchange));
    LODE_TRY(make(venue_, symbol::VenueName(request_.exchange, request_.style)));
    LODE_TRY(make(provider_, "tardis"));
    LODE_TRY(make(venue_type_, "exchange"));
    LODE_TRY(make(asset_class_, "crypto"));
    LODE_TRY(make(cash_, "cash"));
    LODE_TRY(make(call_, "CALL"));
    LODE_TRY(make(put_, "PUT"));
    const std::string_view ccxt = symbol::CcxtExchange(request_.exchange);
    ccxt_ = StringPool::kNull;
    if (!ccxt.empty()) LODE_TRY(make(ccxt_, ccxt));
    return Ok();
  }

  symbol::RawInstrument RawOf(const Row& row) const {
    symbol::RawInstrument raw{.exchange = request_.exchange,
                              .id = strings_.Get(row.texts[kRaw]),
                              .type = strings_.Get(row.texts[kSymbolType]),
                              .base = TextOf(row, kBase),
                              .quote = TextOf(row, kQuote),
                              .strike = TextOf(row, kStrike)};
    const std::string_view side = TextOf(row, kOptionType);
    if (!side.empty()) raw.side = side.front() == 'c' || side.front() == 'C' ? 'C' : 'P';
    if (const auto ns = ParseIsoNs(TextOf(row, kExpiry))) raw.expiry = DayOf(*ns);
    return raw;
  }

  Status Complete(Row& row, const InstrumentKey& key) {
    const bool is_spot = key.type == KeyType::kSpot;
    LODE_TRY(row.texts[kKey], strings_.Append(symbol::FormatKey(key, request_.style)));
    row.texts[kVenue] = venue_;
    LODE_TRY(row.texts[kType], names_.Intern(strings_, symbol::Name(key.type, request_.style)));
    LODE_TRY(CompleteAssets(row, key));
    LODE_TRY(CompleteContract(row, key));
    if (row.texts[kTo] == StringPool::kNull) {
      const std::string_view expiry = TextOf(row, kExpiry);
      LODE_TRY(row.texts[kTo], to_.Intern(strings_, expiry.empty() ? kStillListed : expiry));
    }
    if (has_chain_ && key.type == KeyType::kOption) {
      LODE_TRY(row.texts[kDataTypes], WithChain(row.texts[kDataTypes]));
    }
    if (row.texts[kDataTypes] == StringPool::kNull) row.texts[kDataTypes] = none_;
    row.texts[kTardisExchange] = exchange_;
    row.texts[kProvider] = provider_;
    row.texts[kVenueType] = venue_type_;
    row.texts[kAssetClass] = asset_class_;
    if (!is_spot) row.texts[kSettlementType] = cash_;
    if (const std::string name = symbol::CcxtSymbol(key); !name.empty()) {
      LODE_TRY(row.texts[kCcxtSymbol], strings_.Append(name));
    }
    row.texts[kCcxtExchange] = ccxt_;
    return Ok();
  }

  Status CompleteAssets(Row& row, const InstrumentKey& key) {
    const bool is_spot = key.type == KeyType::kSpot;
    std::string_view base = key.base, quote = key.quote;
    if (key.type == KeyType::kCombo) {
      // The vendor's, else the name's beginning.
      const std::string_view underlying = base.substr(0, base.find('-'));
      const size_t bar = underlying.find('_');
      const bool is_told = row.texts[kBase] != StringPool::kNull && row.texts[kQuote] != StringPool::kNull;
      base = is_told ? TextOf(row, kBase) : underlying.substr(0, bar);
      quote = is_told ? TextOf(row, kQuote) : bar == std::string_view::npos ? "USD" : underlying.substr(bar + 1);
    }
    LODE_TRY(row.texts[kBase], base_.Intern(strings_, base));
    LODE_TRY(row.texts[kQuote], quote_.Intern(strings_, quote));
    if (row.texts[kSettle] == StringPool::kNull) {
      row.texts[kSettle] = row.texts[!is_spot && quote == "USD" ? kBase : kQuote];
    }
    row.is_inverse = !is_spot && TextOf(row, kSettle) != quote;
    if (is_spot) return Ok();
    pair_ = base;
    pair_ += '-';
    pair_ += quote;
    LODE_TRY(row.texts[kUnderlying], underlying_.Intern(strings_, pair_));
    return Ok();
  }

  Status CompleteContract(Row& row, const InstrumentKey& key) {
    LODE_TRY(row.texts[kStrike], strike_.Intern(strings_, key.strike));
    row.texts[kOptionType] = key.side == 'C' ? call_ : key.side == 'P' ? put_ : none_;
    // The name's day rules; the vendor's instant is taken where it is on that day.
    if (key.expiry.size() == 6 && key.type != KeyType::kCombo) {
      instant_ = "20";
      for (const size_t at : {0, 2, 4}) {
        instant_ += std::string_view(key.expiry).substr(at, 2);
        if (at < 4) instant_ += '-';
      }
      if (!TextOf(row, kExpiry).starts_with(instant_)) {
        instant_ += kExpiryTime;
        LODE_TRY(row.texts[kExpiry], expiry_.Intern(strings_, instant_));
      }
    } else if (row.texts[kExpiry] == StringPool::kNull) {
      row.texts[kExpiry] = none_;
    }
    if (key.type == KeyType::kSpot || row.texts[kContractType] != StringPool::kNull) return Ok();
    LODE_TRY(row.texts[kContractType], contract_.Intern(strings_, ContractType(key, row.is_inverse)));
    return Ok();
  }

  static std::string_view ContractType(const InstrumentKey& key, bool is_inverse) {
    switch (key.type) {
      case KeyType::kPerp: return is_inverse ? "inverse_perpetual" : "linear_perpetual";
      case KeyType::kFuture: return is_inverse ? "inverse_future" : "linear_future";
      case KeyType::kOption: return key.side == 'C' ? "call_option" : "put_option";
      default: return "spread";
    }
  }

  // A contract's chain is in the grouped file.
  Result<int32_t> WithChain(int32_t types) {
    if (types == chain_of_ && chain_ != StringPool::kNull) return chain_;
    std::string text(types == StringPool::kNull ? std::string_view() : strings_.Get(types));
    text += text.empty() ? "options_chain" : ",options_chain";
    chain_of_ = types;
    LODE_TRY(chain_, strings_.Intern(text));
    return chain_;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> BatchOf(std::span<const uint32_t> order) const {
    arrow::ArrayVector arrays;
    for (int column = 0; column < kColumns; ++column) {
      arrow::Int32Builder texts;
      arrow::BooleanBuilder bools;
      arrow::DoubleBuilder doubles;
      arrow::ArrayBuilder* builder = column == kInverse        ? static_cast<arrow::ArrayBuilder*>(&bools)
                                     : column == kContractSize ? static_cast<arrow::ArrayBuilder*>(&doubles)
                                                               : &texts;
      arrow::Status status = builder->Reserve(static_cast<int64_t>(order.size()));
      for (const uint32_t i : order) {
        if (!status.ok()) break;
        const Row& row = rows_[i];
        if (column == kInverse)
          bools.UnsafeAppend(row.is_inverse);
        else if (column == kContractSize && row.has_contract_size)
          doubles.UnsafeAppend(row.contract_size);
        else if (column == kContractSize)
          doubles.UnsafeAppendNull();
        else if (row.texts[column] == StringPool::kNull)
          texts.UnsafeAppendNull();
        else
          texts.UnsafeAppend(row.texts[column]);
      }
      std::shared_ptr<arrow::Array> array;
      if (status.ok()) status = builder->Finish(&array);
      if (!status.ok()) return Fail(ErrorKind::kInternal, "definitions: {}", status.ToString());
      arrays.push_back(std::move(array));
    }
    return arrow::RecordBatch::Make(codec::PhysicalSchema(schema_), static_cast<int64_t>(order.size()),
                                    std::move(arrays));
  }

  const DefinitionsRequest& request_;
  const codec::TableSchema& schema_;
  StringPool strings_;
  std::vector<Row> rows_;
  std::vector<uint32_t> order_;                         // rows with a key, by key
  std::unordered_map<std::string_view, size_t> index_;  // by tardis_symbol, once it is needed
  size_t next_ = 0;
  std::vector<std::pair<std::string, int32_t>> unmatched_;
  bool has_chain_ = false;
  // By column: rows that follow each other mostly have the same.
  LastText types_, since_, to_, data_types_, names_, base_, quote_, underlying_, strike_, expiry_, contract_;
  int32_t none_ = 0, exchange_ = 0, venue_ = 0, provider_ = 0, venue_type_ = 0, asset_class_ = 0, cash_ = 0, call_ = 0,
          put_ = 0, ccxt_ = StringPool::kNull;
  int32_t chain_of_ = StringPool::kNull, chain_ = StringPool::kNull;
  std::string pair_, instant_;
  DefinitionsReport report_;
};

Result<bool> IsSame(const std::filesystem::path& file, const codec::WrittenFile& written) {
  LODE_TRY(const auto size, store::FileSize(file));
  if (!size || *size != written.size) return false;
  LODE_TRY(const store::Digest digest, store::HashFile(file));
  return digest.sha256 == written.sha256;
}

Status FetchTerms(net::Client& client, const source::tardis::Api& api, const std::string& exchange, Table& table) {
  if (!api.has_key()) return Ok();
  const auto body =
      std::make_shared<source::tardis::TermsBody>([&table](const Terms& terms) { return table.AddTerms(terms); });
  const net::Outcome outcome = client.Fetch(api.InstrumentsRequest(exchange), body);
  if (outcome.status) {
    table.report().has_terms = true;
    return Ok();
  }
  // Without them there are still keys.
  const bool is_refused = outcome.response.failure == net::FailureClass::kUnauthorized ||
                          outcome.response.failure == net::FailureClass::kForbidden ||
                          outcome.response.failure == net::FailureClass::kNotFound;
  if (!is_refused) return outcome.status;
  table.report().terms_refused = outcome.status.error().message;
  return Ok();
}

}  // namespace

const codec::TableSchema& DefinitionSchema() {
  static const codec::TableSchema schema = [] {
    const auto text = [](const char* name, bool nullable, bool distinct = false) {
      Column column{.name = name, .type = ColumnType::kText, .nullable = nullable, .description = {}};
      column.distinct = distinct;
      return column;
    };
    codec::TableSchema made{.name = "tardis/instruments", .source = "tardis", .version = 1};
    for (const char* name :
         {"instrument_key", "venue", "instrument_type", "available_from_datetime", "available_to_datetime",
          "data_types", "base_asset", "quote_asset", "settle_asset", "exchange_raw_symbol", "tardis_symbol",
          "tardis_exchange", "data_provider", "venue_type", "asset_class"}) {
      const std::string_view column = name;
      made.columns.push_back(text(name, false, column.ends_with("symbol") || column == "instrument_key"));
    }
    made.columns.push_back({.name = "inverse", .type = ColumnType::kBool, .nullable = false, .description = {}});
    for (const char* name : {"symbol_type", "contract_type", "strike", "option_type", "expiry"}) {
      made.columns.push_back(text(name, true));
    }
    made.columns.push_back(
        {.name = "contract_size", .type = ColumnType::kFloat64, .nullable = true, .description = {}});
    for (const char* name : {"tick_size", "settlement_type", "underlying", "min_size"}) {
      made.columns.push_back(text(name, true));
    }
    made.columns.push_back(text("ccxt_symbol", true, true));
    made.columns.push_back(text("ccxt_exchange", true));
    made.key = made.order = {"instrument_key"};
    made.merge = codec::MergeRule::kNewestByKey;
    return made;
  }();
  return schema;
}

Result<DefinitionsReport> WriteDefinitions(const DefinitionsRequest& request) {
  net::ClientOptions options;
  LODE_TRY(net::ApplyWaits(&options));
  LODE_TRY(const auto client, net::Client::Make(std::move(options)));
  LODE_TRY(source::tardis::Api api, source::tardis::Api::Make(*client, *request.config));
  Table table(request);
  source::tardis::ExchangeVisitor visitor;
  visitor.available = [&](const SymbolInfo& info) { return table.AddSymbol(info); };
  visitor.dataset = [&](const SymbolInfo& info) { return table.AddDataset(info); };
  LODE_TRY(const auto info, api.GetExchange(request.exchange, std::move(visitor), [&] { table.Clear(); }));
  LODE_TRY(FetchTerms(*client, api, request.exchange, table));
  LODE_TRY(table.Key());
  DefinitionsReport& report = table.report();
  report.exchange = request.exchange;
  report.file = request.paths.root / "instruments" / (request.exchange + ".parquet");
  if (request.dry_run) return report;
  const std::filesystem::path folder = request.paths.temporary() / "instruments";
  LODE_TRY(const uint64_t min_free_bytes, lake::MinFreeBytes(*request.config));
  LODE_TRY(lake::CreateLake(request.paths));
  LODE_TRY(lake::CheckRoom(request.paths, 0, min_free_bytes));
  LODE_TRY(store::MakeDirectories(folder));
  LODE_TRY(const store::FileLock lock,
           store::FileLock::Acquire(request.paths.locks() / "instruments.lock", "the lake's instrument definitions"));
  const std::filesystem::path temporary = folder / (request.exchange + ".parquet");
  LODE_TRY(const codec::WrittenFile written, table.Write(temporary));
  report.bytes = written.size;
  LODE_TRY(report.is_unchanged, IsSame(report.file, written));
  if (report.is_unchanged) {
    LODE_TRY(store::Remove(temporary));
  } else {
    LODE_TRY(store::MakeDirectories(report.file.parent_path()));
    LODE_TRY(store::Rename(temporary, report.file));
    LODE_TRY(store::SyncDirectory(report.file.parent_path()));
  }
  std::error_code ignored;
  std::filesystem::remove(folder, ignored);
  return report;
}

}  // namespace lode::sync
