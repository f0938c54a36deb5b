#include "products.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace lode::vendor {
namespace {

constexpr Day kForever{2'000'000};

struct Row {
  const char* root;
  const char* months;
  double price, tick;
  YearMonthDay first = {2010, 6, 6};
  YearMonthDay last = {0, 0, 0};
  bool early = false, far = false;
};

constexpr const char* kEvery = "FGHJKMNQUVXZ";
constexpr const char* kQuarters = "HMUZ";

// The roots of CME Globex that the seeds' lists name and that exist there, with rounded prices and ticks.
const Row kGlobex[] = {
    {"ZL", "FHKNQUVZ", 48.5, 0.01},
    {"ZS", "FHKNQUX", 1180, 0.25},
    {"ZM", "FHKNQUVZ", 352, 0.1},
    {"ZC", "HKNUZ", 452, 0.25},
    {"ZW", "HKNUZ", 590, 0.25},
    {"KE", "HKNUZ", 610, 0.25},
    {"ZO", "HKNUZ", 360, 0.25},
    {"ZR", "FHKNUX", 15.2, 0.005},
    {"XC", "HKNUZ", 452, 0.125},
    {"XW", "HKNUZ", 590, 0.125},
    {"XK", "FHKNQUX", 1180, 0.125},
    {"CPO", kEvery, 880, 0.25, {2010, 9, 13}},
    {"LE", "GJMQVZ", 178, 0.025},
    {"GF", "FHJKQUVX", 245, 0.025},
    {"HE", "GJKMNQVZ", 88, 0.025},
    {"DC", kEvery, 18.5, 0.01},
    {"DY", kEvery, 44, 0.025},
    {"YO", "HKNV", 19.5, 0.01},
    {"KT", "HKNUZ", 210, 0.05},
    {"CJ", "HKNUZ", 2'900, 1},
    {"TT", "HKNVZ", 82, 0.01},
    {"LBR", "FHKNUX", 540, 0.5, {2022, 8, 8}},
    {"CL", kEvery, 78, 0.01, {2010, 6, 6}, {0, 0, 0}, true, true},
    {"BZ", kEvery, 82, 0.01, {2010, 6, 6}, {0, 0, 0}, true},
    {"HO", kEvery, 2.5, 0.0001, {2010, 6, 6}, {0, 0, 0}, true},
    {"RB", kEvery, 2.4, 0.0001, {2010, 6, 6}, {0, 0, 0}, true},
    {"NG", kEvery, 3.1, 0.001, {2010, 6, 6}, {0, 0, 0}, true},
    {"QM", kEvery, 78, 0.025, {2010, 6, 6}, {0, 0, 0}, true},
    {"QG", kEvery, 3.1, 0.005, {2010, 6, 6}, {0, 0, 0}, true},
    {"QH", kEvery, 2.5, 0.001, {2010, 6, 6}, {0, 0, 0}, true},
    {"QU", kEvery, 2.4, 0.001, {2010, 6, 6}, {0, 0, 0}, true},
    {"MCL", kEvery, 78, 0.01, {2021, 7, 11}, {0, 0, 0}, true},
    {"CU", kEvery, 2.1, 0.0005},
    {"GC", "GJMQVZ", 1'950, 0.1},
    {"SI", "HKNUZ", 24, 0.005},
    {"HG", "HKNUZ", 3.9, 0.0005},
    {"PL", "FJNV", 980, 0.1},
    {"PA", "HMUZ", 1'100, 0.5},
    {"ALI", kEvery, 2'400, 0.25, {2014, 5, 4}},
    {"MGC", "GJMQVZ", 1'950, 0.1, {2010, 10, 3}},
    {"SIL", "HKNUZ", 24, 0.005, {2013, 9, 8}},
    {"QI", "HKNUZ", 24, 0.0125},
    {"QO", "GJMQVZ", 1'950, 0.25},
    {"ES", kQuarters, 4'300, 0.25},
    {"NQ", kQuarters, 15'000, 0.25},
    {"YM", kQuarters, 34'000, 1},
    {"RTY", kQuarters, 1'950, 0.1, {2017, 7, 9}},
    {"EMD", kQuarters, 2'600, 0.1},
    {"MES", kQuarters, 4'300, 0.25, {2019, 5, 5}},
    {"MNQ", kQuarters, 15'000, 0.25, {2019, 5, 5}},
    {"MYM", kQuarters, 34'000, 1, {2019, 5, 5}},
    {"M2K", kQuarters, 1'950, 0.1, {2019, 5, 5}},
    {"NIY", kQuarters, 28'000, 5},
    {"6A", kQuarters, 0.72, 0.00005},
    {"6B", kQuarters, 1.31, 0.0001},
    {"6C", kQuarters, 0.76, 0.00005},
    {"6E", kQuarters, 1.12, 0.00005},
    {"6J", kQuarters, 0.0085, 0.0000005},
    {"6L", kEvery, 0.21, 0.00005},
    {"6M", kQuarters, 0.052, 0.00001},
    {"6N", kQuarters, 0.66, 0.00005},
    {"6R", kQuarters, 0.015, 0.000005},
    {"6S", kQuarters, 1.08, 0.00005},
    {"6Z", kQuarters, 0.064, 0.000025},
    {"M6E", kQuarters, 1.12, 0.0001},
    {"M6A", kQuarters, 0.72, 0.0001},
    {"M6B", kQuarters, 1.31, 0.0001},
    {"ZQ", kEvery, 97.5, 0.0025},
    {"ZT", kQuarters, 103, 0.00390625},
    {"ZF", kQuarters, 112, 0.0078125},
    {"ZN", kQuarters, 118, 0.015625},
    {"TN", kQuarters, 122, 0.015625, {2016, 1, 10}},
    {"ZB", kQuarters, 136, 0.03125},
    {"UB", kQuarters, 150, 0.03125},
    {"GE", kQuarters, 98.5, 0.005, {2010, 6, 6}, {2023, 4, 17}},
    {"SR1", kEvery, 96.5, 0.0025, {2018, 5, 6}},
    {"SR3", kQuarters, 96.4, 0.005, {2018, 5, 6}},
    {"2YY", kEvery, 4.5, 0.001, {2021, 8, 15}},
    {"5YY", kEvery, 4.2, 0.001, {2021, 8, 15}},
    {"10Y", kEvery, 4.1, 0.001, {2021, 8, 15}},
    {"30Y", kEvery, 4.3, 0.001, {2021, 8, 15}},
    {"BTC", kEvery, 32'000, 5, {2017, 12, 17}},
    {"ETH", kEvery, 2'100, 0.5, {2021, 2, 7}},
    {"MBT", kEvery, 32'000, 5, {2021, 5, 2}},
    {"MET", kEvery, 2'100, 0.5, {2021, 12, 5}},
};

const Row kIceUs[] = {{"KC", "HKNUZ", 190, 0.05}, {"SB", "HKNV", 19, 0.01},    {"CC", "HKNUZ", 4'200, 1},
                      {"CT", "HKNVZ", 84, 0.01},  {"OJ", "FHKNUX", 260, 0.05}, {"DX", "HMUZ", 101, 0.005}};
const Row kCboe[] = {{"VX", kEvery, 18, 0.05}, {"VXM", kEvery, 18, 0.01, {2020, 8, 9}}};

const std::pair<const char*, const char*> kOptionRoots[] = {
    {"ZL", "OZL"}, {"ZS", "OZS"}, {"ZM", "OZM"}, {"ZC", "OZC"}, {"ZW", "OZW"}, {"CL", "LO"},  {"NG", "ON"},
    {"HO", "OH"},  {"RB", "OB"},  {"GC", "OG"},  {"SI", "SO"},  {"HG", "HXE"}, {"ZN", "OZN"}, {"ZB", "OZB"},
    {"ZF", "OZF"}, {"ES", "ES"},  {"NQ", "NQ"},  {"6E", "EUU"}, {"6J", "JPU"}};

int64_t Fixed(double value) { return std::llround(value * 1e9); }

void AddFutures(DatasetInfo& dataset, std::span<const Row> rows) {
  for (const Row& row : rows) {
    Product product;
    product.root = row.root;
    product.months = row.months;
    product.price = Fixed(row.price);
    product.tick = Fixed(row.tick);
    product.first = std::max(ToDay(row.first), dataset.first);
    product.last_exclusive = row.last.year == 0 ? kForever : ToDay(row.last);
    product.early_expiry = row.early;
    product.far_dated = row.far;
    dataset.products.push_back(std::move(product));
  }
}

void AddOptions(DatasetInfo& dataset) {
  const std::vector<Product> futures = dataset.products;
  for (const auto& [future, root] : kOptionRoots) {
    const auto on = std::ranges::find(futures, future, &Product::root);
    Product product = *on;
    product.root = root;
    product.kind = ProductKind::kOption;
    product.underlying = future;
    product.far_dated = false;
    dataset.products.push_back(std::move(product));
  }
}

void AddEquities(DatasetInfo& dataset, ProductKind kind) {
  const std::pair<const char*, double> names[] = {{"SPY", 430}, {"QQQ", 360}, {"AAPL", 180}, {"MSFT", 330}};
  for (const auto& [root, price] : names) {
    Product product;
    product.root = root;
    product.kind = kind;
    product.price = Fixed(price);
    product.tick = Fixed(0.01);
    product.first = dataset.first;
    product.last_exclusive = kForever;
    dataset.products.push_back(std::move(product));
  }
}

}  // namespace

std::string OptionRootOf(std::string_view future_root) {
  const auto found =
      std::ranges::find(kOptionRoots, future_root, [](const auto& row) { return std::string_view(row.first); });
  return found == std::end(kOptionRoots) ? "" : found->second;
}

const std::vector<DatasetInfo>& Datasets() {
  static const std::vector<DatasetInfo> datasets = [] {
    std::vector<DatasetInfo> all;
    all.push_back({"GLBX.MDP3", "CME Globex MDP 3.0", ToDay({2010, 6, 6}), {{1, "GLBX"}}, {}});
    AddFutures(all.back(), kGlobex);
    AddOptions(all.back());
    all.push_back({"IFUS.IMPACT", "ICE Futures US", ToDay({2018, 12, 23}), {{97, "IFUS"}}, {}});
    AddFutures(all.back(), kIceUs);
    all.push_back({"XCBF.PITCH", "Cboe Futures Exchange", ToDay({2018, 1, 2}), {{105, "XCBF"}}, {}});
    AddFutures(all.back(), kCboe);
    all.push_back({"XNAS.ITCH", "Nasdaq TotalView-ITCH", ToDay({2018, 5, 1}), {{2, "XNAS"}}, {}});
    AddEquities(all.back(), ProductKind::kStock);
    all.push_back(
        {"OPRA.PILLAR", "OPRA", ToDay({2013, 4, 1}), {{20, "AMXO"}, {22, "XCBO"}, {23, "EMLD"}, {27, "MCRY"}}, {}});
    AddEquities(all.back(), ProductKind::kOsi);
    return all;
  }();
  return datasets;
}

}  // namespace lode::vendor
