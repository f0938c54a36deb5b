// lode instruments EXCHANGE.. [--key-style plain|upper] [--dry-run]
// lode targets [--venue V,..] [--type T,..] [--base B,..] [--quote Q,..] [--data-type D,..] [-s DAY] [-e DAY] [-o
// FOLDER]
#include "lode/sync/instruments.h"

#include <map>

#include "lode/base/log.h"
#include "lode/base/text.h"
#include "lode/cli/commands.h"
#include "lode/cli/days.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"

namespace lode::cli {
namespace {

class InstrumentsCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("EXCHANGE", exchanges_, 1, 0, "ids of Tardis': deribit, binance-futures");
    arguments.Option(
        "--key-style", "STYLE", style_,
        "plain (deribit:Perp:BTC-USD) or upper (DERIBIT:PERPETUAL:BTC-USD) (default: sources.tardis.key_style)");
    arguments.Flag("--dry-run", dry_run_, "make the keys and write nothing");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(const Config* config, session.config());
    const std::string style = style_.empty() ? config->Get("sources.tardis.key_style").value_or("plain") : style_;
    sync::DefinitionsRequest request{.paths = {config->lake_root()}, .config = config, .exchange = {}};
    LODE_TRY(request.style, symbol::ParseKeyStyle(style));
    request.dry_run = dry_run_;
    int64_t unreadable = 0;
    for (const std::string& exchange : exchanges_) {
      request.exchange = exchange;
      auto report = sync::WriteDefinitions(request);
      if (!report) return std::unexpected(std::move(report).error().With("instruments"));
      unreadable += report->unreadable;
      Tell(session, *report);
    }
    if (unreadable > 0) {
      return Fail(ErrorKind::kPartial, "{} could not be given a key; the others are written", Count(unreadable, "id"));
    }
    return 0;
  }

 private:
  void Tell(const Session& session, const sync::DefinitionsReport& report) const {
    JsonObject types;
    std::string list;
    for (const auto& [type, count] : report.by_type) {
      types.Number(type, count);
      list += fmt::format("{}{} {}", list.empty() ? "" : ", ", Grouped(count), type);
    }
    session.out().Event(JsonObject()
                            .Text("type", "instruments")
                            .Text("exchange", report.exchange)
                            .Text("file", report.file.string())
                            .Number("instruments", report.instruments)
                            .Raw("by_type", types.Take())
                            .Number("unreadable", report.unreadable)
                            .Bool("has_terms", report.has_terms)
                            .Bool("unchanged", report.is_unchanged)
                            .Number("bytes", report.bytes));
    const std::string end = dry_run_              ? "nothing written"
                            : report.is_unchanged ? report.file.string() + " is up to date"
                                                  : fmt::format("{} -> {}", Bytes(report.bytes), report.file.string());
    session.out().Summary(fmt::format("{}: {}{}, {}{}\n", report.exchange, Count(report.instruments, "instrument"),
                                      list.empty() ? "" : " (" + list + ")", end,
                                      report.has_terms ? "" : "; without ticks and sizes, which want an API key"));
    if (!report.terms_refused.empty()) log::Warning("{}: {}", report.exchange, Printable(report.terms_refused));
    for (const std::string& why : report.why) log::Failure("{}", Printable(why));
  }

  std::vector<std::string> exchanges_;
  std::string style_;
  bool dry_run_ = false;
};

