#include "lode/cli/gaps_file.h"

#include "lode/base/json.h"
#include "lode/store/local_disk.h"

namespace lode::cli {
namespace {

constexpr uint64_t kLargestFile = uint64_t{1} << 30;

const Json* ListAt(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? &*found : nullptr;
}

}  // namespace

Result<std::map<std::string, std::vector<plan::SymbolDays>>> ReadGapsFile(const std::filesystem::path& file) {
  LODE_TRY(const std::string text, store::ReadFile(file, kLargestFile));
  const auto bad = [&](std::string_view where, std::string_view why) {
    return Fail(ErrorKind::kUsage, "{}: {}{}; `lode gaps -o FILE` writes such files", file.string(), where, why);
  };
  const Result<Json> document = ParseJson(text, "it");
  const Json* datasets = document ? ListAt(*document, "datasets") : nullptr;
  if (datasets == nullptr) return bad("", "no document of gaps");
  if (document->value("version", Json()) != 1) return bad("", "its version is not 1");
  std::map<std::string, std::vector<plan::SymbolDays>> all;
  for (const Json& dataset : *datasets) {
    const std::string name = TextOr(dataset, "dataset");
    const Json* gaps = ListAt(dataset, "gaps");
    if (name.empty() || gaps == nullptr) return bad("", "a dataset without name or gaps");
    for (size_t i = 0; i < gaps->size(); ++i) {
      const Json& gap = (*gaps)[i];
      const std::string symbol = TextOr(gap, "symbol");
      const auto first = ParseDay(TextOr(gap, "start")), last = ParseDay(TextOr(gap, "end"));
      if (symbol.empty() || !first || !last || *last < *first) {
        return bad(fmt::format("{}, gap {}: ", name, i + 1), "symbol, start and end expected");
      }
      all[name].push_back({symbol, *first, *last});
    }
  }
  return all;
}

}  // namespace lode::cli
