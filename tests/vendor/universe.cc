#include "universe.h"

#include <fmt/format.h>

#include <algorithm>

#include "market.h"

namespace lode::vendor {
namespace {

using fixtures::Mix;

constexpr int kFirstYear = 2010, kLastYear = 2035;
constexpr int64_t kUnit = 1'000'000'000;

uint64_t HashText(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

Day ExpiryOf(const Product& product, int year, int month) {
  if (!product.early_expiry) return ToDay({year, month, 15 + static_cast<int>(HashText(product.root) % 5)});
  return month == 1 ? ToDay({year - 1, 12, 20}) : ToDay({year, month - 1, 20});
}

}  // namespace

Universe::Universe(const DatasetInfo& dataset, uint64_t seed)
    : dataset_(&dataset), seed_(seed), ids_given_(dataset.products.size()) {
  for (uint32_t i = 0; i < dataset.products.size(); ++i) {
    switch (dataset.products[i].kind) {
      case ProductKind::kFuture:
        AddFutures(i);
        AddSpreads(i);
        break;
      case ProductKind::kOption: AddOptions(i); break;
      case ProductKind::kOsi: AddOsi(i); break;
      case ProductKind::kStock: AddStock(i); break;
    }
  }
  const auto by_first = [this](uint32_t a, uint32_t b) { return contracts_[a].first < contracts_[b].first; };
  for (Index* index : {&by_symbol_, &by_id_, &by_parent_}) {
    for (auto& [key, list] : *index) std::ranges::stable_sort(list, by_first);
  }
}

const Universe::Indexes* Universe::Find(const Index& index, std::string_view key) {
  const auto found = index.find(std::string(key));
  return found == index.end() ? nullptr : &found->second;
}

// Gold's numbers come round again after 256 contracts, as numbers do at the vendor.
uint32_t Universe::NextId(uint32_t product) {
  uint32_t given = ids_given_[product]++;
  if (dataset_->products[product].root == "GC" && dataset_->products[product].kind == ProductKind::kFuture)
    given %= 256;
  return (product + 1) * 20'000 + given * 3 + static_cast<uint32_t>(seed_ % 3);
}

uint32_t Universe::Add(Contract contract) {
  const Product& product = dataset_->products[contract.product];
  contract.first = std::max(contract.first, product.first);
  contract.last_exclusive = std::min(contract.last_exclusive, product.last_exclusive);
  const auto index = static_cast<uint32_t>(contracts_.size());
  if (contract.last_exclusive <= contract.first) return index;  // never traded: not there, and the index is not used
  by_symbol_[contract.symbol].push_back(index);
  by_id_[std::to_string(contract.id)].push_back(index);
  if (product.kind == ProductKind::kFuture) by_parent_[product.root + ".FUT"].push_back(index);
  if (product.kind == ProductKind::kOption || product.kind == ProductKind::kOsi) {
    by_parent_[product.root + ".OPT"].push_back(index);
  }
  if (contract.instrument_class == 'F') outrights_[product.root].push_back(index);
  contracts_.push_back(std::move(contract));
  return index;
}

void Universe::AddFutures(uint32_t index) {
  const Product& product = dataset_->products[index];
  const double period = 365.25 / static_cast<double>(product.months.size());
  const int listed_days = product.months.size() > 8 ? 400 : 460;
  for (int year = kFirstYear; year <= kLastYear; ++year) {
    for (const char letter : product.months) {
      const int month = static_cast<int>(kMonthCodes.find(letter)) + 1;
      Contract contract{};
      contract.product = index;
      contract.expiry = ExpiryOf(product, year, month);
      contract.first = contract.expiry - listed_days;
      contract.last_exclusive = contract.expiry + 1;
      if (contract.last_exclusive <= product.first || contract.first >= product.last_exclusive) continue;
      contract.instrument_class = 'F';
      contract.tick = product.tick;
      const int months = (year - kFirstYear) * 12 + month;
      contract.price = product.price + (months % 40 - 20) * 2 * product.tick;
      contract.key = Mix(seed_, HashText(fmt::format("{}{}{}", product.root, letter, year)));
      contract.period_days = period;
      contract.id = NextId(index);
      // Far away it is called by two digits, since one digit still means the contract of ten years before.
      if (product.far_dated && letter == 'Z') {
        const Day renamed = ExpiryOf(product, year - 10, month) + 1;
        Contract far = contract;
        far.symbol = fmt::format("{}{}{:02}", product.root, letter, year % 100);
        far.first = renamed - 365;
        far.last_exclusive = renamed;
        Add(std::move(far));
        contract.first = renamed;
      }
      contract.symbol = fmt::format("{}{}{}", product.root, letter, year % 10);
      Add(std::move(contract));
    }
  }
  auto& outrights = outrights_[product.root];
  std::ranges::stable_sort(outrights,
                           [this](uint32_t a, uint32_t b) { return contracts_[a].expiry < contracts_[b].expiry; });
}

// Each contract against the next one, and now and then a butterfly: quoted around zero.
void Universe::AddSpreads(uint32_t index) {
  const Product& product = dataset_->products[index];
  std::vector<uint32_t> legs;
  for (const uint32_t leg : outrights_[product.root]) {
    // Not between two-digit names.
    if (contracts_[leg].symbol.size() == product.root.size() + 2) legs.push_back(leg);
  }
  for (size_t i = 0; i + 1 < legs.size(); ++i) {
    const Contract near = contracts_[legs[i]], far = contracts_[legs[i + 1]];
    Contract spread = near;
    spread.symbol = near.symbol + "-" + far.symbol;
    spread.first = std::max(near.expiry - 400, far.first);
    spread.instrument_class = 'S';
    spread.price = near.price - far.price - 7 * product.tick;
    spread.key = Mix(near.key, far.key);
    spread.near_leg = legs[i];
    spread.far_leg = legs[i + 1];
    spread.id = NextId(index);
    if (i % 4 == 1 && i + 2 < legs.size()) {
      const auto tail = [&](const std::string& symbol) { return symbol.substr(product.root.size()); };
      Contract butterfly = spread;
      butterfly.symbol = fmt::format("{}:BF {}-{}-{}", product.root, tail(near.symbol), tail(far.symbol),
                                     tail(contracts_[legs[i + 2]].symbol));
      butterfly.first = std::max(spread.first, contracts_[legs[i + 2]].first);
      butterfly.price = product.tick;
      butterfly.key = Mix(spread.key, 3);
      butterfly.id = NextId(index);
      Add(std::move(spread));
      Add(std::move(butterfly));
    } else {
      Add(std::move(spread));
    }
  }
}

void Universe::AddOptions(uint32_t index) {
  const Product& product = dataset_->products[index];
  const Indexes underlyings = outrights_[product.underlying];
  for (const uint32_t on : underlyings) {
    const Contract future = contracts_[on];
    if (future.symbol.size() != product.underlying.size() + 2) continue;
    const std::string month = future.symbol.substr(product.underlying.size());
    // Strikes in round steps around the price; the symbol holds the strike in hundredths below 100, else whole.
    const int64_t step = std::max<int64_t>(future.price / 40 / product.tick, 1) * product.tick;
    for (int i = -2; i <= 2; ++i) {
      for (const char side : {'C', 'P'}) {
        Contract option = future;
        option.product = index;
        option.strike = future.price / step * step + i * step;
        const double shown = static_cast<double>(option.strike) / 1e9;
        option.symbol = fmt::format("{}{} {}{:.0f}", product.root, month, side, shown < 100 ? shown * 10'000 : shown);
        option.first = future.expiry - 120;
        option.expiry = future.expiry - 20;
        option.last_exclusive = option.expiry + 1;
        option.instrument_class = side;
        option.price = product.tick * (12 - 3 * (side == 'C' ? i : -i));
        option.key = Mix(future.key, HashText(option.symbol));
        option.underlying_id = future.id;
        if (option.last_exclusive <= product.first) continue;
        option.id = NextId(index);
        Add(std::move(option));
      }
    }
  }
}

void Universe::AddOsi(uint32_t index) {
  const Product& product = dataset_->products[index];
  for (int month = 0; month < (kLastYear - 2013 + 1) * 12; ++month) {
    const YearMonthDay date{2013 + month / 12, month % 12 + 1, 17};
    for (int i = -2; i <= 2; ++i) {
      for (const char side : {'C', 'P'}) {
        Contract option{};
        option.product = index;
        option.strike = product.price + i * 5 * kUnit;
        option.expiry = ToDay(date);
        option.first = option.expiry - 60;
        option.last_exclusive = option.expiry + 1;
        option.symbol = fmt::format("{:<6}{:02}{:02}{:02}{}{:08}", product.root, date.year % 100, date.month, date.day,
                                    side, option.strike / 1'000'000);
        option.instrument_class = side;
        option.tick = product.tick;
        option.price = product.tick * (300 - 80 * (side == 'C' ? i : -i));
        option.key = Mix(seed_, HashText(option.symbol));
        option.period_days = 30;
        option.id = NextId(index);
        Add(std::move(option));
      }
    }
  }
}

void Universe::AddStock(uint32_t index) {
  const Product& product = dataset_->products[index];
  Contract stock{};
  stock.product = index;
  stock.symbol = product.root;
  stock.first = product.first;
  stock.last_exclusive = stock.expiry = product.last_exclusive;
  stock.instrument_class = 'K';
  stock.tick = product.tick;
  stock.price = product.price;
  stock.key = Mix(seed_, HashText(product.root));
  stock.period_days = 1;
  stock.id = NextId(index);
  Add(std::move(stock));
}

}  // namespace lode::vendor
