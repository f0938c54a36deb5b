// lode explain DATASET/SYMBOL/DAY or DATASET/DAY
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "lode/cli/commands.h"
#include "lode/cli/days.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"
#include "lode/lake/layout.h"
#include "lode/lake/listing.h"
#include "lode/store/local_disk.h"

namespace lode::cli {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLongestReceipt = uint64_t{256} << 20;

struct CellName {
  std::string dataset;
  std::optional<std::string> symbol;  // may hold '/'
  Day day;
};

Result<CellName> ParseCell(const std::string& text, Day today) {
  size_t first = text.find('/');
  size_t last = text.rfind('/');
  if (first == std::string::npos) {
    return Fail(ErrorKind::kUsage, "explain {}: write DATASET/SYMBOL/DAY or DATASET/DAY", text);
  }
  LODE_TRY(DayArgument day, ParseDayArgument(text.substr(last + 1), today));
  CellName name{text.substr(0, first), {}, day.day};
  if (first != last) name.symbol = text.substr(first + 1, last - first - 1);
  return name;
}

std::string_view Meaning(ledger::CellState state) {
  using enum ledger::CellState;
  switch (state) {
    case kComplete: return "everything the vendor has is here, with proof";
    case kEmpty: return "the vendor says there is nothing; counts as complete";
    case kClosed: return "no session that day";
    case kNotListed: return "the symbol was not listed that day";
    case kNotEntitled: return "the vendor's plan does not cover it";
    case kPending: return "the vendor is not ready yet";
    case kPartial: return "covered up to an instant; always work again";
    case kMissing: return "should be here and is not";
    case kFailed: return "the last attempt failed";
    case kStale: return "the vendor has a newer version";
    case kExpired: return "removed by clean; not work";
  }
  return "";
}

// The receipt that decided a cell; null when its file is gone or damaged (verify tells).
std::optional<ledger::Receipt> ReadDecider(const lake::LakePaths& paths, const std::string& dataset, int64_t sequence) {
  if (sequence <= 0) return {};
  fs::path file = paths.receipts(dataset) / ledger::ReceiptFileName(sequence);
  Result<std::string> text = store::ReadFile(file, kLongestReceipt);
  if (!text) return {};
  Result<ledger::Receipt> receipt = ledger::ReadReceipt(*text);
  if (!receipt) return {};
  return *std::move(receipt);
}

class Explanation {
 public:
  Explanation(Session& session, lake::LakePaths paths, ledger::Ledger& ledger, const ledger::DatasetRow& dataset,
              Day day)
      : session_(session), paths_(std::move(paths)), ledger_(ledger), dataset_(dataset), day_(day) {}

  Status TellCell(const ledger::CellRow& row) {
    const ledger::Cell& cell = row.cell;
    Line("cell", fmt::format("{}/{}/{}", dataset_.name, cell.symbol, FormatDay(cell.day)));
    Line("state", fmt::format("{}: {}", ledger::Name(cell.state), Meaning(cell.state)));
    if (!cell.reason.empty()) Line("reason", cell.reason);
    if (!cell.proof.empty()) Line("proof", cell.proof);
    if (cell.rows) Line("rows", Grouped(*cell.rows));
    if (cell.modified) Line("modified", FormatDay(*cell.modified) + " (vendor)");
    if (cell.degraded) Line("degraded", "yes, says the vendor's condition list");
    JsonObject event;
    event.Text("type", "cell")
        .Text("dataset", dataset_.name)
        .Text("symbol", cell.symbol)
        .Text("day", FormatDay(cell.day))
        .Text("state", ledger::Name(cell.state))
        .Text("reason", cell.reason)
        .Text("proof", cell.proof)
        .Bool("degraded", cell.degraded);
    cell.rows ? event.Number("rows", *cell.rows) : event.Null("rows");
    cell.modified ? event.Text("modified", FormatDay(*cell.modified)) : event.Null("modified");
    event.Number("receipt", row.sequence);
    session_.out().Event(std::move(event));
    expired_ = expired_ || cell.state == ledger::CellState::kExpired;
    LODE_TRY(TellReceipt(row.sequence));
    if (auto layout = lake::Layout::Parse(dataset_.layout)) {
      partitions_.insert(layout->PathOf(day_, cell.symbol));
    }
    return Ok();
  }

  // The partitions of the cells told, each once.
  Status TellPartitions() {
    for (const std::string& path : partitions_) LODE_TRY(TellPartition(path));
    return Ok();
  }

  std::string Take() && { return std::move(text_); }

