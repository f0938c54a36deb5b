// Lists of symbols: the shipped ones (data/symbols), files of the user's own, and what a request calls their members.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"

namespace lode::symbol {

struct ListMember {
  std::string root;   // "ZL"
  std::string group;  // "soy"
  int priority = 2;   // 1 before 2 before 3
};

struct SymbolList {
  std::string name;                 // without '@'
  std::string title;                // what it is, in a line
  std::string dataset;              // "GLBX.MDP3"
  std::string product_class;        // "FUT" or "OPT"
  std::vector<ListMember> members;  // by priority, then as in the file; no root twice
};

// All shipped lists, by name.
std::vector<std::string> ListNames();
// kConfig, with the nearest name, when there is no such list.
Result<SymbolList> FindList(std::string_view name);

// What a configuration or --symbols names, as the symbols of a request, each once and in order. A spec is "@name"; the
// path of a list file (it ends in .txt or .csv, or begins with "/", "./" or "../"; relative to `folder`); or one
// symbol or several with commas between them.
//
// With stype_in "parent" a root without a class gets one: the list's, else ".FUT"; with "continuous" the members of a
// shipped list become ROOT.v.0. Everything else is taken as written: case, spaces and unknown symbols too.
//
// A list file holds one symbol a line ('#' begins a comment) or, when it ends in .csv, in the first column; a heading
// `symbol`, `raw_symbol`, `root` or `ticker` is left out. Reads list files and nothing else. kConfig for an unknown
// "@name" and for a file that is absent, too large or no list.
Result<std::vector<std::string>> ExpandSymbols(std::span<const std::string> specs, std::string_view stype_in,
                                               const std::filesystem::path& folder);

// A root that a dataset does not have although people ask for it.
struct KnownAbsence {
  std::string_view root, dataset;
  std::string_view reason;
  std::string_view elsewhere;                  // dataset that has it; empty: none known
  std::vector<std::string_view> replacements;  // roots of the same dataset that are meant instead
};
// By root or by request symbol ("VX.FUT", "VX.v.0"); nullptr when nothing is known. It does not say that the vendor
// would not find the symbol: that is the vendor's word. Static storage.
const KnownAbsence* FindKnownAbsence(std::string_view dataset, std::string_view symbol);
// "does not resolve; Globex calls ethanol CU (try CU.FUT)", the suffix as `symbol` has it.
std::string Explain(const KnownAbsence& absence, std::string_view symbol);

}  // namespace lode::symbol
