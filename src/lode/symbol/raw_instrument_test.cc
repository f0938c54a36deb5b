#include "lode/symbol/raw_instrument.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace lode::symbol {
namespace {

using testing::HasSubstr;

// exchange, type, id of the exchange, key. Written by hand from the exchanges' naming rules (docs/instrument-keys.md).
constexpr std::string_view kTable = R"(
deribit perpetual BTC-PERPETUAL deribit:Perp:BTC-USD
deribit perpetual ETH-PERPETUAL deribit:Perp:ETH-USD
deribit perpetual SOL-PERPETUAL deribit:Perp:SOL-USD
deribit perpetual BTC_USDC-PERPETUAL deribit:Perp:BTC-USDC
deribit perpetual ETH_USDC-PERPETUAL deribit:Perp:ETH-USDC
deribit perpetual SOL_USDC-PERPETUAL deribit:Perp:SOL-USDC
deribit perpetual XRP_USDC-PERPETUAL deribit:Perp:XRP-USDC
deribit perpetual DOGE_USDC-PERPETUAL deribit:Perp:DOGE-USDC
deribit perpetual 1INCH_USDC-PERPETUAL deribit:Perp:1INCH-USDC
deribit perpetual BTC_USDT-PERPETUAL deribit:Perp:BTC-USDT
deribit perpetual PAXG_USDC-PERPETUAL deribit:Perp:PAXG-USDC
deribit future BTC-27DEC24 deribit:Future:BTC-USD-241227
deribit future BTC-29MAR24 deribit:Future:BTC-USD-240329
deribit future BTC-5APR24 deribit:Future:BTC-USD-240405
deribit future BTC-31JAN20 deribit:Future:BTC-USD-200131
deribit future BTC-29FEB24 deribit:Future:BTC-USD-240229
deribit future ETH-28JUN24 deribit:Future:ETH-USD-240628
deribit future ETH-1MAY20 deribit:Future:ETH-USD-200501
deribit future BTC_USDC-26SEP25 deribit:Future:BTC-USDC-250926
deribit future ETH_USDC-25JUL25 deribit:Future:ETH-USDC-250725
deribit future BTCDVOL_USDC-28JUN23 deribit:Future:BTCDVOL-USDC-230628
deribit future ETHDVOL_USDC-31JUL24 deribit:Future:ETHDVOL-USDC-240731
deribit option BTC-29MAR24-50000-C deribit:Option:BTC-USD-240329-50000-C
deribit option BTC-29MAR24-50000-P deribit:Option:BTC-USD-240329-50000-P
deribit option BTC-25DEC24-50000-C deribit:Option:BTC-USD-241225-50000-C
deribit option BTC-9JUN20-9875-C deribit:Option:BTC-USD-200609-9875-C
deribit option BTC-9JUN20-9875-P deribit:Option:BTC-USD-200609-9875-P
deribit option BTC-26MAR21-10000-P deribit:Option:BTC-USD-210326-10000-P
deribit option BTC-1JAN25-100000-C deribit:Option:BTC-USD-250101-100000-C
deribit option ETH-28JUN24-3500-C deribit:Option:ETH-USD-240628-3500-C
deribit option ETH-25DEC20-100-P deribit:Option:ETH-USD-201225-100-P
deribit option SOL-29MAR24-150-C deribit:Option:SOL-USD-240329-150-C
deribit option SOL_USDC-29MAR24-150-C deribit:Option:SOL-USDC-240329-150-C
deribit option XRP_USDC-28JUN24-0d55-P deribit:Option:XRP-USDC-240628-0.55-P
deribit option XRP_USDC-28JUN24-0d525-C deribit:Option:XRP-USDC-240628-0.525-C
deribit option MATIC_USDC-26APR24-1d14-C deribit:Option:MATIC-USDC-240426-1.14-C
deribit option BTC_USDC-30AUG24-60000-P deribit:Option:BTC-USDC-240830-60000-P
deribit option ETH_USDC-7FEB25-2700-C deribit:Option:ETH-USDC-250207-2700-C
deribit spot BTC_USDC deribit:Spot:BTC-USDC
deribit spot ETH_USDC deribit:Spot:ETH-USDC
deribit spot ETH_BTC deribit:Spot:ETH-BTC
deribit spot BTC_USDT deribit:Spot:BTC-USDT
deribit spot STETH_USDC deribit:Spot:STETH-USDC
deribit spot USDC_USDT deribit:Spot:USDC-USDT
deribit combo BTC-FS-27DEC24_PERP deribit:Combo:BTC-FS-241227_PERP
deribit combo BTC-FS-28MAR25_PERP deribit:Combo:BTC-FS-250328_PERP
deribit combo BTC-FS-28MAR25_27DEC24 deribit:Combo:BTC-FS-250328_241227
deribit combo ETH-FS-5APR24_29MAR24 deribit:Combo:ETH-FS-240405_240329
deribit combo BTC-CS-29MAR24-50000_60000 deribit:Combo:BTC-CS-240329-50000_60000
deribit combo BTC-PS-29MAR24-50000_40000 deribit:Combo:BTC-PS-240329-50000_40000
deribit combo BTC-CDIAG-29MAR24_26APR24-50000_60000 deribit:Combo:BTC-CDIAG-240329_240426-50000_60000
deribit combo BTC-CCAL-29MAR24_26APR24-50000 deribit:Combo:BTC-CCAL-240329_240426-50000
deribit combo ETH-STRD-28JUN24-3500 deribit:Combo:ETH-STRD-240628-3500
deribit combo ETH-STRG-28JUN24-3000_4000 deribit:Combo:ETH-STRG-240628-3000_4000
deribit combo BTC-RR-26APR24-60000_80000 deribit:Combo:BTC-RR-240426-60000_80000
deribit combo BTC-ICOND-29MAR24-40000_45000_55000_60000 deribit:Combo:BTC-ICOND-240329-40000_45000_55000_60000
deribit combo BTC-BOX-29MAR24-40000_50000 deribit:Combo:BTC-BOX-240329-40000_50000
deribit combo BTC_USDC-FS-26SEP25_PERP deribit:Combo:BTC_USDC-FS-250926_PERP
deribit combo XRP_USDC-CS-28JUN24-0d5_0d6 deribit:Combo:XRP_USDC-CS-240628-0.5_0.6
binance spot btcusdt binance:Spot:BTC-USDT
binance spot ethusdt binance:Spot:ETH-USDT
binance spot ethbtc binance:Spot:ETH-BTC
binance spot bnbbtc binance:Spot:BNB-BTC
binance spot bnbeth binance:Spot:BNB-ETH
binance spot bnbusdt binance:Spot:BNB-USDT
binance spot 1inchusdt binance:Spot:1INCH-USDT
binance spot 1inchbtc binance:Spot:1INCH-BTC
binance spot 1000satsusdt binance:Spot:1000SATS-USDT
binance spot 1mbabydogeusdt binance:Spot:1MBABYDOGE-USDT
binance spot btcupusdt binance:Spot:BTCUP-USDT
binance spot ethdownusdt binance:Spot:ETHDOWN-USDT
binance spot btcbusd binance:Spot:BTC-BUSD
binance spot btcusdc binance:Spot:BTC-USDC
binance spot btcfdusd binance:Spot:BTC-FDUSD
binance spot btctusd binance:Spot:BTC-TUSD
binance spot btcusdp binance:Spot:BTC-USDP
binance spot btcpax binance:Spot:BTC-PAX
binance spot btcust binance:Spot:BTC-UST
binance spot btcdai binance:Spot:BTC-DAI
binance spot btcvai binance:Spot:BTC-VAI
binance spot btceur binance:Spot:BTC-EUR
binance spot btcgbp binance:Spot:BTC-GBP
binance spot btctry binance:Spot:BTC-TRY
binance spot btcbrl binance:Spot:BTC-BRL
binance spot btcaud binance:Spot:BTC-AUD
binance spot btcrub binance:Spot:BTC-RUB
binance spot btcuah binance:Spot:BTC-UAH
binance spot btcngn binance:Spot:BTC-NGN
binance spot btczar binance:Spot:BTC-ZAR
binance spot btcidrt binance:Spot:BTC-IDRT
binance spot btcbidr binance:Spot:BTC-BIDR
binance spot btcbkrw binance:Spot:BTC-BKRW
binance spot btcjpy binance:Spot:BTC-JPY
binance spot btcmxn binance:Spot:BTC-MXN
binance spot btcpln binance:Spot:BTC-PLN
binance spot btcron binance:Spot:BTC-RON
binance spot usdtbrl binance:Spot:USDT-BRL
binance spot usdttry binance:Spot:USDT-TRY
binance spot usdcusdt binance:Spot:USDC-USDT
binance spot tusdusdt binance:Spot:TUSD-USDT
binance spot fdusdusdt binance:Spot:FDUSD-USDT
binance spot tusdbtusd binance:Spot:TUSDB-TUSD
binance spot xrpbnb binance:Spot:XRP-BNB
binance spot bttctrx binance:Spot:BTTC-TRX
binance spot winxrp binance:Spot:WIN-XRP
binance spot shibdoge binance:Spot:SHIB-DOGE
binance spot wbetheth binance:Spot:WBETH-ETH
binance spot bnsolsol binance:Spot:BNSOL-SOL
binance spot eurusdt binance:Spot:EUR-USDT
binance spot dogeusdt binance:Spot:DOGE-USDT
binance spot pepeusdt binance:Spot:PEPE-USDT
binance spot arbbtc binance:Spot:ARB-BTC
binance spot susdt binance:Spot:S-USDT
binance spot tusdt binance:Spot:T-USDT
binance-us spot BTCUSD binance-us:Spot:BTC-USD
binance-us spot BTCUSDT binance-us:Spot:BTC-USDT
binance-us spot ETHBTC binance-us:Spot:ETH-BTC
binance-futures perpetual btcusdt binance-futures:Perp:BTC-USDT
binance-futures perpetual ETHUSDT binance-futures:Perp:ETH-USDT
binance-futures perpetual 1000PEPEUSDT binance-futures:Perp:1000PEPE-USDT
binance-futures perpetual 1000shibusdt binance-futures:Perp:1000SHIB-USDT
binance-futures perpetual 1000000MOGUSDT binance-futures:Perp:1000000MOG-USDT
binance-futures perpetual 1INCHUSDT binance-futures:Perp:1INCH-USDT
binance-futures perpetual BTCBUSD binance-futures:Perp:BTC-BUSD
binance-futures perpetual BTCUSDC binance-futures:Perp:BTC-USDC
binance-futures perpetual 1000BONKUSDC binance-futures:Perp:1000BONK-USDC
binance-futures perpetual ETHBTC binance-futures:Perp:ETH-BTC
binance-futures perpetual DEFIUSDT binance-futures:Perp:DEFI-USDT
binance-futures perpetual BTCDOMUSDT binance-futures:Perp:BTCDOM-USDT
binance-futures perpetual BTCSTUSDT binance-futures:Perp:BTCST-USDT
binance-futures perpetual ICPUSDT_SETTLED1650556800 binance-futures:Perp:ICP-USDT_SETTLED1650556800
binance-futures future BTCUSDT_240329 binance-futures:Future:BTC-USDT-240329
binance-futures future btcusdt_210326 binance-futures:Future:BTC-USDT-210326
binance-futures future ETHUSDT_240628 binance-futures:Future:ETH-USDT-240628
binance-futures future ETHUSDT_251226 binance-futures:Future:ETH-USDT-251226
binance-delivery perpetual BTCUSD_PERP binance-delivery:Perp:BTC-USD
binance-delivery perpetual ethusd_perp binance-delivery:Perp:ETH-USD
binance-delivery perpetual 1000SHIBUSD_PERP binance-delivery:Perp:1000SHIB-USD
binance-delivery future BTCUSD_240329 binance-delivery:Future:BTC-USD-240329
binance-delivery future ethusd_200925 binance-delivery:Future:ETH-USD-200925
binance-european-options option BTC-240329-50000-C binance-european-options:Option:BTC-USDT-240329-50000-C
binance-european-options option ETH-240628-3500-P binance-european-options:Option:ETH-USDT-240628-3500-P
binance-european-options option XRP-240329-0.55-P binance-european-options:Option:XRP-USDT-240329-0.55-P
bybit perpetual BTCUSD bybit:Perp:BTC-USD
bybit perpetual ETHUSD bybit:Perp:ETH-USD
bybit perpetual XRPUSD bybit:Perp:XRP-USD
bybit perpetual BTCUSDT bybit:Perp:BTC-USDT
bybit perpetual ETHUSDT bybit:Perp:ETH-USDT
bybit perpetual 1000PEPEUSDT bybit:Perp:1000PEPE-USDT
bybit perpetual SHIB1000USDT bybit:Perp:SHIB1000-USDT
bybit perpetual 10000LADYSUSDT bybit:Perp:10000LADYS-USDT
bybit perpetual 1INCHUSDT bybit:Perp:1INCH-USDT
bybit perpetual BTCPERP bybit:Perp:BTC-USDC
bybit perpetual ETHPERP bybit:Perp:ETH-USDC
bybit perpetual 1000PEPEPERP bybit:Perp:1000PEPE-USDC
bybit perpetual PERPUSDT bybit:Perp:PERP-USDT
bybit perpetual USDCUSDT bybit:Perp:USDC-USDT
bybit future BTCUSDZ24 bybit:Future:BTC-USD-241227
bybit future BTCUSDH24 bybit:Future:BTC-USD-240329
bybit future BTCUSDM23 bybit:Future:BTC-USD-230630
bybit future BTCUSDU22 bybit:Future:BTC-USD-220930
bybit future ETHUSDH25 bybit:Future:ETH-USD-250328
bybit future ETHUSDU21 bybit:Future:ETH-USD-210924
bybit future EOSUSDZ22 bybit:Future:EOS-USD-221230
bybit future BTC-29MAR24 bybit:Future:BTC-USDC-240329
bybit future BTC-5APR24 bybit:Future:BTC-USDC-240405
bybit future ETH-27DEC24 bybit:Future:ETH-USDC-241227
bybit future SOL-26SEP25 bybit:Future:SOL-USDC-250926
bybit future BTCUSDT-26DEC25 bybit:Future:BTC-USDT-251226
bybit future ETHUSDT-9JAN26 bybit:Future:ETH-USDT-260109
bybit-spot spot BTCUSDT bybit-spot:Spot:BTC-USDT
bybit-spot spot ETHUSDC bybit-spot:Spot:ETH-USDC
bybit-spot spot ETHBTC bybit-spot:Spot:ETH-BTC
bybit-spot spot BTCEUR bybit-spot:Spot:BTC-EUR
bybit-spot spot BTCBRL bybit-spot:Spot:BTC-BRL
bybit-spot spot BTCDAI bybit-spot:Spot:BTC-DAI
bybit-spot spot BTCBRZ bybit-spot:Spot:BTC-BRZ
bybit-spot spot BTCUSDE bybit-spot:Spot:BTC-USDE
bybit-spot spot USDEUSDT bybit-spot:Spot:USDE-USDT
bybit-spot spot USDCUSDT bybit-spot:Spot:USDC-USDT
bybit-spot spot BTC3LUSDT bybit-spot:Spot:BTC3L-USDT
bybit-spot spot 1SOLUSDT bybit-spot:Spot:1SOL-USDT
bybit-spot spot METHETH bybit-spot:Spot:METH-ETH
bybit-options option BTC-29MAR24-50000-C bybit-options:Option:BTC-USDC-240329-50000-C
bybit-options option ETH-28JUN24-3500-P bybit-options:Option:ETH-USDC-240628-3500-P
bybit-options option BTC-27JUN25-100000-C-USDT bybit-options:Option:BTC-USDT-250627-100000-C
okex spot BTC-USDT okex:Spot:BTC-USDT
okex spot ETH-BTC okex:Spot:ETH-BTC
okex spot BTC-USDC okex:Spot:BTC-USDC
okex spot BTC-EUR okex:Spot:BTC-EUR
okex spot BTC-BRL okex:Spot:BTC-BRL
okex spot 1INCH-USDT okex:Spot:1INCH-USDT
okex spot OKB-BTC okex:Spot:OKB-BTC
okex spot LTC-OKB okex:Spot:LTC-OKB
okex spot USDT-USDK okex:Spot:USDT-USDK
okex-swap perpetual BTC-USDT-SWAP okex-swap:Perp:BTC-USDT
okex-swap perpetual BTC-USD-SWAP okex-swap:Perp:BTC-USD
okex-swap perpetual BTC-USDC-SWAP okex-swap:Perp:BTC-USDC
okex-swap perpetual ETH-USD-SWAP okex-swap:Perp:ETH-USD
okex-swap perpetual PEPE-USDT-SWAP okex-swap:Perp:PEPE-USDT
okex-swap perpetual 1INCH-USDT-SWAP okex-swap:Perp:1INCH-USDT
okex-swap perpetual 10000SATS-USDT-SWAP okex-swap:Perp:10000SATS-USDT
okex-futures future BTC-USDT-240329 okex-futures:Future:BTC-USDT-240329
okex-futures future BTC-USD-240329 okex-futures:Future:BTC-USD-240329
okex-futures future BTC-USDC-250627 okex-futures:Future:BTC-USDC-250627
okex-futures future ETH-USD-190628 okex-futures:Future:ETH-USD-190628
okex-futures future EOS-USDT-200327 okex-futures:Future:EOS-USDT-200327
okex-options option BTC-USD-240329-50000-C okex-options:Option:BTC-USD-240329-50000-C
okex-options option BTC-USD-200110-7250-P okex-options:Option:BTC-USD-200110-7250-P
okex-options option ETH-USD-240628-3500-P okex-options:Option:ETH-USD-240628-3500-P
coinbase spot BTC-USD coinbase:Spot:BTC-USD
coinbase spot ETH-EUR coinbase:Spot:ETH-EUR
coinbase spot 1INCH-GBP coinbase:Spot:1INCH-GBP
upbit spot KRW-BTC upbit:Spot:BTC-KRW
upbit spot KRW-ETH upbit:Spot:ETH-KRW
upbit spot BTC-ETH upbit:Spot:ETH-BTC
upbit spot USDT-BTC upbit:Spot:BTC-USDT
upbit spot KRW-1INCH upbit:Spot:1INCH-KRW
upbit spot KRW-BTT upbit:Spot:BTT-KRW
upbit spot BTC-XRP upbit:Spot:XRP-BTC
)";