 private:
  Status TellPartition(const std::string& path) {
    LODE_TRY(const std::optional<ledger::PartitionRow> row, ledger_.FindPartition(dataset_.name, path));
    std::string full = "bronze/" + dataset_.name + "/" + path;
    if (!row) {
      Line("partition", full + (expired_ ? " (removed by clean)" : " (not written)"));
      return Ok();
    }
    LODE_TRY(const bool lost, lake::IsLost(paths_, dataset_.name, row->partition));
    const ledger::Partition& partition = row->partition;
    Line("partition", fmt::format("{}{}", full, lost ? " (gone)" : ""));
    Line("", fmt::format("{}, {}, sha256 {}", Count(partition.rows, "row"), Bytes(partition.size), partition.sha256));
    session_.out().Event(JsonObject()
                             .Text("type", "partition")
                             .Text("dataset", dataset_.name)
                             .Text("path", path)
                             .Number("rows", partition.rows)
                             .Number("bytes", partition.size)
                             .Text("sha256", partition.sha256)
                             .Number("receipt", row->sequence)
                             .Text("state", lost ? "missing" : "present"));
    return Ok();
  }

  void Line(std::string_view label, std::string_view value) {
    text_ += fmt::format("{:<11}{}\n", label, Printable(value));
  }

  Status TellReceipt(int64_t sequence) {
    if (decider_sequence_ != sequence) {
      decider_ = ReadDecider(paths_, dataset_.name, sequence);
      LODE_TRY(removed_, RemovedOf(sequence));
      decider_sequence_ = sequence;
    }
    const std::optional<ledger::Receipt>& receipt = decider_;
    if (!receipt) {
      if (sequence > 0) Line("receipt", fmt::format("{}: cannot be read; run lode verify", sequence));
      return Ok();
    }
    Line("receipt", fmt::format("receipts/{}/{}", dataset_.name, ledger::ReceiptFileName(sequence)));
    Line("", fmt::format("{} ({}), {}, {} lode {}", receipt->unit, receipt->origin, Count(receipt->attempts, "attempt"),
                         session_.ShowInstant(receipt->finished_at.substr(0, 19) + "Z"), receipt->program));
    if (!receipt->request.empty()) Line("request", RequestOfDay(receipt->request));
    JsonObject event;
    event.Text("type", "receipt")
        .Text("dataset", dataset_.name)
        .Number("sequence", sequence)
        .Text("unit", receipt->unit)
        .Text("origin", receipt->origin)
        .Number("attempts", int64_t{receipt->attempts})
        .Text("finished_at", receipt->finished_at)
        .Text("request", receipt->request)
        .Number("records", receipt->records)
        .Number("rejected", receipt->rejected)
        .Text("quarantine", receipt->quarantine);
    session_.out().Event(std::move(event));
    if (receipt->rejected > 0) {
      Line("rejected", fmt::format("{} of {}: {}", Grouped(receipt->rejected), Count(receipt->records, "record"),
                                   receipt->quarantine));
    }
    TellRawFiles(*receipt);
    return Ok();
  }

  // Of many requests those that name the day, when any do.
  std::string RequestOfDay(const std::string& text) const {
    auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("requests") || !json["requests"].is_array()) return text;
    nlohmann::json of_day = nlohmann::json::array();
    for (const nlohmann::json& request : json["requests"]) {
      if (request.dump().contains(FormatDay(day_))) of_day.push_back(request);
    }
    if (of_day.empty()) return text;
    json["requests"] = std::move(of_day);
    return json.dump();
  }

  // Data files whose name carries the day, when there are any; else all of the receipt.
  void TellRawFiles(const ledger::Receipt& receipt) {
    const std::string day = FormatDay(day_);
    std::string compact = day;
    std::erase(compact, '-');
    auto of_day = [&](const ledger::RawFile& file) { return file.name.contains(compact) || file.name.contains(day); };
    bool by_day = std::ranges::any_of(receipt.raw_files, [&](const auto& f) { return f.role == "data" && of_day(f); });
    for (const ledger::RawFile& file : receipt.raw_files) {
      if (file.role != "data" || (by_day && !of_day(file))) continue;
      const bool removed = !file.in_place && removed_.contains(file.landed);
      Line("raw file", fmt::format("{}{}", file.landed,
                                   file.in_place ? " (in place)"
                                   : removed     ? " (removed by clean)"
                                                 : ""));
      Line("", fmt::format("{}, {}, sha256 {}", file.encoding, Bytes(file.size), file.sha256));
      session_.out().Event(JsonObject()
                               .Text("type", "raw_file")
                               .Text("dataset", dataset_.name)
                               .Text("path", file.landed)
                               .Bool("in_place", file.in_place)
                               .Bool("removed", removed)
                               .Text("encoding", file.encoding)
                               .Number("bytes", file.size)
                               .Text("sha256", file.sha256));
    }
  }

  // Where raw files of the receipt lay that `clean` removed.
  Result<std::set<std::string>> RemovedOf(int64_t sequence) {
    LODE_TRY(const std::vector<ledger::RawFileRow> rows, ledger_.RawFilesOf(dataset_.name, sequence));
    std::set<std::string> removed;
    for (const ledger::RawFileRow& row : rows) {
      if (row.removed) removed.insert(row.file.landed);
    }
    return removed;
  }

