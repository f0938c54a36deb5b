// Every instrument a data set ever had, from the seed alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "products.h"

namespace lode::vendor {

struct Contract {
  uint32_t id;  // the vendor's instrument_id; re-used by a few contracts that never trade at the same time
  std::string symbol;
  uint32_t product;                    // index into DatasetInfo::products
  Day first, last_exclusive;           // when it is listed
  Day expiry;                          // its last trading day
  int64_t price, tick;                 // 1e-9
  char instrument_class;               // F future, S spread, C call, P put, K stock
  uint64_t key;                        // what its bars are drawn from
  double period_days;                  // from one contract of the product to the next
  int64_t strike = 0;                  // of options, 1e-9
  uint32_t near_leg = 0, far_leg = 0;  // of spreads: indexes of contracts
  uint32_t underlying_id = 0;          // of options
};

class Universe {
 public:
  Universe(const DatasetInfo& dataset, uint64_t seed);

  const DatasetInfo& dataset() const { return *dataset_; }
  const std::vector<Contract>& contracts() const { return contracts_; }
  const Contract& at(uint32_t index) const { return contracts_[index]; }
  const Product& product_of(const Contract& contract) const { return dataset_->products[contract.product]; }

  // Indexes in order of their first day; nullptr when there is none.
  using Indexes = std::vector<uint32_t>;
  const Indexes* FindSymbol(std::string_view symbol) const { return Find(by_symbol_, symbol); }
  const Indexes* FindId(std::string_view id) const { return Find(by_id_, id); }
  // "ZL.FUT", "LO.OPT".
  const Indexes* FindParent(std::string_view parent) const { return Find(by_parent_, parent); }
  // Outrights of a future's root, in order of expiry.
  const Indexes* FindOutrights(std::string_view root) const { return Find(outrights_, root); }

 private:
  using Index = std::unordered_map<std::string, Indexes>;
  static const Indexes* Find(const Index& index, std::string_view key);
  void AddFutures(uint32_t product);
  void AddSpreads(uint32_t product);
  void AddOptions(uint32_t product);
  void AddOsi(uint32_t product);
  void AddStock(uint32_t product);
  uint32_t Add(Contract contract);
  uint32_t NextId(uint32_t product);

  const DatasetInfo* dataset_;
  uint64_t seed_;
  std::vector<Contract> contracts_;
  std::vector<uint32_t> ids_given_;  // by product
  Index by_symbol_, by_id_, by_parent_, outrights_;
};

}  // namespace lode::vendor