struct Row {
  std::string exchange, type, id, key;
};
std::vector<Row> Table() {
  std::vector<Row> rows;
  std::istringstream lines{std::string(kTable)};
  for (Row row; lines >> row.exchange >> row.type >> row.id >> row.key;) rows.push_back(row);
  return rows;
}

RawInstrument Raw(const Row& row) { return {.exchange = row.exchange, .id = row.id, .type = row.type}; }

TEST(RawInstrument, EachIdOfTheTableHasItsKey) {
  const std::vector<Row> table = Table();
  ASSERT_GE(table.size(), 200u);
  std::set<std::string> keys;
  for (const Row& row : table) {
    const auto key = KeyOf(Raw(row));
    ASSERT_TRUE(key) << key.error().ToString();
    EXPECT_EQ(FormatKey(*key, KeyStyle::kPlain), row.key) << row.id;
    EXPECT_TRUE(keys.insert(row.key).second) << row.key << " twice";
  }
}

TEST(RawInstrument, KeysOfBothStylesReadBackAsTheyWere) {
  for (const Row& row : Table()) {
    const auto key = KeyOf(Raw(row));
    ASSERT_TRUE(key);
    for (const KeyStyle style : {KeyStyle::kPlain, KeyStyle::kUpper}) {
      const auto read = ParseKey(FormatKey(*key, style));
      ASSERT_TRUE(read) << read.error().ToString();
      EXPECT_EQ(*read, *key) << FormatKey(*key, style);
    }
  }
}

