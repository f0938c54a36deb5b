#include "text_encoding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>

#include "lode/base/time.h"
#include "lode/codec/testing/dbn_writer.h"
#include "query.h"

namespace lode::vendor {
namespace {

namespace dbn = codec::fixture;
using Column = TextEncoding::Column;

// "hd" stands for ts_event, rtype, publisher_id, instrument_id.
std::string OrderOf(std::string_view schema) {
  if (schema.starts_with("ohlcv")) return "hd,open,high,low,close,volume";
  const std::string trade = "ts_recv,hd,action,side,depth,price,size,flags,ts_in_delta,sequence";
  if (schema == "trades") return trade;
  const auto levels = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      for (const char* name : {"bid_px", "ask_px", "bid_sz", "ask_sz", "bid_ct", "ask_ct"})
        text += fmt::format(",{}_{:02}", name, i);
    }
    return text;
  };
  if (schema == "tbbo" || schema == "mbp-1") return trade + levels(1);
  if (schema == "mbp-10") return trade + levels(10);
  if (schema == "mbo") return "ts_recv,hd,action,side,price,size,channel_id,order_id,flags,ts_in_delta,sequence";
  if (schema.starts_with("bbo")) return "ts_recv,hd,side,price,size,flags,sequence" + levels(1);
  if (schema == "statistics") {
    return "ts_recv,hd,ts_ref,price,quantity,sequence,ts_in_delta,stat_type,channel_id,update_action,stat_flags";
  }
  if (schema == "status")
    return "ts_recv,hd,action,reason,trading_event,is_trading,is_quoting,is_short_sell_restricted";
  return "ts_recv,hd,raw_symbol,security_update_action,instrument_class,min_price_increment,display_factor,expiration,"
         "activation,high_limit_price,low_limit_price,max_price_variation,unit_of_measure_qty,min_price_increment_"
         "amount,"
         "price_ratio,inst_attrib_value,underlying_id,raw_instrument_id,market_depth_implied,market_depth,market_"
         "segment_id,"
         "max_trade_vol,min_lot_size,min_lot_size_block,min_lot_size_round_lot,min_trade_vol,contract_multiplier,"
         "decay_quantity,original_contract_size,appl_id,maturity_year,decay_start_date,channel_id,currency,settl_"
         "currency,"
         "secsubtype,group,exchange,asset,cfi,security_type,unit_of_measure,underlying,strike_price_currency,strike_"
         "price,"
         "match_algorithm,main_fraction,price_display_format,sub_fraction,underlying_product,maturity_month,maturity_"
         "day,"
         "maturity_week,user_defined_instrument,contract_multiplier_unit,flow_schedule_type,tick_rule,leg_count,leg_"
         "index,"
         "leg_instrument_id,leg_raw_symbol,leg_instrument_class,leg_side,leg_price,leg_delta,leg_ratio_price_numerator,"
         "leg_ratio_price_denominator,leg_ratio_qty_numerator,leg_ratio_qty_denominator,leg_underlying_id";
}

Column::Kind KindOf(const std::string& name) {
  static const std::set<std::string> prices = {"open",
                                               "high",
                                               "low",
                                               "close",
                                               "price",
                                               "min_price_increment",
                                               "display_factor",
                                               "high_limit_price",
                                               "low_limit_price",
                                               "max_price_variation",
                                               "unit_of_measure_qty",
                                               "min_price_increment_amount",
                                               "price_ratio",
                                               "strike_price",
                                               "leg_price",
                                               "leg_delta"};
  if (prices.contains(name) || name.starts_with("bid_px") || name.starts_with("ask_px")) return Column::Kind::kPrice;
  const bool time =
      name == "ts_event" || name == "ts_recv" || name == "ts_ref" || name == "expiration" || name == "activation";
  return time ? Column::Kind::kTime : Column::Kind::kPlain;
}

uint64_t Unsigned(std::string_view record, const Column& column) {
  uint64_t value = 0;
  std::memcpy(&value, record.data() + column.offset, column.size);
  return value;
}

int64_t Signed(std::string_view record, const Column& column) {
  const uint64_t value = Unsigned(record, column);
  const int unused = static_cast<int>(64 - 8 * column.size);
  return static_cast<int64_t>(value << unused) >> unused;
}

}  // namespace

