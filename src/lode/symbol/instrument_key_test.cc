#include "lode/symbol/instrument_key.h"

#include <gtest/gtest.h>

namespace lode::symbol {
namespace {

std::string Plain(std::string_view text) {
  const auto key = ParseKey(text);
  return key ? FormatKey(*key, KeyStyle::kPlain) : key.error().message;
}

TEST(InstrumentKey, EverySpellingThereWasMeansTheSame) {
  for (const char* text : {"deribit:Option:BTC-USD-241225-50000-C", "DERIBIT:OPTION:BTC-USD-241225-50000-CALL",
                           "deribit:Option:BTC-USD-50000-241225-C", "DERIBIT:OPTION:BTC-USD-50000-241225-CALL",
                           "deribit:option:BTC/USD-241225-50000-c", "Deribit:OPT:btc-usd-241225-50000-call",
                           "DERIBIT:OPTION:BTC-USD:241225:50000:CALL", "DERIBIT:OPTION:BTC-USD-50000:241225:CALL"}) {
    EXPECT_EQ(Plain(text), "deribit:Option:BTC-USD-241225-50000-C") << text;
  }
  for (const char* text : {"deribit:Perp:BTC-USDT", "DERIBIT:PERPETUAL:BTC-USDT", "DERIBIT:PERP:BTC/USDT",
                           "deribit:perpetual:btc-usdt", "DERIBIT:SWAP:BTC-USDT"}) {
    EXPECT_EQ(Plain(text), "deribit:Perp:BTC-USDT") << text;
  }
  for (const char* text : {"binance:Spot:BTC-USDT", "BINANCE:SPOT_PAIR:BTC-USDT", "BINANCE:SPOT-PAIR:BTC/USDT"}) {
    EXPECT_EQ(Plain(text), "binance:Spot:BTC-USDT") << text;
  }
  for (const char* text : {"okex-swap:Perp:BTC-USDT", "OKX-SWAP:PERPETUAL:BTC-USDT", "okx-swap:Perp:BTC-USDT"}) {
    EXPECT_EQ(Plain(text), "okex-swap:Perp:BTC-USDT") << text;
  }
  EXPECT_EQ(Plain("DERIBIT:FUTURE:BTC-USD:241225"), "deribit:Future:BTC-USD-241225");
  EXPECT_EQ(Plain("CME:FUTURE:ES-202412"), "cme:Future:ES-202412");
  EXPECT_EQ(Plain("CME:OPTION:ES-202412-4500-CALL"), "cme:Option:ES-202412-4500-C");
  EXPECT_EQ(Plain("NASDAQ:EQUITY:AAPL"), "nasdaq:Equity:AAPL");
  EXPECT_EQ(Plain("WALLET:SPOT_ASSET:USDT"), "wallet:Asset:USDT");
  EXPECT_EQ(Plain("WALLET:SPOT-ASSET:USDT"), "wallet:Asset:USDT");
  EXPECT_EQ(Plain("ETHERFI:LST:WEETH"), "etherfi:Lst:WEETH");
  EXPECT_EQ(Plain("AAVE_V3:A_TOKEN:AUSDT"), "aave_v3:AToken:AUSDT");
  EXPECT_EQ(Plain("AAVE_V3:ATOKEN:AUSDT"), "aave_v3:AToken:AUSDT");
  EXPECT_EQ(Plain("AAVE_V3:DEBTTOKEN:DEBTWETH"), "aave_v3:DebtToken:DEBTWETH");
  EXPECT_EQ(Plain("deribit:Combo:BTC-CS-240329-50000_60000"), "deribit:Combo:BTC-CS-240329-50000_60000");
}

TEST(InstrumentKey, AStrikeThatLooksLikeADateStaysAStrike) {
  EXPECT_EQ(Plain("x:Option:BTC-USD-241225-240329-C"), "x:Option:BTC-USD-241225-240329-C");
  EXPECT_EQ(Plain("x:Option:BTC-USD-100000-241225-C"),
            "x:Option:BTC-USD-241225-100000-C");  // there is no month 00
  EXPECT_EQ(Plain("x:Option:XRP-USDC-0.55-240628-PUT"), "x:Option:XRP-USDC-240628-0.55-P");
}

TEST(InstrumentKey, WhatIsNoKeyIsRefusedWithAReason) {
  for (const char* text :
       {"", "BTC", "deribit:BTC-USD", "deribit:Perp:", "deribit:Perp:BTC", "deribit:Perp:BTC-USD-X", ":Perp:BTC-USD",
        "deribit:Swaption:BTC-USD", "deribit:Future:BTC-USD", "deribit:Future:BTC-USD-241325",
        "deribit:Option:BTC-USD-241225-50000", "deribit:Option:BTC-USD-241225-50000-X",
        "deribit:Option:BTC-USD-241225-5e4-C", "deribit:Option:BTC-USD-50000-60000-C", "deribit:Spot:-USD",
        "deribit:Spot:BTC USD", "de ribit:Spot:BTC-USD", "deribit:Combo:", "nasdaq:Equity:BRK-B"}) {
    const auto key = ParseKey(text);
    ASSERT_FALSE(key) << text << " is " << FormatKey(*key, KeyStyle::kPlain);
    EXPECT_EQ(key.error().kind, ErrorKind::kBadInput);
  }
}

}  // namespace
}  // namespace lode::symbol