TEST(RawInstrument, TheLaterStyleIsAllUpperCase) {
  const auto upper = [](const char* exchange, const char* type, const char* id) {
    return FormatKey(KeyOf({.exchange = exchange, .id = id, .type = type}).value(), KeyStyle::kUpper);
  };
  EXPECT_EQ(upper("deribit", "option", "BTC-29MAR24-50000-C"), "DERIBIT:OPTION:BTC-USD-240329-50000-CALL");
  EXPECT_EQ(upper("deribit", "option", "XRP_USDC-28JUN24-0d55-P"), "DERIBIT:OPTION:XRP-USDC-240628-0.55-PUT");
  EXPECT_EQ(upper("deribit", "combo", "BTC-CS-29MAR24-50000_60000"), "DERIBIT:COMBO:BTC-CS-240329-50000_60000");
  EXPECT_EQ(upper("binance", "spot", "btcusdt"), "BINANCE:SPOT_PAIR:BTC-USDT");
  EXPECT_EQ(upper("binance-futures", "perpetual", "1000PEPEUSDT"), "BINANCE-FUTURES:PERPETUAL:1000PEPE-USDT");
  EXPECT_EQ(upper("okex-swap", "perpetual", "BTC-USDT-SWAP"), "OKX-SWAP:PERPETUAL:BTC-USDT");
  EXPECT_EQ(upper("okex-futures", "future", "BTC-USDT-240329"), "OKX-FUTURES:FUTURE:BTC-USDT-240329");
}

