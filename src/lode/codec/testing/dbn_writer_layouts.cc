#include "lode/codec/testing/dbn_writer_layouts.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace lode::codec::fixture {
namespace {

constexpr std::string_view kBar = "open@16:q high@24:q low@32:q close@40:q volume@48:Q";

constexpr std::string_view kTrade =
    "price@16:q size@24:I action@28:c side@29:c flags@30:B depth@31:B ts_recv@32:Q ts_in_delta@40:i sequence@44:I";

constexpr std::string_view kMbp1 =
    "price@16:q size@24:I action@28:c side@29:c flags@30:B depth@31:B ts_recv@32:Q ts_in_delta@40:i sequence@44:I "
    "bid_px_00@48:q ask_px_00@56:q bid_sz_00@64:I ask_sz_00@68:I bid_ct_00@72:I ask_ct_00@76:I";

constexpr std::string_view kMbo =
    "order_id@16:Q price@24:q size@32:I flags@36:B channel_id@37:B action@38:c side@39:c ts_recv@40:Q "
    "ts_in_delta@48:i sequence@52:I";

constexpr std::string_view kBbo =
    "price@16:q size@24:I side@29:c flags@30:B ts_recv@32:Q sequence@44:I bid_px_00@48:q ask_px_00@56:q "
    "bid_sz_00@64:I ask_sz_00@68:I bid_ct_00@72:I ask_ct_00@76:I";

constexpr std::string_view kCmbp1 =
    "price@16:q size@24:I action@28:c side@29:c flags@30:B ts_recv@32:Q ts_in_delta@40:i bid_px_00@48:q "
    "ask_px_00@56:q bid_sz_00@64:I ask_sz_00@68:I bid_pb_00@72:H ask_pb_00@76:H";

constexpr std::string_view kCbbo =
    "price@16:q size@24:I side@29:c flags@30:B ts_recv@32:Q bid_px_00@48:q ask_px_00@56:q bid_sz_00@64:I "
    "ask_sz_00@68:I bid_pb_00@72:H ask_pb_00@76:H";

constexpr std::string_view kStatisticsV1 =
    "ts_recv@16:Q ts_ref@24:Q price@32:q quantity@40:i sequence@44:I ts_in_delta@48:i stat_type@52:H "
    "channel_id@54:H update_action@56:B stat_flags@57:B";

constexpr std::string_view kStatisticsV3 =
    "ts_recv@16:Q ts_ref@24:Q price@32:q quantity@40:q sequence@48:I ts_in_delta@52:i stat_type@56:H "
    "channel_id@58:H update_action@60:B stat_flags@61:B";

constexpr std::string_view kStatus =
    "ts_recv@16:Q action@24:H reason@26:H trading_event@28:H is_trading@30:c is_quoting@31:c "
    "is_short_sell_restricted@32:c";

constexpr std::string_view kImbalance =
    "ts_recv@16:Q ref_price@24:q auction_time@32:Q cont_book_clr_price@40:q auct_interest_clr_price@48:q "
    "ssr_filling_price@56:q ind_match_price@64:q upper_collar@72:q lower_collar@80:q paired_qty@88:I "
    "total_imbalance_qty@92:I market_imbalance_qty@96:I unpaired_qty@100:I auction_type@104:c side@105:c "
    "auction_status@106:B freeze_status@107:B num_extensions@108:B unpaired_side@109:c "
    "significant_imbalance@110:c";

constexpr std::string_view kDefinitionV1 =
    "ts_recv@16:Q min_price_increment@24:q display_factor@32:q expiration@40:Q activation@48:Q "
    "high_limit_price@56:q low_limit_price@64:q max_price_variation@72:q trading_reference_price@80:q "
    "unit_of_measure_qty@88:q min_price_increment_amount@96:q price_ratio@104:q inst_attrib_value@112:i "
    "underlying_id@116:I raw_instrument_id@120:I market_depth_implied@124:i market_depth@128:i "
    "market_segment_id@132:I max_trade_vol@136:I min_lot_size@140:i min_lot_size_block@144:i "
    "min_lot_size_round_lot@148:i min_trade_vol@152:I contract_multiplier@160:i decay_quantity@164:i "
    "original_contract_size@168:i trading_reference_date@176:H appl_id@178:h maturity_year@180:H "
    "decay_start_date@182:H channel_id@184:H currency@186:s4 settl_currency@190:s4 secsubtype@194:s6 "
    "raw_symbol@200:s22 group@222:s21 exchange@243:s5 asset@248:s7 cfi@255:s7 security_type@262:s7 "
    "unit_of_measure@269:s31 underlying@300:s21 strike_price_currency@321:s4 instrument_class@325:c "
    "strike_price@328:q match_algorithm@342:c md_security_trading_status@343:B main_fraction@344:B "
    "price_display_format@345:B settl_price_type@346:B sub_fraction@347:B underlying_product@348:B "
    "security_update_action@349:c maturity_month@350:B maturity_day@351:B maturity_week@352:B "
    "user_defined_instrument@353:c contract_multiplier_unit@354:b flow_schedule_type@355:b tick_rule@356:B";

constexpr std::string_view kDefinitionV2 =
    "ts_recv@16:Q min_price_increment@24:q display_factor@32:q expiration@40:Q activation@48:Q "
    "high_limit_price@56:q low_limit_price@64:q max_price_variation@72:q trading_reference_price@80:q "
    "unit_of_measure_qty@88:q min_price_increment_amount@96:q price_ratio@104:q strike_price@112:q "
    "inst_attrib_value@120:i underlying_id@124:I raw_instrument_id@128:I market_depth_implied@132:i "
    "market_depth@136:i market_segment_id@140:I max_trade_vol@144:I min_lot_size@148:i min_lot_size_block@152:i "
    "min_lot_size_round_lot@156:i min_trade_vol@160:I contract_multiplier@164:i decay_quantity@168:i "
    "original_contract_size@172:i trading_reference_date@176:H appl_id@178:h maturity_year@180:H "
    "decay_start_date@182:H channel_id@184:H currency@186:s4 settl_currency@190:s4 secsubtype@194:s6 "
    "raw_symbol@200:s71 group@271:s21 exchange@292:s5 asset@297:s7 cfi@304:s7 security_type@311:s7 "
    "unit_of_measure@318:s31 underlying@349:s21 strike_price_currency@370:s4 instrument_class@374:c "
    "match_algorithm@375:c md_security_trading_status@376:B main_fraction@377:B price_display_format@378:B "
    "settl_price_type@379:B sub_fraction@380:B underlying_product@381:B security_update_action@382:c "
    "maturity_month@383:B maturity_day@384:B maturity_week@385:B user_defined_instrument@386:c "
    "contract_multiplier_unit@387:b flow_schedule_type@388:b tick_rule@389:B";

constexpr std::string_view kDefinitionV3 =
    "ts_recv@16:Q min_price_increment@24:q display_factor@32:q expiration@40:Q activation@48:Q "
    "high_limit_price@56:q low_limit_price@64:q max_price_variation@72:q unit_of_measure_qty@80:q "
    "min_price_increment_amount@88:q price_ratio@96:q strike_price@104:q raw_instrument_id@112:Q leg_price@120:q "
    "leg_delta@128:q inst_attrib_value@136:i underlying_id@140:I market_depth_implied@144:i market_depth@148:i "
    "market_segment_id@152:I max_trade_vol@156:I min_lot_size@160:i min_lot_size_block@164:i "
    "min_lot_size_round_lot@168:i min_trade_vol@172:I contract_multiplier@176:i decay_quantity@180:i "
    "original_contract_size@184:i leg_instrument_id@188:I leg_ratio_price_numerator@192:i "
    "leg_ratio_price_denominator@196:i leg_ratio_qty_numerator@200:i leg_ratio_qty_denominator@204:i "
    "leg_underlying_id@208:I appl_id@212:h maturity_year@214:H decay_start_date@216:H channel_id@218:H "
    "leg_count@220:H leg_index@222:H currency@224:s4 settl_currency@228:s4 secsubtype@232:s6 raw_symbol@238:s71 "
    "group@309:s21 exchange@330:s5 asset@335:s11 cfi@346:s7 security_type@353:s7 unit_of_measure@360:s31 "
    "underlying@391:s21 strike_price_currency@412:s4 leg_raw_symbol@416:s71 instrument_class@487:c "
    "match_algorithm@488:c main_fraction@489:B price_display_format@490:B sub_fraction@491:B "
    "underlying_product@492:B security_update_action@493:c maturity_month@494:B maturity_day@495:B "
    "maturity_week@496:B user_defined_instrument@497:c contract_multiplier_unit@498:b flow_schedule_type@499:b "
    "tick_rule@500:B leg_instrument_class@501:c leg_side@502:c";

constexpr std::string_view kErrorV1 = "err@16:s64";

constexpr std::string_view kErrorV2 = "err@16:s302 code@318:B is_last@319:B";

constexpr std::string_view kSystemV1 = "msg@16:s64";

constexpr std::string_view kSystemV2 = "msg@16:s303 code@319:B";

constexpr std::string_view kMappingV1 = "stype_in_symbol@16:s22 stype_out_symbol@38:s22 start_ts@64:Q end_ts@72:Q";

constexpr std::string_view kMappingV2 =
    "stype_in@16:B stype_in_symbol@17:s71 stype_out@88:B stype_out_symbol@89:s71 start_ts@160:Q end_ts@168:Q";

// A trade and ten levels of 32 bytes.
const std::string& Mbp10() {
  static const std::string fields = [] {
    std::string text(kTrade);
    for (size_t level = 0; level < 10; ++level) {
      size_t offset = 48 + 32 * level;
      for (const char* side : {"px", "sz", "ct"}) {
        for (const char* book : {"bid", "ask"}) {
          const bool price = side[0] == 'p';
          text += fmt::format(" {}_{}_{:02}@{}:{}", book, side, level, offset, price ? 'q' : 'I');
          offset += price ? 8 : 4;
        }
      }
    }
    return text;
  }();
  return fields;
}

const std::vector<RecordLayout>& Layouts() {
  static const std::vector<RecordLayout> layouts = {
      {"ohlcv-1s", 1, 3, 0x20, 56, kBar},
      {"ohlcv-1m", 1, 3, 0x21, 56, kBar},
      {"ohlcv-1h", 1, 3, 0x22, 56, kBar},
      {"ohlcv-1d", 1, 3, 0x23, 56, kBar},
      {"ohlcv-eod", 1, 3, 0x24, 56, kBar},
      {"trades", 1, 3, 0x00, 48, kTrade},
      {"tbbo", 1, 3, 0x01, 80, kMbp1},
      {"mbp-1", 1, 3, 0x01, 80, kMbp1},
      {"mbp-10", 1, 3, 0x0A, 368, Mbp10()},
      {"mbo", 1, 3, 0xA0, 56, kMbo},
      {"bbo-1s", 1, 3, 0xC3, 80, kBbo},
      {"bbo-1m", 1, 3, 0xC4, 80, kBbo},
      {"cmbp-1", 1, 3, 0xB1, 80, kCmbp1},
      {"tcbbo", 1, 3, 0xC2, 80, kCmbp1},
      {"cbbo-1s", 1, 3, 0xC0, 80, kCbbo},
      {"cbbo-1m", 1, 3, 0xC1, 80, kCbbo},
      {"definition", 1, 1, 0x13, 360, kDefinitionV1},
      {"definition", 2, 2, 0x13, 400, kDefinitionV2},
      {"definition", 3, 3, 0x13, 520, kDefinitionV3},
      {"statistics", 1, 2, 0x18, 64, kStatisticsV1},
      {"statistics", 3, 3, 0x18, 80, kStatisticsV3},
      {"status", 1, 3, 0x12, 40, kStatus},
      {"imbalance", 1, 3, 0x14, 112, kImbalance},
      {"symbol-mapping", 1, 1, 0x16, 80, kMappingV1},
      {"symbol-mapping", 2, 3, 0x16, 176, kMappingV2},
      {"system", 1, 1, 0x17, 80, kSystemV1},
      {"system", 2, 3, 0x17, 320, kSystemV2},
      {"error", 1, 1, 0x15, 80, kErrorV1},
      {"error", 2, 3, 0x15, 320, kErrorV2},
  };
  return layouts;
}

}  // namespace

const RecordLayout* FindLayout(std::string_view schema, int version) {
  for (const RecordLayout& layout : Layouts()) {
    if (layout.schema == schema && layout.first_version <= version && version <= layout.last_version) return &layout;
  }
  return nullptr;
}

std::span<const RecordLayout> AllLayouts() { return Layouts(); }

}  // namespace lode::codec::fixture
