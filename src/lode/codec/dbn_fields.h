// Field offsets of every DBN record, from the vendor's published struct layouts. Only dbn_layout.cc reads them.
#pragma once

#include <cstdint>
#include <string_view>

#include "lode/codec/dbn_layout.h"

namespace lode::codec::dbn {

using enum FieldKind;

struct Field {
  std::string_view name;
  FieldKind kind;
  uint16_t offset;
  uint16_t width = 0;
};

// Header of events. Bars have their own loop.
inline constexpr Field kHeader[] = {
    {"rtype", kU8, 1}, {"publisher_id", kU16, 2}, {"instrument_id", kU32, 4}, {"ts_event", kTime, 8}};

// trades; tbbo, mbp-1 and mbp-10 with levels behind.
inline constexpr Field kTrade[] = {{"price", kPrice, 16},  {"size", kSize, 24},       {"action", kChar, 28},
                                   {"side", kChar, 29},    {"flags", kU8, 30},        {"depth", kU8, 31},
                                   {"ts_recv", kTime, 32}, {"ts_in_delta", kI32, 40}, {"sequence", kU32, 44}};

// mbo.
inline constexpr Field kMbo[] = {{"order_id", kU64, 16}, {"price", kPrice, 24},   {"size", kSize, 32},
                                 {"flags", kU8, 36},     {"channel_id", kU8, 37}, {"action", kChar, 38},
                                 {"side", kChar, 39},    {"ts_recv", kTime, 40},  {"ts_in_delta", kI32, 48},
                                 {"sequence", kU32, 52}};

// bbo-1s, bbo-1m.
inline constexpr Field kBbo[] = {{"price", kPrice, 16}, {"size", kSize, 24},    {"side", kChar, 29},
                                 {"flags", kU8, 30},    {"ts_recv", kTime, 32}, {"sequence", kU32, 44}};

// cmbp-1, tcbbo.
inline constexpr Field kCmbp[] = {{"price", kPrice, 16},    {"size", kSize, 24}, {"action", kChar, 28},
                                  {"side", kChar, 29},      {"flags", kU8, 30},  {"ts_recv", kTime, 32},
                                  {"ts_in_delta", kI32, 40}};

// cbbo-1s, cbbo-1m.
inline constexpr Field kCbbo[] = {
    {"price", kPrice, 16}, {"size", kSize, 24}, {"side", kChar, 29}, {"flags", kU8, 30}, {"ts_recv", kTime, 32}};

// statistics, versions 1 and 2.
inline constexpr Field kStatisticsV1[] = {
    {"ts_recv", kTime, 16},     {"ts_ref", kTime, 24},     {"price", kPrice, 32},   {"quantity", kQuantity32, 40},
    {"sequence", kU32, 44},     {"ts_in_delta", kI32, 48}, {"stat_type", kU16, 52}, {"channel_id", kU16, 54},
    {"update_action", kU8, 56}, {"stat_flags", kU8, 57}};

// statistics, version 3.
inline constexpr Field kStatisticsV3[] = {
    {"ts_recv", kTime, 16},     {"ts_ref", kTime, 24},     {"price", kPrice, 32},   {"quantity", kQuantity64, 40},
    {"sequence", kU32, 48},     {"ts_in_delta", kI32, 52}, {"stat_type", kU16, 56}, {"channel_id", kU16, 58},
    {"update_action", kU8, 60}, {"stat_flags", kU8, 61}};

// status.
inline constexpr Field kStatus[] = {{"ts_recv", kTime, 16},
                                    {"action", kU16, 24},
                                    {"reason", kU16, 26},
                                    {"trading_event", kU16, 28},
                                    {"is_trading", kChar, 30},
                                    {"is_quoting", kChar, 31},
                                    {"is_short_sell_restricted", kChar, 32}};

// imbalance.
inline constexpr Field kImbalance[] = {{"ts_recv", kTime, 16},
                                       {"ref_price", kPrice, 24},
                                       {"auction_time", kTime, 32},
                                       {"cont_book_clr_price", kPrice, 40},
                                       {"auct_interest_clr_price", kPrice, 48},
                                       {"ssr_filling_price", kPrice, 56},
                                       {"ind_match_price", kPrice, 64},
                                       {"upper_collar", kPrice, 72},
                                       {"lower_collar", kPrice, 80},
                                       {"paired_qty", kSize, 88},
                                       {"total_imbalance_qty", kSize, 92},
                                       {"market_imbalance_qty", kSize, 96},
                                       {"unpaired_qty", kSize, 100},
                                       {"auction_type", kChar, 104},
                                       {"side", kChar, 105},
                                       {"auction_status", kU8, 106},
                                       {"freeze_status", kU8, 107},
                                       {"num_extensions", kU8, 108},
                                       {"unpaired_side", kChar, 109},
                                       {"significant_imbalance", kChar, 110}};

// definition, version 1.
inline constexpr Field kDefinitionV1[] = {{"ts_recv", kTime, 16},
                                          {"min_price_increment", kPrice, 24},
                                          {"display_factor", kPrice, 32},
                                          {"expiration", kTime, 40},
                                          {"activation", kTime, 48},
                                          {"high_limit_price", kPrice, 56},
                                          {"low_limit_price", kPrice, 64},
                                          {"max_price_variation", kPrice, 72},
                                          {"trading_reference_price", kPrice, 80},
                                          {"unit_of_measure_qty", kPrice, 88},
                                          {"min_price_increment_amount", kPrice, 96},
                                          {"price_ratio", kPrice, 104},
                                          {"inst_attrib_value", kI32, 112},
                                          {"underlying_id", kU32, 116},
                                          {"raw_instrument_id", kU32AsU64, 120},
                                          {"market_depth_implied", kI32, 124},
                                          {"market_depth", kI32, 128},
                                          {"market_segment_id", kU32, 132},
                                          {"max_trade_vol", kU32, 136},
                                          {"min_lot_size", kI32, 140},
                                          {"min_lot_size_block", kI32, 144},
                                          {"min_lot_size_round_lot", kI32, 148},
                                          {"min_trade_vol", kU32, 152},
                                          {"contract_multiplier", kI32, 160},
                                          {"decay_quantity", kI32, 164},
                                          {"original_contract_size", kI32, 168},
                                          {"trading_reference_date", kU16, 176},
                                          {"appl_id", kI16, 178},
                                          {"maturity_year", kU16, 180},
                                          {"decay_start_date", kU16, 182},
                                          {"channel_id", kU16, 184},
                                          {"currency", kText, 186, 4},
                                          {"settl_currency", kText, 190, 4},
                                          {"secsubtype", kText, 194, 6},
                                          {"raw_symbol", kText, 200, 22},
                                          {"group", kText, 222, 21},
                                          {"exchange", kText, 243, 5},
                                          {"asset", kText, 248, 7},
                                          {"cfi", kText, 255, 7},
                                          {"security_type", kText, 262, 7},
                                          {"unit_of_measure", kText, 269, 31},
                                          {"underlying", kText, 300, 21},
                                          {"strike_price_currency", kText, 321, 4},
                                          {"instrument_class", kChar, 325},
                                          {"strike_price", kPrice, 328},
                                          {"match_algorithm", kChar, 342},
                                          {"md_security_trading_status", kU8, 343},
                                          {"main_fraction", kU8, 344},
                                          {"price_display_format", kU8, 345},
                                          {"settl_price_type", kU8, 346},
                                          {"sub_fraction", kU8, 347},
                                          {"underlying_product", kU8, 348},
                                          {"security_update_action", kChar, 349},
                                          {"maturity_month", kU8, 350},
                                          {"maturity_day", kU8, 351},
                                          {"maturity_week", kU8, 352},
                                          {"user_defined_instrument", kChar, 353},
                                          {"contract_multiplier_unit", kI8, 354},
                                          {"flow_schedule_type", kI8, 355},
                                          {"tick_rule", kU8, 356}};

// definition, version 2.
inline constexpr Field kDefinitionV2[] = {{"ts_recv", kTime, 16},
                                          {"min_price_increment", kPrice, 24},
                                          {"display_factor", kPrice, 32},
                                          {"expiration", kTime, 40},
                                          {"activation", kTime, 48},
                                          {"high_limit_price", kPrice, 56},
                                          {"low_limit_price", kPrice, 64},
                                          {"max_price_variation", kPrice, 72},
                                          {"trading_reference_price", kPrice, 80},
                                          {"unit_of_measure_qty", kPrice, 88},
                                          {"min_price_increment_amount", kPrice, 96},
                                          {"price_ratio", kPrice, 104},
                                          {"strike_price", kPrice, 112},
                                          {"inst_attrib_value", kI32, 120},
                                          {"underlying_id", kU32, 124},
                                          {"raw_instrument_id", kU32AsU64, 128},
                                          {"market_depth_implied", kI32, 132},
                                          {"market_depth", kI32, 136},
                                          {"market_segment_id", kU32, 140},
                                          {"max_trade_vol", kU32, 144},
                                          {"min_lot_size", kI32, 148},
                                          {"min_lot_size_block", kI32, 152},
                                          {"min_lot_size_round_lot", kI32, 156},
                                          {"min_trade_vol", kU32, 160},
                                          {"contract_multiplier", kI32, 164},
                                          {"decay_quantity", kI32, 168},
                                          {"original_contract_size", kI32, 172},
                                          {"trading_reference_date", kU16, 176},
                                          {"appl_id", kI16, 178},
                                          {"maturity_year", kU16, 180},
                                          {"decay_start_date", kU16, 182},
                                          {"channel_id", kU16, 184},
                                          {"currency", kText, 186, 4},
                                          {"settl_currency", kText, 190, 4},
                                          {"secsubtype", kText, 194, 6},
                                          {"raw_symbol", kText, 200, 71},
                                          {"group", kText, 271, 21},
                                          {"exchange", kText, 292, 5},
                                          {"asset", kText, 297, 7},
                                          {"cfi", kText, 304, 7},
                                          {"security_type", kText, 311, 7},
                                          {"unit_of_measure", kText, 318, 31},
                                          {"underlying", kText, 349, 21},
                                          {"strike_price_currency", kText, 370, 4},
                                          {"instrument_class", kChar, 374},
                                          {"match_algorithm", kChar, 375},
                                          {"md_security_trading_status", kU8, 376},
                                          {"main_fraction", kU8, 377},
                                          {"price_display_format", kU8, 378},
                                          {"settl_price_type", kU8, 379},
                                          {"sub_fraction", kU8, 380},
                                          {"underlying_product", kU8, 381},
                                          {"security_update_action", kChar, 382},
                                          {"maturity_month", kU8, 383},
                                          {"maturity_day", kU8, 384},
                                          {"maturity_week", kU8, 385},
                                          {"user_defined_instrument", kChar, 386},
                                          {"contract_multiplier_unit", kI8, 387},
                                          {"flow_schedule_type", kI8, 388},
                                          {"tick_rule", kU8, 389}};

// definition, version 3.
inline constexpr Field kDefinitionV3[] = {{"ts_recv", kTime, 16},
                                          {"min_price_increment", kPrice, 24},
                                          {"display_factor", kPrice, 32},
                                          {"expiration", kTime, 40},
                                          {"activation", kTime, 48},
                                          {"high_limit_price", kPrice, 56},
                                          {"low_limit_price", kPrice, 64},
                                          {"max_price_variation", kPrice, 72},
                                          {"unit_of_measure_qty", kPrice, 80},
                                          {"min_price_increment_amount", kPrice, 88},
                                          {"price_ratio", kPrice, 96},
                                          {"strike_price", kPrice, 104},
                                          {"raw_instrument_id", kU64, 112},
                                          {"leg_price", kPrice, 120},
                                          {"leg_delta", kPrice, 128},
                                          {"inst_attrib_value", kI32, 136},
                                          {"underlying_id", kU32, 140},
                                          {"market_depth_implied", kI32, 144},
                                          {"market_depth", kI32, 148},
                                          {"market_segment_id", kU32, 152},
                                          {"max_trade_vol", kU32, 156},
                                          {"min_lot_size", kI32, 160},
                                          {"min_lot_size_block", kI32, 164},
                                          {"min_lot_size_round_lot", kI32, 168},
                                          {"min_trade_vol", kU32, 172},
                                          {"contract_multiplier", kI32, 176},
                                          {"decay_quantity", kI32, 180},
                                          {"original_contract_size", kI32, 184},
                                          {"leg_instrument_id", kU32, 188},
                                          {"leg_ratio_price_numerator", kI32, 192},
                                          {"leg_ratio_price_denominator", kI32, 196},
                                          {"leg_ratio_qty_numerator", kI32, 200},
                                          {"leg_ratio_qty_denominator", kI32, 204},
                                          {"leg_underlying_id", kU32, 208},
                                          {"appl_id", kI16, 212},
                                          {"maturity_year", kU16, 214},
                                          {"decay_start_date", kU16, 216},
                                          {"channel_id", kU16, 218},
                                          {"leg_count", kU16, 220},
                                          {"leg_index", kU16, 222},
                                          {"currency", kText, 224, 4},
                                          {"settl_currency", kText, 228, 4},
                                          {"secsubtype", kText, 232, 6},
                                          {"raw_symbol", kText, 238, 71},
                                          {"group", kText, 309, 21},
                                          {"exchange", kText, 330, 5},
                                          {"asset", kText, 335, 11},
                                          {"cfi", kText, 346, 7},
                                          {"security_type", kText, 353, 7},
                                          {"unit_of_measure", kText, 360, 31},
                                          {"underlying", kText, 391, 21},
                                          {"strike_price_currency", kText, 412, 4},
                                          {"leg_raw_symbol", kText, 416, 71},
                                          {"instrument_class", kChar, 487},
                                          {"match_algorithm", kChar, 488},
                                          {"main_fraction", kU8, 489},
                                          {"price_display_format", kU8, 490},
                                          {"sub_fraction", kU8, 491},
                                          {"underlying_product", kU8, 492},
                                          {"security_update_action", kChar, 493},
                                          {"maturity_month", kU8, 494},
                                          {"maturity_day", kU8, 495},
                                          {"maturity_week", kU8, 496},
                                          {"user_defined_instrument", kChar, 497},
                                          {"contract_multiplier_unit", kI8, 498},
                                          {"flow_schedule_type", kI8, 499},
                                          {"tick_rule", kU8, 500},
                                          {"leg_instrument_class", kChar, 501},
                                          {"leg_side", kChar, 502}};

}  // namespace lode::codec::dbn