  Session& session_;
  lake::LakePaths paths_;
  ledger::Ledger& ledger_;
  const ledger::DatasetRow& dataset_;
  Day day_;
  std::set<std::string> partitions_;
  // Of decider_sequence_: cells of a day mostly share it.
  std::optional<ledger::Receipt> decider_;
  std::set<std::string> removed_;
  std::optional<int64_t> decider_sequence_;
  bool expired_ = false;  // a cell told is
  std::string text_;
};

class ExplainCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("CELL", cell_, 1, 1, "DATASET/SYMBOL/DAY, or DATASET/DAY for every symbol");
  }

  Result<int> Run(Session& session) override {
    LODE_TRY(CellName name, ParseCell(cell_[0], session.today()));
    LODE_TRY(lake::LakePaths paths, session.lake());
    LODE_TRY(std::vector<ledger::DatasetRow> datasets, session.Datasets({name.dataset}));
    LODE_TRY(ledger::Ledger * ledger, session.ledger());
    if (datasets.empty()) {
      session.out().Text(fmt::format("{} is declared and has no data yet\n", name.dataset));
      return 0;
    }
    const ledger::DatasetRow& dataset = datasets[0];
    LODE_TRY(const std::vector<ledger::CellRow> cells, CellsOfDay(paths, *ledger, dataset, name));
    Explanation explanation(session, paths, *ledger, dataset, name.day);
    bool any = false;
    for (const ledger::CellRow& row : cells) {
      if (name.symbol && row.cell.symbol != *name.symbol) continue;
      LODE_TRY(explanation.TellCell(row));
      any = true;
    }
    if (!any && name.symbol) {
      LODE_TRY(const std::optional<ledger::CellRow> beyond, BeyondListing(*ledger, name));
      any = beyond.has_value();
      if (beyond) LODE_TRY(explanation.TellCell(*beyond));
    }
    if (!any) return Fail(ErrorKind::kNotFound, "{}", NotExpected(name, cells));
    LODE_TRY(explanation.TellPartitions());
    session.out().Text(std::move(explanation).Take());
    return 0;
  }

 private:
  // Looks at the partitions of what is named alone; the day's other cells are as the ledger has them.
  static Result<std::vector<ledger::CellRow>> CellsOfDay(const lake::LakePaths& paths, ledger::Ledger& ledger,
                                                         const ledger::DatasetRow& dataset, const CellName& name) {
    const Day day = name.day;
    LODE_TRY(const lake::Layout layout, lake::Layout::Parse(dataset.layout));
    std::set<std::string> named, lost;
    LODE_TRY(ledger.ReadCells(dataset.name, day, day, [&](const ledger::CellView& cell) {
      if (!name.symbol || *name.symbol == cell.symbol) named.insert(layout.PathOf(day, std::string(cell.symbol)));
    }));
    for (const std::string& path : named) {
      LODE_TRY(const std::optional<ledger::PartitionRow> row, ledger.FindPartition(dataset.name, path));
      if (!row) continue;
      LODE_TRY(const bool is_lost, lake::IsLost(paths, dataset.name, row->partition));
      if (is_lost) lost.insert(path);
    }
    std::vector<ledger::CellRow> cells;
    LODE_TRY(lake::ReadCells(ledger, dataset, day, day, lost,
                             [&](const ledger::CellView& cell) { cells.push_back(ledger::RowOf(cell)); }));
    return cells;
  }

  // Outside its listing a symbol has one cell on each side, which speaks for the days beyond (plan/work.h).
  static Result<std::optional<ledger::CellRow>> BeyondListing(ledger::Ledger& ledger, const CellName& name) {
    LODE_TRY(const std::vector<ledger::CellRow> rows, ledger.CellsOf(name.dataset, *name.symbol));
    const auto next = std::ranges::lower_bound(rows, name.day, {}, [](const auto& row) { return row.cell.day; });
    const auto speaks = [&](auto row, std::string_view how) {
      return row->cell.state == ledger::CellState::kNotListed && row->cell.reason.starts_with(how);
    };
    std::optional<ledger::CellRow> found;
    if (next != rows.end() && speaks(next, "not listed before ")) found = *next;
    if (next != rows.begin() && speaks(next - 1, "not listed after ")) found = *(next - 1);
    if (found) found->cell.day = name.day;
    return found;
  }

  static std::string NotExpected(const CellName& name, const std::vector<ledger::CellRow>& cells) {
    std::string why = fmt::format("{}: no receipt speaks of {}{}", name.dataset,
                                  name.symbol ? *name.symbol + " on " : "", FormatDay(name.day));
    if (cells.empty()) return why + "; nothing is expected there";
    std::vector<std::string> symbols;
    for (const ledger::CellRow& row : cells) {
      if (symbols.size() < 5) symbols.push_back(row.cell.symbol);
    }
    return why + fmt::format("; that day has {}{}", fmt::join(symbols, ", "), cells.size() > 5 ? ", ..." : "");
  }

  std::vector<std::string> cell_;
};

}  // namespace

std::unique_ptr<Command> MakeExplain() { return std::make_unique<ExplainCommand>(); }

}  // namespace lode::cli