TEST(RawInstrument, WhatTheRulesCannotReadIsNamedAndNothingIsGuessed) {
  for (const auto& [exchange, type, id] :
       std::initializer_list<std::array<const char*, 3>>{{"deribit", "option", "BTC-30FEB24-50000-C"},
                                                         {"deribit", "option", "BTC-29MAR24-50000-X"},
                                                         {"deribit", "option", "BTC-29MAR24-1E5-C"},
                                                         {"deribit", "option", "OPTIONS"},
                                                         {"deribit", "future", "BTC-PERPETUAL"},
                                                         {"deribit", "perpetual", "BTC"},
                                                         {"deribit", "perpetual", "_USDC-PERPETUAL"},
                                                         {"deribit", "spot", "BTC"},
                                                         {"binance", "spot", "btcxyz"},
                                                         {"binance", "spot", "usdt"},
                                                         {"binance-futures", "future", "BTCUSDT"},
                                                         {"binance-futures", "future", "BTCUSDT_241301"},
                                                         {"bybit", "future", "BTCUSDA24"},
                                                         {"okex-swap", "perpetual", "BTC-USDT"},
                                                         {"upbit", "spot", "KRW"},
                                                         {"deribit", "prediction", "BTC-PERPETUAL"},
                                                         {"deribit", "perpetual", ""},
                                                         {"somewhere", "spot", "BTC-USD"}}) {
    const auto key = KeyOf({.exchange = exchange, .id = id, .type = type});
    ASSERT_FALSE(key) << FormatKey(*key, KeyStyle::kPlain);
    EXPECT_THAT(key.error().message, HasSubstr(id));
  }
}

