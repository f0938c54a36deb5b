#include "records.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lode/codec/testing/dbn_writer_layouts.h"
#include "market.h"

namespace lode::vendor {
namespace {

namespace dbn = codec::fixture;

constexpr std::string_view kSchemas[] = {"mbo",      "mbp-1",      "mbp-10",     "tbbo",     "trades",
                                         "bbo-1s",   "bbo-1m",     "ohlcv-1s",   "ohlcv-1m", "ohlcv-1h",
                                         "ohlcv-1d", "definition", "statistics", "status"};

constexpr uint64_t kSecond = 1'000'000'000;

// Appends records of one day to a stream and remembers where they stand.
class Writer {
 public:
  Writer(const Universe& universe, const std::string& schema, int version)
      : universe_(universe), schema_(schema), version_(version), writer_(dbn::DbnWriter::Fragment(version)) {}

  void Add(uint32_t contract, Day day, int revision) {
    contract_ = contract;
    if (const int64_t width = IntervalNs(schema_); width > 0)
      return AddBars(day, revision, static_cast<uint64_t>(width));
    if (schema_ == "definition") return AddDefinition(day);
    if (schema_ == "statistics") return AddStatistics(day, revision);
    if (schema_ == "status") return AddStatus(day);
    if (schema_.starts_with("bbo")) return AddSampledQuotes(day, revision);
    uint32_t number = 0;
    ForEachTrade(universe_, at(), day, revision,
                 [&](const Trade& trade) { Put(trade.ts_ns + kReceiveDelayNs, TradeFields(trade, ++number)); });
  }

  DayRecords Finish() {
    DayRecords records;
    const std::vector<size_t>& offsets = writer_.record_offsets();
    for (size_t i = 0; i < offsets.size(); ++i) {
      records.places.push_back({times_[i], static_cast<uint32_t>(offsets[i]), contracts_[i]});
    }
    records.bytes = writer_.bytes();
    std::ranges::stable_sort(records.places, {}, &RecordPlace::ts_ns);
    return records;
  }

 private:
  const Contract& at() const { return universe_.at(contract_); }

  void Note(uint64_t ts_ns) {
    times_.push_back(ts_ns);
    contracts_.push_back(contract_);
  }

  void Put(uint64_t index_ts_ns, const std::vector<dbn::Field>& fields) {
    writer_.Add(schema_, fields);
    Note(index_ts_ns);
  }

  void AddBars(Day day, int revision, uint64_t width) {
    struct Open {
      dbn::Bar bar{};
      bool any = false;
    };
    std::array<Open, 8> open{};  // by publisher
    const auto& publishers = universe_.dataset().publishers;
    const auto flush = [&](size_t i) {
      if (open[i].any) {
        writer_.AddBar(schema_, publishers[i].first, at().id, open[i].bar);
        Note(open[i].bar.ts_event_ns);
      }
      open[i].any = false;
    };
    ForEachTrade(universe_, at(), day, revision, [&](const Trade& trade) {
      const uint64_t start = trade.ts_ns - trade.ts_ns % width;
      size_t i = 0;
      while (publishers[i].first != trade.publisher_id) ++i;
      dbn::Bar& bar = open[i].bar;
      if (!open[i].any || bar.ts_event_ns != start) {
        flush(i);
        bar = {start, trade.price, trade.price, trade.price, trade.price, trade.size};
        open[i].any = true;
        return;
      }
      bar.high = std::max(bar.high, trade.price);
      bar.low = std::min(bar.low, trade.price);
      bar.close = trade.price;
      bar.volume += trade.size;
    });
    for (size_t i = 0; i < publishers.size(); ++i) flush(i);
  }

