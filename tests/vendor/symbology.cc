#include "symbology.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "trades.h"

namespace lode::vendor {
namespace {

constexpr size_t kRanksKept = 12;

bool IsDigits(std::string_view text) {
  return !text.empty() && text.size() < 11 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

struct Continuous {
  std::string root;
  char rule = 0;
  size_t rank = 0;
};

// "ZL.v.0"; rule 0: another form.
Continuous ParseContinuous(std::string_view symbol) {
  const size_t last = symbol.rfind('.');
  if (last == std::string_view::npos || last < 3 || symbol[last - 2] != '.') return {};
  const std::string_view rank = symbol.substr(last + 1);
  const char rule = symbol[last - 1];
  if (!IsDigits(rank) || rank.size() > 3 || (rule != 'c' && rule != 'v' && rule != 'n')) return {};
  return {std::string(symbol.substr(0, last - 2)), rule, static_cast<size_t>(std::stoul(std::string(rank)))};
}

class Resolver {
 public:
  Resolver(const Universe& universe, FrontMonths& fronts, std::string_view stype_in, std::string_view stype_out, Day d0,
           Day d1)
      : universe_(universe),
        fronts_(fronts),
        stype_in_(stype_in),
        to_symbol_(stype_out == "raw_symbol"),
        d0_(d0),
        d1_(d1) {}

  void AddInput(const std::string& symbol, uint32_t input) {
    const size_t before = resolution_.segments.size();
    if (stype_in_ == "continuous") {
      AddContinuous(symbol, input);
    } else {
      const Universe::Indexes* found = stype_in_ == "parent"       ? universe_.FindParent(symbol)
                                       : stype_in_ == "raw_symbol" ? universe_.FindSymbol(symbol)
                                                                   : universe_.FindId(symbol);
      if (found != nullptr) {
        for (const uint32_t index : *found) AddContract(index, stype_in_ == "parent" ? "" : symbol, input);
      }
    }
    if (resolution_.segments.size() == before) resolution_.not_found.push_back(symbol);
  }

  void AddAll() {
    for (uint32_t index = 0; index < universe_.contracts().size(); ++index) AddContract(index, "", 0);
  }

  Resolution Finish() {
    for (const auto& [symbol, intervals] : resolution_.mappings) {
      int covered = 0;
      for (const SymbolInterval& interval : intervals) covered += interval.d1.since_epoch - interval.d0.since_epoch;
      if (covered < d1_.since_epoch - d0_.since_epoch && (stype_in_ != "parent" || !to_symbol_)) {
        resolution_.partial.push_back(symbol);
      }
    }
    std::ranges::stable_sort(resolution_.segments, {}, &Segment::from);
    return std::move(resolution_);
  }

 private:
  // `key` empty: the contract's own symbol (or, from parent to symbol, the same).
  void AddContract(uint32_t index, const std::string& key, uint32_t input) {
    const Contract& contract = universe_.at(index);
    AddSegment(index, std::max(contract.first, d0_), std::min(contract.last_exclusive, d1_),
               key.empty() ? (stype_in_ == "instrument_id" ? std::to_string(contract.id) : contract.symbol) : key,
               input);
  }

  void AddSegment(uint32_t index, Day from, Day to, const std::string& key, uint32_t input) {
    if (to <= from) return;
    const auto [place, is_new] = places_.try_emplace(key, static_cast<uint32_t>(resolution_.mappings.size()));
    if (is_new) resolution_.mappings.push_back({key, {}});
    const Contract& contract = universe_.at(index);
    resolution_.mappings[place->second].second.push_back(
        {from, to, to_symbol_ ? contract.symbol : std::to_string(contract.id)});
    resolution_.segments.push_back({index, from, to, place->second, input});
  }

  void AddContinuous(const std::string& symbol, uint32_t input) {
    const Continuous wanted = ParseContinuous(symbol);
    if (universe_.FindOutrights(wanted.root) == nullptr) return;
    const auto ranking = fronts_.RankingOf(wanted.root, wanted.rule, d1_);
    const Day first = universe_.dataset().first;
    Day from = d0_;
    const auto contract_on = [&](Day day) -> int64_t {
      const auto& ranks = (*ranking)[static_cast<size_t>(day.since_epoch - first.since_epoch)];
      return wanted.rank < ranks.size() ? int64_t{ranks[wanted.rank]} : -1;
    };
    while (from < d1_) {
      const int64_t contract = contract_on(from);
      Day to = from + 1;
      while (to < d1_ && contract_on(to) == contract) to = to + 1;
      if (contract >= 0) AddSegment(static_cast<uint32_t>(contract), from, to, symbol, input);
      from = to;
    }
  }

  const Universe& universe_;
  FrontMonths& fronts_;
  const std::string stype_in_;
  const bool to_symbol_;
  const Day d0_, d1_;
  Resolution resolution_;
  std::unordered_map<std::string, uint32_t> places_;
};

}  // namespace

std::shared_ptr<const FrontMonths::Ranking> FrontMonths::RankingOf(const std::string& root, char rule, Day last) {
  const std::lock_guard lock(mutex_);
  auto& [until, ranking] = known_[{root, rule}];
  if (!ranking || until < last) {
    // A little ahead, so that a today that moves on does not compute everything again.
    until = last + 60;
    const auto* outrights = universe_.FindOutrights(root);
    ranking = std::make_shared<const Ranking>(Compute(outrights ? *outrights : std::vector<uint32_t>(), rule, until));
  }
  return ranking;
}

FrontMonths::Ranking FrontMonths::Compute(const std::vector<uint32_t>& outrights, char rule, Day last) const {
  Ranking ranking;
  std::unordered_map<uint32_t, uint64_t> weight;  // of the last day with trades before
  size_t begin = 0;
  for (Day day = universe_.dataset().first; day < last; day = day + 1) {
    std::vector<uint32_t> listed;
    while (begin < outrights.size() && universe_.at(outrights[begin]).last_exclusive <= day) ++begin;
    for (size_t i = begin; i < outrights.size(); ++i) {
      const Contract& contract = universe_.at(outrights[i]);
      if (day >= contract.first && day < contract.last_exclusive) listed.push_back(outrights[i]);
    }
    std::vector<uint32_t> ranked = listed;
    if (rule != 'c') {
      std::ranges::stable_sort(ranked, std::ranges::greater{}, [&](uint32_t index) {
        const auto found = weight.find(index);
        return found == weight.end() ? uint64_t{0} : found->second;
      });
      std::unordered_map<uint32_t, uint64_t> today;
      uint64_t sum = 0;
      for (const uint32_t index : listed) {
        uint64_t volume = 0;
        if (!fixtures::IsHoliday(day)) {
          ForEachTrade(universe_, universe_.at(index), day, 0, [&](const Trade& trade) { volume += trade.size; });
        }
        sum += volume;
        if (rule == 'n') volume = static_cast<uint64_t>(OpenInterestOf(universe_, universe_.at(index), day));
        today[index] = volume;
      }
      if (sum > 0) weight = std::move(today);
    }
    if (ranked.size() > kRanksKept) ranked.resize(kRanksKept);
    ranking.push_back(std::move(ranked));
  }
  return ranking;
}

bool IsStype(std::string_view name) {
  return name == "instrument_id" || name == "raw_symbol" || name == "continuous" || name == "parent";
}

bool IsStypePair(std::string_view in, std::string_view out) {
  if (out == "instrument_id")
    return in == "raw_symbol" || in == "continuous" || in == "parent" || in == "instrument_id";
  return out == "raw_symbol" && (in == "instrument_id" || in == "continuous" || in == "parent" || in == "raw_symbol");
}

bool HasForm(std::string_view symbol, std::string_view stype_in) {
  if (symbol.empty() || symbol.size() > 70) return false;
  if (stype_in == "instrument_id") return IsDigits(symbol);
  if (stype_in == "continuous") return ParseContinuous(symbol).rule != 0;
  if (stype_in == "parent") {
    return symbol.size() > 4 && (symbol.ends_with(".FUT") || symbol.ends_with(".OPT") || symbol.ends_with(".SPOT"));
  }
  return true;
}

Resolution Resolve(const Universe& universe, FrontMonths& fronts, const std::vector<std::string>& symbols,
                   std::string_view stype_in, std::string_view stype_out, Day d0, Day d1) {
  Resolver resolver(universe, fronts, stype_in, stype_out, d0, d1);
  if (symbols.size() == 1 && symbols[0] == kAllSymbols) {
    resolver.AddAll();
  } else {
    for (uint32_t i = 0; i < symbols.size(); ++i) resolver.AddInput(symbols[i], i);
  }
  return resolver.Finish();
}

}  // namespace lode::vendor
