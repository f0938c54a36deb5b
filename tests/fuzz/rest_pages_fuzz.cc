// Pages of FRED's and Polygon's REST APIs, a line each: as the answers of a chain, and decoded. The first byte chooses
// the table.
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "drain.h"
#include "lode/codec/fred_pages.h"
#include "lode/codec/rest_pages.h"
#include "lode/source/fred/api.h"
#include "lode/source/polygon/rest_chain.h"

namespace {

using namespace lode;
using fuzz::Require;

void ReadFred(std::string_view page) {
  if (const auto series = source::fred::ParseSeries(page)) {
    Require(!series->id.empty() && series->first <= series->last);
  }
  if (const auto vintages = source::fred::ParseVintages(page)) {
    Require(std::ranges::adjacent_find(vintages->dates, std::greater_equal()) == vintages->dates.end());
    // All of real time, each day once.
    Day next = source::fred::kEarliest;
    const bool is_within = vintages->dates.empty() || vintages->dates.front() > source::fred::kEarliest;
    for (const auto& window : source::fred::WindowsOf(vintages->dates)) {
      Require(window.start == next && (!is_within || window.start <= window.end));
      next = window.end + 1;
      const auto within =
          std::ranges::count_if(vintages->dates, [&](Day day) { return day >= window.start && day <= window.end; });
      Require(static_cast<size_t>(within) <= source::fred::kMostVintages);
    }
    Require(next == source::fred::kLatest + 1);
  }
  if (const auto rows = source::fred::ParseObservations(page)) {
    Require((rows->rows > 0) == rows->first.has_value() && rows->first.has_value() == rows->last.has_value());
  }
  source::fred::ParseErrorMessage(page);
}

// A chain never takes rows twice, and asks nobody but the one it was told of.
class Chain {
 public:
  explicit Chain(const source::polygon::Endpoint& endpoint)
      : chain_(endpoint, access_, endpoint.is_per_ticker() ? "A" : "ALL_SYMBOLS", ToDay({2024, 1, 1}),
               ToDay({2024, 1, 31})) {
    asked_.insert(chain_.First().url);
  }

  void Read(const std::string& page) {
    const int64_t before = chain_.rows();
    const auto step = chain_.Read(page);
    if (!step) return Require(chain_.rows() == before);
    if (chain_.rows() > before) Require(taken_.insert(nlohmann::json::parse(page, nullptr, false).dump()).second);
    if (!step->next) return;
    Require(step->next->url.starts_with("https://here.example/base/"));
    Require(step->next->credential.origin == "https://here.example");
    Require(asked_.insert(step->next->url).second);
  }

 private:
  const source::polygon::RestAccess access_{"https://here.example/base", "https://here.example", "key"};
  source::polygon::RestChain chain_;
  std::set<std::string> taken_, asked_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto endpoints = source::polygon::Endpoints();
  const auto& endpoint = endpoints[data[0] % endpoints.size()];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  Chain chain(endpoint);
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    ReadFred(rest.substr(0, end));
    chain.Read(std::string(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  codec::StringPool strings(size_t{1} << 20);
  codec::BadRecords bad, fred_bad;
  const std::string schema = fmt::format("polygon/{}", endpoint.name);
  fuzz::Drain(codec::OpenRestPages(fuzz::Source(data + 1, size - 1), {"A", ToDay({2024, 1, 1})},
                                   *codec::FindSchema(schema), {&strings, &bad, 64}),
              bad);
  fuzz::Drain(codec::OpenFredObservations(fuzz::Source(data + 1, size - 1), "X",
                                          *codec::FindSchema("fred/observations"), {&strings, &fred_bad, 64}),
              fred_bad);
  return 0;
}