TEST(RawInstrument, TermsTellWhatAnExchangeWithoutRulesLists) {
  RawInstrument raw{.exchange = "bitmex", .id = "XBTH24", .type = "future", .base = "BTC", .quote = "USD"};
  EXPECT_FALSE(KeyOf(raw));
  raw.expiry = ToDay({2024, 3, 29});
  EXPECT_EQ(FormatKey(KeyOf(raw).value(), KeyStyle::kPlain), "bitmex:Future:BTC-USD-240329");
  const RawInstrument option{.exchange = "x",
                             .id = "o",
                             .type = "option",
                             .base = "BTC",
                             .quote = "USD",
                             .strike = "50000",
                             .side = 'P',
                             .expiry = ToDay({2024, 3, 29})};
  EXPECT_EQ(FormatKey(KeyOf(option).value(), KeyStyle::kPlain), "x:Option:BTC-USD-240329-50000-P");
}

TEST(RawInstrument, SettlementAndCcxtNamesFollowTheKey) {
  const auto ccxt = [](const char* key) { return CcxtSymbol(ParseKey(key).value()); };
  EXPECT_EQ(ccxt("binance:Spot:BTC-USDT"), "BTC/USDT");
  EXPECT_EQ(ccxt("binance-futures:Perp:BTC-USDT"), "BTC/USDT:USDT");
  EXPECT_EQ(ccxt("deribit:Perp:BTC-USD"), "BTC/USD:BTC");
  EXPECT_EQ(ccxt("deribit:Option:BTC-USD-241225-50000-C"), "BTC/USD:BTC-241225-50000-C");
  EXPECT_EQ(ccxt("deribit:Future:BTC-USDC-250926"), "BTC/USDC:USDC-250926");
  EXPECT_EQ(ccxt("deribit:Combo:BTC-FS-250328_PERP"), "");
  EXPECT_EQ(CcxtExchange("binance-futures"), "binanceusdm");
  EXPECT_EQ(CcxtExchange("okex-swap"), "okx");
}

}  // namespace
}  // namespace lode::symbol
