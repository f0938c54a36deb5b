// Large JSON answers of Tardis': taken apart in random pieces they give what they give in one, and of a document that
// another parser reads, its elements. The first byte chooses the reader, the second the pieces.
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "drain.h"
#include "lode/source/tardis/exchange.h"
#include "lode/source/tardis/json_elements.h"
#include "lode/source/tardis/terms.h"

namespace {

using namespace lode;
using namespace lode::source::tardis;
using Json = nlohmann::json;

const std::vector<std::string> kPaths = {"", "a", "datasets.symbols"};

// What came of a document, in words.
struct Outcome {
  std::vector<std::string> seen;
  std::string end;
  bool operator==(const Outcome&) const = default;
};

// Calls `take` with pieces of 1 to 64 bytes, or with everything.
template <typename Take>
Status InPieces(std::string_view text, unsigned seed, Take take) {
  std::minstd_rand random(seed);
  while (!text.empty()) {
    const size_t size = seed == 0 ? text.size() : std::min<size_t>(text.size(), 1 + random() % 64);
    LODE_TRY(take(text.substr(0, size)));
    text.remove_prefix(size);
  }
  return Ok();
}

Outcome Elements(std::string_view text, unsigned seed) {
  Outcome outcome;
  JsonElements elements(kPaths, [&](size_t array, std::string_view list) -> Status {
    outcome.seen.push_back(kPaths[array] + " " + std::string(list));
    return Ok();
  });
  const Status fed = InPieces(text, seed, [&](std::string_view piece) { return elements.Feed(piece); });
  auto rest = fed ? elements.Finish() : std::unexpected(fed.error());
  outcome.end = rest ? *rest : "error: " + rest.error().message;
  return outcome;
}

Outcome FromBody(JsonBody& body, std::vector<std::string>& seen, std::string_view text, unsigned seed) {
  Status status = body.Begin({}, 0);
  fuzz::Require(status.has_value());
  status = InPieces(text, seed, [&](std::string_view piece) { return body.Write(std::as_bytes(std::span(piece))); });
  if (status) status = body.End();
  fuzz::Require(status || status.error().kind == ErrorKind::kCorrupt);
  return {std::move(seen), status ? "" : status.error().message};
}

Outcome Exchange(std::string_view text, unsigned seed) {
  std::vector<std::string> seen;
  const auto visit = [&](const SymbolInfo& info) -> Status {
    fuzz::Require(!info.id.empty() && !info.available_since.empty());
    seen.push_back(
        fmt::format("{}|{}|{}|{}|{}", info.id, info.type, info.available_since, info.available_to, info.data_types));
    return Ok();
  };
  ExchangeBody body({visit, visit}, [&] { seen.clear(); });
  return FromBody(body, seen, text, seed);
}

Outcome InstrumentTerms(std::string_view text, unsigned seed) {
  std::vector<std::string> seen;
  TermsBody body([&](const Terms& terms) -> Status {
    fuzz::Require(!terms.id.empty());
    seen.push_back(fmt::format("{}|{}|{}|{}|{}|{}|{}", terms.id, terms.base, terms.expiry, terms.tick, terms.min_size,
                               terms.strike, terms.multiplier.value_or(-1)));
    return Ok();
  });
  return FromBody(body, seen, text, seed);
}

const Json* At(const Json& json, std::string_view path) {
  const Json* at = &json;
  while (!path.empty()) {
    const std::string key(path.substr(0, path.find('.')));
    if (!at->is_object() || !at->contains(key)) return nullptr;
    at = &(*at)[key];
    path.remove_prefix(std::min(path.size(), key.size() + 1));
  }
  return at;
}

// Against nlohmann's parser, which knows nothing of pieces. Of a key that comes twice it keeps the last.
void Compare(const Outcome& outcome, const Json& json) {
  if (outcome.end.starts_with("error: ")) return fuzz::Require(outcome.end.contains("nested deeper"));
  for (const std::string& path : kPaths) {
    std::vector<std::string> lists;
    for (const std::string& seen : outcome.seen) {
      if (seen.starts_with(path + " ")) lists.push_back(seen.substr(path.size() + 1));
    }
    const Json* const found = At(json, path);
    const bool has_elements = found != nullptr && found->is_array() && !found->empty();
    if (has_elements) fuzz::Require(!lists.empty() && Json::parse(lists.back()) == *found);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const unsigned seed = data[1] + 1U;
  switch (data[0] % 3) {
    case 0: {
      const Outcome whole = Elements(text, 0);
      lode::fuzz::Require(whole == Elements(text, seed));
      if (text.contains('\0')) break;  // to nlohmann's parser that is the end
      const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
      if (!json.is_discarded() && json.is_structured()) Compare(whole, json);
      break;
    }
    case 1: lode::fuzz::Require(Exchange(text, 0) == Exchange(text, seed)); break;
    default: lode::fuzz::Require(InstrumentTerms(text, 0) == InstrumentTerms(text, seed));
  }
  return 0;
}