std::set<std::string> SetOf(std::string_view list) {
  std::set<std::string> set;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (comma > 0) set.emplace(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return set;
}

// By any name a key may have: the definitions' own style does not matter.
Result<std::set<symbol::KeyType>> TypesOf(std::string_view list) {
  std::set<symbol::KeyType> types;
  for (const std::string& name : SetOf(list)) {
    const auto type = symbol::ParseKeyType(name);
    if (!type) return Fail(ErrorKind::kUsage, "no instrument type '{}': spot, perp, future, option, combo", name);
    types.insert(*type);
  }
  return types;
}

Result<std::set<std::string>> DataTypesOf(std::string_view list) {
  std::set<std::string> types = SetOf(list);
  for (const std::string& type : types) {
    if (codec::FindSchema("tardis/" + type) != nullptr) continue;
    return Fail(ErrorKind::kUsage, "'{}' is no data type of Tardis': trades, quotes, book_snapshot_5, …", type);
  }
  return types;
}

class TargetsCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Option("--venue", "V,..", venues_, "of these exchanges: deribit, OKX-SWAP");
    arguments.Option("--type", "T,..", types_, "spot, perp, future, option, combo");
    arguments.Option("--base", "B,..", bases_, "of these bases: BTC, 1000PEPE");
    arguments.Option("--quote", "Q,..", quotes_, "of these quotes: USDT");
    arguments.Option("--data-type", "D,..", data_types_, "trades, quotes, options_chain, …");
    arguments.Option("-s,--start", "DAY", start_, "listed on that day or later");
    arguments.Option("-e,--end", "DAY", end_, "listed on that day or before");
    arguments.Option("-o,--output", "FOLDER", output_, "also write a list of symbols a dataset, for `symbols = [..]`");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(const lake::LakePaths paths, Paths(session));
    sync::TargetFilter filter{
        .venues = SetOf(Upper(venues_)), .bases = SetOf(Upper(bases_)), .quotes = SetOf(Upper(quotes_))};
    LODE_TRY(filter.data_types, DataTypesOf(data_types_));
    LODE_TRY(filter.types, TypesOf(types_));
    LODE_TRY(const DayRange range, ParseDayRange(start_, end_, session.today()));
    filter.first = range.first;
    filter.last = range.last;
    LODE_TRY(const std::vector<sync::Target> targets, sync::FindTargets(paths, filter));
    Table table({{"EXCHANGE"}, {"DATA TYPE"}, {"SYMBOL"}, {"FIRST"}, {"LAST"}, {"KEY"}});
    std::map<std::string, std::string> lists;
    for (const sync::Target& target : targets) {
      const std::string last = target.last ? FormatDay(*target.last) : "";
      table.Add(
          {target.exchange, target.data_type, target.symbol, FormatDay(target.first), last, target.instrument_key});
      session.out().Event(JsonObject()
                              .Text("type", "target")
                              .Text("exchange", target.exchange)
                              .Text("data_type", target.data_type)
                              .Text("symbol", target.symbol)
                              .Text("first", FormatDay(target.first))
                              .Text("last", last)
                              .Text("instrument_key", target.instrument_key));
      std::string& list = lists[fmt::format("{}_{}.txt", target.exchange, target.data_type)];
      list += target.symbol + "\n";
    }
    session.out().Text(table.Render());
    if (!output_.empty()) LODE_TRY(WriteLists(lists));
    session.out().Summary(fmt::format("{} in {}\n", Count(static_cast<int64_t>(targets.size()), "target"),
                                      Count(static_cast<int64_t>(lists.size()), "dataset")));
    return 0;
  }

 private:
  static Result<lake::LakePaths> Paths(Session& session) {
    LODE_TRY(const Config* config, session.config());
    return lake::LakePaths{config->lake_root()};
  }

  Status WriteLists(const std::map<std::string, std::string>& lists) const {
    LODE_TRY(store::MakeDirectories(output_));
    for (const auto& [name, text] : lists) {
      LODE_TRY(store::ReplaceDurable(std::filesystem::path(output_) / name, text, output_));
    }
    return Ok();
  }

  std::string venues_, types_, bases_, quotes_, data_types_, start_, end_, output_;
};

}  // namespace

std::unique_ptr<Command> MakeInstruments() { return std::make_unique<InstrumentsCommand>(); }
std::unique_ptr<Command> MakeTargets() { return std::make_unique<TargetsCommand>(); }

}  // namespace lode::cli
