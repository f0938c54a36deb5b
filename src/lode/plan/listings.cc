#include "lode/plan/listings.h"

namespace lode::plan {

void Listings::Add(const Listing& listing) {
  Entry& entry = entries_.emplace_back();
  entry.symbol = symbols_.Add(std::span(listing.symbol.data(), listing.symbol.size()));
  entry.symbol_size = static_cast<uint32_t>(listing.symbol.size());
  if (listing.first) entry.first = *listing.first;
  if (listing.last) entry.last = *listing.last;
  if (listing.unresolved.empty()) return;
  if (reasons_.back() != listing.unresolved) reasons_.emplace_back(listing.unresolved);
  entry.reason = static_cast<uint32_t>(reasons_.size() - 1);
}

std::string_view Listings::SymbolOf(size_t index) const {
  const Entry& entry = entries_[index];
  const std::span<const char> symbol = symbols_.Get(entry.symbol, entry.symbol_size);
  return {symbol.data(), symbol.size()};
}

Listing Listings::operator[](size_t index) const {
  const Entry& entry = entries_[index];
  Listing listing{.symbol = SymbolOf(index), .first = {}, .last = {}, .unresolved = reasons_[entry.reason]};
  if (entry.first != kOpenFirst) listing.first = entry.first;
  if (entry.last != kOpenLast) listing.last = entry.last;
  return listing;
}

}  // namespace lode::plan