  // A record of trades, mbo, tbbo, mbp-1 or mbp-10: the trade, and where the schema has them the levels after it.
  std::vector<dbn::Field> TradeFields(const Trade& trade, uint32_t number) const {
    std::vector<dbn::Field> fields = {{"publisher_id", trade.publisher_id},
                                      {"instrument_id", at().id},
                                      {"ts_event", trade.ts_ns},
                                      {"price", trade.price},
                                      {"size", trade.size},
                                      {"action", 'T'},
                                      {"side", trade.side},
                                      {"flags", 128},
                                      {"ts_recv", trade.ts_ns + kReceiveDelayNs},
                                      {"ts_in_delta", 17'000},
                                      {"sequence", number}};
    if (schema_ == "mbo") {
      fields.push_back({"order_id", 6'400'000'000'000u + number});
      fields.push_back({"channel_id", 3});
    }
    const int levels = schema_ == "mbp-10" ? 10 : schema_ == "trades" || schema_ == "mbo" ? 0 : 1;
    AppendLevels(fields, trade, levels);
    return fields;
  }

  void AppendLevels(std::vector<dbn::Field>& fields, const Trade& trade, int levels) const {
    for (int level = 0; level < levels; ++level) {
      const auto suffix = fmt::format("_{:02}", level);
      const int64_t away = at().tick * level;
      fields.push_back({"bid_px" + suffix, trade.price - away - (trade.side == 'A' ? 0 : at().tick)});
      fields.push_back({"ask_px" + suffix, trade.price + away + (trade.side == 'A' ? at().tick : 0)});
      fields.push_back({"bid_sz" + suffix, 5 + trade.size % 17 + 3 * level});
      fields.push_back({"ask_sz" + suffix, 4 + trade.size % 13 + 2 * level});
      fields.push_back({"bid_ct" + suffix, 2 + level});
      fields.push_back({"ask_ct" + suffix, 1 + level});
    }
  }

  // The last trade of each second or minute with trades, told at the interval's end.
  void AddSampledQuotes(Day day, int revision) {
    const uint64_t width = (schema_ == "bbo-1s" ? 1 : 60) * kSecond;
    Trade last{};
    uint32_t number = 0;
    const auto tell = [&] {
      if (number == 0) return;
      const uint64_t end = last.ts_ns - last.ts_ns % width + width;
      std::vector<dbn::Field> fields = {{"publisher_id", last.publisher_id},
                                        {"instrument_id", at().id},
                                        {"ts_event", last.ts_ns},
                                        {"price", last.price},
                                        {"size", last.size},
                                        {"side", last.side},
                                        {"flags", 168},
                                        {"ts_recv", end},
                                        {"sequence", number}};
      AppendLevels(fields, last, 1);
      // The interval that ends at midnight would be the next day's; it stays with its trade.
      if (end < static_cast<uint64_t>((day + 1).start_ns())) Put(end, fields);
    };
    ForEachTrade(universe_, at(), day, revision, [&](const Trade& trade) {
      if (number > 0 && trade.ts_ns / width != last.ts_ns / width) tell();
      last = trade;
      ++number;
    });
    tell();
  }

  // Every listed contract once a day, a spread once a leg (DBN 3).
  void AddDefinition(Day day) {
    const Contract& contract = at();
    const Product& product = universe_.product_of(contract);
    const auto ts = static_cast<uint64_t>(day.start_ns()) + 1'000 * (times_.size() + 1);
    const auto ns_or_undef = [](Day when, int64_t second) {
      return when.since_epoch > 100'000 ? dbn::kUndefTimestamp
                                        : static_cast<uint64_t>(when.start_ns() + second * kNsPerSecond);
    };
    const char kind = contract.instrument_class;
    const bool is_option = kind == 'C' || kind == 'P';
    const YearMonthDay maturity = ToYearMonthDay(contract.expiry.since_epoch > 100'000 ? day : contract.expiry);
    std::vector<dbn::Field> fields = {{"publisher_id", universe_.dataset().publishers[0].first},
                                      {"instrument_id", contract.id},
                                      {"ts_event", ts},
                                      {"ts_recv", ts + kReceiveDelayNs},
                                      {"min_price_increment", contract.tick},
                                      {"display_factor", int64_t{1'000'000'000}},
                                      {"expiration", ns_or_undef(contract.expiry, 61'200)},
                                      {"activation", ns_or_undef(contract.first, 0)},
                                      {"high_limit_price", dbn::kUndefPrice},
                                      {"low_limit_price", dbn::kUndefPrice},
                                      {"max_price_variation", dbn::kUndefPrice},
                                      {"unit_of_measure_qty", int64_t{1'000'000'000'000}},
                                      {"min_price_increment_amount", contract.tick},
                                      {"price_ratio", dbn::kUndefPrice},
                                      {"strike_price", is_option ? contract.strike : dbn::kUndefPrice},
                                      {"underlying_id", contract.underlying_id},
                                      {"raw_instrument_id", contract.id},
                                      {"market_depth", 10},
                                      {"min_trade_vol", 1},
                                      {"max_trade_vol", 10'000},
                                      {"contract_multiplier", 2'147'483'647},
                                      {"currency", "USD"},
                                      {"settl_currency", "USD"},
                                      {"secsubtype", ""},
                                      {"raw_symbol", contract.symbol},
                                      {"group", product.root},
                                      {"exchange", "XCME"},
                                      {"asset", product.root},
                                      {"cfi", kind == 'F' ? "FFCXSX" : "FXXXXX"},
                                      {"security_type", kind == 'K' ? "CS"
                                                        : is_option ? "OOF"
                                                                    : "FUT"},
                                      {"unit_of_measure", "UNIT"},
                                      {"underlying", is_option ? product.underlying : product.root},
                                      {"instrument_class", kind},
                                      {"match_algorithm", 'F'},
                                      {"main_fraction", 255},
                                      {"price_display_format", 255},
                                      {"sub_fraction", 255},
                                      {"security_update_action", 'A'},
                                      {"maturity_year", maturity.year},
                                      {"maturity_month", maturity.month},
                                      {"maturity_day", 255},
                                      {"user_defined_instrument", 'N'}};
    if (version_ < 3 || kind != 'S') return Put(ts + kReceiveDelayNs, fields);
    const uint32_t legs[] = {contract.near_leg, contract.far_leg};
    for (int leg = 0; leg < 2; ++leg) {
      std::vector<dbn::Field> with_leg = fields;
      const Contract& of = universe_.at(legs[leg]);
      with_leg.insert(with_leg.end(), {{"leg_count", 2},
                                       {"leg_index", leg},
                                       {"leg_instrument_id", of.id},
                                       {"leg_raw_symbol", of.symbol},
                                       {"leg_instrument_class", 'F'},
                                       {"leg_side", leg == 0 ? 'B' : 'A'},
                                       {"leg_price", dbn::kUndefPrice},
                                       {"leg_delta", dbn::kUndefPrice},
                                       {"leg_ratio_qty_numerator", 1},
                                       {"leg_ratio_qty_denominator", 1}});
      Put(ts + kReceiveDelayNs, with_leg);
    }
  }

  void AddStatistics(Day day, int revision) {
    const Contract& contract = at();
    if (contract.instrument_class == 'K' || fixtures::WeekDay(day) == 0) return;
    int64_t open = 0, high = 0, low = 0, close = 0;
    uint64_t volume = 0;
    ForEachTrade(universe_, contract, day, revision, [&](const Trade& trade) {
      if (volume == 0) open = high = low = trade.price;
      high = std::max(high, trade.price);
      low = std::min(low, trade.price);
      close = trade.price;
      volume += trade.size;
    });
    if (volume == 0) close = ShapeOf(universe_, contract, day).open_price;
    const int64_t no_quantity =
        version_ >= 3 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int32_t>::max();
    uint32_t number = 0;
    const auto tell = [&](int64_t second, int type, int64_t price, int64_t quantity) {
      const auto ts = static_cast<uint64_t>(day.start_ns() + second * kNsPerSecond);
      Put(ts + kReceiveDelayNs, {{"publisher_id", universe_.dataset().publishers[0].first},
                                 {"instrument_id", contract.id},
                                 {"ts_event", ts},
                                 {"ts_recv", ts + kReceiveDelayNs},
                                 {"ts_ref", static_cast<uint64_t>(day.start_ns())},
                                 {"price", price},
                                 {"quantity", quantity},
                                 {"sequence", ++number},
                                 {"ts_in_delta", 20'000},
                                 {"stat_type", type},
                                 {"update_action", 1},
                                 {"stat_flags", 0}});
    };
    if (volume > 0) {
      tell(75'600, 1, open, no_quantity);
      tell(75'600, 4, low, no_quantity);
      tell(75'600, 5, high, no_quantity);
      tell(75'660, 6, dbn::kUndefPrice, static_cast<int64_t>(volume));
    }
    tell(75'720, 3, close, no_quantity);
    tell(75'780, 9, dbn::kUndefPrice, OpenInterestOf(universe_, contract, day));
  }

  void AddStatus(Day day) {
    if (fixtures::WeekDay(day) == 0) return;
    const std::pair<int, int> changes[] = {{0, 7}, {78'300, 1}};  // second, action: trading, pre-open
    for (const auto& [second, action] : changes) {
      const auto ts = static_cast<uint64_t>(day.start_ns() + second * kNsPerSecond);
      Put(ts + kReceiveDelayNs, {{"publisher_id", universe_.dataset().publishers[0].first},
                                 {"instrument_id", at().id},
                                 {"ts_event", ts},
                                 {"ts_recv", ts + kReceiveDelayNs},
                                 {"action", action},
                                 {"reason", 1},
                                 {"is_trading", action == 7 ? 'Y' : 'N'},
                                 {"is_quoting", 'Y'},
                                 {"is_short_sell_restricted", '~'}});
    }
  }

  const Universe& universe_;
  const std::string& schema_;
  const int version_;
  dbn::DbnWriter writer_;
  std::vector<uint64_t> times_;
  std::vector<uint32_t> contracts_;
  uint32_t contract_ = 0;
};

}  // namespace

std::vector<std::string> SchemasOf(const DatasetInfo& dataset) {
  std::vector<std::string> schemas(std::begin(kSchemas), std::end(kSchemas));
  if (dataset.publishers.size() > 1)
    std::erase_if(schemas, [](const std::string& s) { return s == "mbo" || s == "mbp-10"; });
  return schemas;
}

bool IsSchema(std::string_view name) { return std::ranges::find(kSchemas, name) != std::end(kSchemas); }

size_t RecordSize(std::string_view schema, int dbn_version) {
  const dbn::RecordLayout* layout = dbn::FindLayout(schema, dbn_version);
  return layout == nullptr ? 0 : layout->size;
}

int64_t IntervalNs(std::string_view schema) {
  return schema.starts_with("ohlcv-") ? fixtures::BarWidthSeconds(std::string(schema)) * kNsPerSecond : 0;
}

RecordMaker::RecordMaker(const Universe& universe, std::string schema, int dbn_version)
    : universe_(universe),
      schema_(std::move(schema)),
      version_(dbn_version),
      record_size_(RecordSize(schema_, dbn_version)) {}

DayRecords RecordMaker::Make(Day day, int revision, std::span<const uint32_t> contracts) const {
  Writer writer(universe_, schema_, version_);
  for (const uint32_t contract : contracts) writer.Add(contract, day, revision);
  return writer.Finish();
}

void WarmUpWriter() {
  for (int version = 1; version <= 3; ++version) {
    dbn::DbnWriter writer = dbn::DbnWriter::Fragment(version);
    for (const std::string_view schema : kSchemas) writer.Add(schema, {});
  }
}

}  // namespace lode::vendor