TextEncoding::TextEncoding(std::string_view schema, int dbn_version, bool csv, bool pretty_px, bool pretty_ts,
                           bool map_symbols)
    : csv_(csv), pretty_px_(pretty_px), pretty_ts_(pretty_ts), map_symbols_(map_symbols) {
  const auto layout = dbn::LayoutOf(schema, dbn_version);
  for (const std::string& name : SplitList(OrderOf(schema))) {
    if (name == "hd") {
      columns_.push_back({"ts_event", 'Q', 8, 8, Column::Kind::kTime});
      columns_.push_back({"rtype", 'B', 1, 1, Column::Kind::kPlain});
      columns_.push_back({"publisher_id", 'H', 2, 2, Column::Kind::kPlain});
      columns_.push_back({"instrument_id", 'I', 4, 4, Column::Kind::kPlain});
      continue;
    }
    // Older versions lack some fields.
    const auto field = std::ranges::find(layout, name, &dbn::FieldLayout::name);
    if (field != layout.end()) columns_.push_back({name, field->type, field->offset, field->size, KindOf(name)});
  }
}

std::string TextEncoding::Header() const {
  if (!csv_) return "";
  std::string header;
  for (const Column& column : columns_) header += (header.empty() ? "" : ",") + column.name;
  return header + (map_symbols_ ? ",symbol\n" : "\n");
}

void TextEncoding::Append(std::string& out, std::string_view record, std::string_view symbol) const {
  csv_ ? AppendCsv(out, record) : AppendJson(out, record);
  if (map_symbols_ && csv_) out.append(",").append(symbol);
  if (map_symbols_ && !csv_) {
    out += R"(,"symbol":)";
    if (symbol.empty())
      out += "null";
    else
      out.append("\"").append(symbol).append("\"");
  }
  out += csv_ ? "\n" : "}\n";
}

void TextEncoding::AppendCsv(std::string& out, std::string_view record) const {
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) out += ',';
    AppendValue(out, record, columns_[i]);
  }
}

void TextEncoding::AppendJson(std::string& out, std::string_view record) const {
  out += '{';
  bool first = true, in_levels = false;
  for (const Column& column : columns_) {
    const bool is_level = (column.name.starts_with("bid_") || column.name.starts_with("ask_"));
    if (is_level && column.name.starts_with("bid_px")) {
      out += in_levels ? "},{" : R"(,"levels":[{)";
      in_levels = first = true;
    }
    if (!first) out += ',';
    first = false;
    if (column.name == "ts_event") out += R"("hd":{)";
    const std::string_view name = is_level ? std::string_view(column.name).substr(0, 6) : column.name;
    out.append("\"").append(name).append("\":");
    AppendValue(out, record, column);
    if (column.name == "instrument_id") out += '}';
  }
  if (in_levels) out += "}]";
}

// In JSON 64-bit values and text stand in quotes; what is undefined is null, in CSV nothing.
void TextEncoding::AppendValue(std::string& out, std::string_view record, const Column& column) const {
  const std::string_view quote = csv_ ? "" : "\"";
  const std::string_view none = csv_ ? "" : "null";
  if (column.type == 's' || column.type == 'c') {
    std::string_view text = record.substr(column.offset, column.size);
    text = text.substr(0, text.find('\0'));
    if (column.type == 'c' && text.empty()) {
      out += none;
    } else {
      out.append(quote).append(text).append(quote);
    }
    return;
  }
  if (column.kind == Column::Kind::kPrice && pretty_px_) {
    const int64_t price = Signed(record, column);
    if (price == dbn::kUndefPrice) {
      out += none;
      return;
    }
    const uint64_t size = price < 0 ? 0 - static_cast<uint64_t>(price) : static_cast<uint64_t>(price);
    fmt::format_to(std::back_inserter(out), "{}{}{}.{:09}{}", quote, price < 0 ? "-" : "", size / 1'000'000'000,
                   size % 1'000'000'000, quote);
    return;
  }
  if (column.kind == Column::Kind::kTime && pretty_ts_) {
    const uint64_t ns = Unsigned(record, column);
    if (ns == 0 || ns == dbn::kUndefTimestamp) {
      out += none;
      return;
    }
    out.append(quote).append(FormatIsoNs(static_cast<int64_t>(ns))).append(quote);
    return;
  }
  const bool is_signed = column.type == 'q' || column.type == 'i' || column.type == 'h' || column.type == 'b';
  const std::string_view mark = column.size == 8 ? quote : "";
  out += mark;
  if (is_signed)
    fmt::format_to(std::back_inserter(out), "{}", Signed(record, column));
  else
    fmt::format_to(std::back_inserter(out), "{}", Unsigned(record, column));
  out += mark;
}

}  // namespace lode::vendor
