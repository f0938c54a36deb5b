#include "lode/symbol/lists.h"

#include <toml++/toml.h>

#include <algorithm>
#include <set>
#include <unordered_set>

#include "lode/base/embedded.h"
#include "lode/base/nearest.h"
#include "lode/symbol/list_file_internal.h"

namespace lode::symbol {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolder = "symbols/";
constexpr std::string_view kAbsences = "known_replacements";

std::string_view NameOf(const EmbeddedFile& file) {
  std::string_view name = file.path;
  if (!name.starts_with(kFolder) || !name.ends_with(".toml")) return {};
  name.remove_prefix(kFolder.size());
  name.remove_suffix(5);
  return name == kAbsences ? std::string_view() : name;
}

std::string_view Text(const toml::node_view<const toml::node>& node) { return node.value_or(std::string_view()); }

// Shipped files are ours: what does not parse is a bug, which the tests find.
Result<toml::table> ParseShipped(const EmbeddedFile& file) {
  try {
    return toml::parse(file.text, file.path);
  } catch (const toml::parse_error& problem) {
    return Fail(ErrorKind::kInternal, "{}: {}", file.path, problem.description());
  }
}

Result<SymbolList> ReadList(std::string_view name);

// Members of included lists come first.
Result<std::vector<ListMember>> ReadMembers(const toml::table& table) {
  std::vector<ListMember> members;
  if (const toml::array* includes = table["include"].as_array()) {
    for (const toml::node& include : *includes) {
      LODE_TRY(SymbolList included, ReadList(include.value_or(std::string_view())));
      std::ranges::move(included.members, std::back_inserter(members));
    }
  }
  if (const toml::array* groups = table["group"].as_array()) {
    for (const toml::node& node : *groups) {
      const toml::node_view<const toml::node> group(node);
      const toml::array* roots = group["members"].as_array();
      if (roots == nullptr) return Fail(ErrorKind::kInternal, "a group without members");
      for (const toml::node& root : *roots) {
        members.push_back({std::string(root.value_or(std::string_view())), std::string(Text(group["name"])),
                           group["priority"].value_or(2)});
      }
    }
  }
  return members;
}

Result<SymbolList> ReadList(std::string_view name) {
  const EmbeddedFile* file = FindEmbedded(fmt::format("{}{}.toml", kFolder, name));
  if (file == nullptr || name == kAbsences) {
    return Fail(ErrorKind::kConfig, "no symbol list @{}{} (known: @{})", name.substr(0, 64),
                DidYouMean(name, ListNames()), fmt::join(ListNames(), ", @"));
  }
  LODE_TRY(const toml::table table, ParseShipped(*file));
  SymbolList list{std::string(name),
                  std::string(Text(table["title"])),
                  std::string(Text(table["dataset"])),
                  std::string(Text(table["class"])),
                  {}};
  LODE_TRY(std::vector<ListMember> members, ReadMembers(table));
  std::ranges::stable_sort(members, {}, &ListMember::priority);
  std::set<std::string> seen;
  for (ListMember& member : members) {
    if (seen.insert(member.root).second) list.members.push_back(std::move(member));
  }
  return list;
}

bool IsPath(std::string_view spec) {
  return spec.ends_with(".txt") || spec.ends_with(".csv") || spec.starts_with("/") || spec.starts_with("./") ||
         spec.starts_with("../");
}

bool IsBareRoot(std::string_view symbol) { return !symbol.contains('.') && symbol != "ALL_SYMBOLS"; }

// Collects symbols, each once.
class Expansion {
 public:
  explicit Expansion(std::string_view stype_in) : stype_in_(stype_in) {}

  void AddMembers(const SymbolList& list) {
    for (const ListMember& member : list.members) {
      if (stype_in_ == "continuous") {
        Add(member.root + ".v.0");
      } else {
        Add(stype_in_ == "parent" ? member.root + "." + list.product_class : member.root);
      }
    }
  }
  void AddWritten(std::string_view symbol) {
    Add(stype_in_ == "parent" && IsBareRoot(symbol) ? std::string(symbol) + ".FUT" : std::string(symbol));
  }
  std::vector<std::string> Take() && { return std::move(symbols_); }

 private:
  void Add(std::string symbol) {
    if (seen_.insert(symbol).second) symbols_.push_back(std::move(symbol));
  }
  std::string_view stype_in_;
  std::vector<std::string> symbols_;
  std::unordered_set<std::string> seen_;
};

// The request symbol without its class or roll rule.
std::string_view RootOf(std::string_view symbol) { return symbol.substr(0, symbol.find('.')); }

std::vector<KnownAbsence> ReadAbsences() {
  // What the views point into.
  static const toml::table table = [] {
    const EmbeddedFile* file = FindEmbedded(fmt::format("{}{}.toml", kFolder, kAbsences));
    Result<toml::table> parsed = file == nullptr ? toml::table() : ParseShipped(*file);
    return parsed ? *std::move(parsed) : toml::table();
  }();
  std::vector<KnownAbsence> absences;
  const toml::array* entries = table["symbol"].as_array();
  if (entries == nullptr) return absences;
  for (const toml::node& node : *entries) {
    const toml::node_view<const toml::node> entry(node);
    KnownAbsence absence{
        Text(entry["root"]), Text(entry["dataset"]), Text(entry["reason"]), Text(entry["elsewhere"]), {}};
    if (const toml::array* roots = entry["replacements"].as_array()) {
      for (const toml::node& root : *roots) absence.replacements.push_back(root.value_or(std::string_view()));
    }
    absences.push_back(std::move(absence));
  }
  return absences;
}

}  // namespace

std::vector<std::string> ListNames() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (const std::string_view name = NameOf(file); !name.empty()) names.emplace_back(name);
  }
  return names;
}

Result<SymbolList> FindList(std::string_view name) { return ReadList(name); }

Result<std::vector<std::string>> ExpandSymbols(std::span<const std::string> specs, std::string_view stype_in,
                                               const fs::path& folder) {
  Expansion expansion(stype_in);
  for (const std::string& spec : specs) {
    for (const std::string_view part : SplitList(spec)) {
      if (part.starts_with('@')) {
        LODE_TRY(SymbolList list, ReadList(part.substr(1)));
        expansion.AddMembers(list);
      } else if (IsPath(part)) {
        LODE_TRY(std::vector<std::string> symbols, ReadListFile(folder / part));
        for (const std::string& symbol : symbols) expansion.AddWritten(symbol);
      } else {
        expansion.AddWritten(part);
      }
    }
  }
  return std::move(expansion).Take();
}

const KnownAbsence* FindKnownAbsence(std::string_view dataset, std::string_view symbol) {
  static const std::vector<KnownAbsence> absences = ReadAbsences();
  const auto found = std::ranges::find_if(absences, [&](const KnownAbsence& absence) {
    return absence.dataset == dataset && absence.root == RootOf(symbol);
  });
  return found == absences.end() ? nullptr : &*found;
}

std::string Explain(const KnownAbsence& absence, std::string_view symbol) {
  std::string text(absence.reason);
  if (!absence.elsewhere.empty()) text += fmt::format(" ({} has it)", absence.elsewhere);
  if (absence.replacements.empty()) return text;
  const std::string_view suffix = symbol.substr(RootOf(symbol).size());
  std::string replacements;
  for (const std::string_view root : absence.replacements) {
    replacements += fmt::format("{}{}{}", replacements.empty() ? "" : " or ", root, suffix);
  }
  return text + fmt::format(" (try {})", replacements);
}

}  // namespace lode::symbol
