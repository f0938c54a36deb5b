// lode gaps [DATASET..] [-s DAY] [-e DAY] [--remote] [--all] [-o FILE]
#include <algorithm>
#include <filesystem>
#include <set>

#include "lode/calendar/calendar.h"
#include "lode/cli/commands.h"
#include "lode/cli/days.h"
#include "lode/cli/sync_options.h"
#include "lode/cli/table.h"
#include "lode/lake/listing.h"
#include "lode/source/supply.h"
#include "lode/store/local_disk.h"
#include "lode/sync/sync.h"

namespace lode::cli {
namespace {

namespace fs = std::filesystem;

struct DatasetGaps {
  std::string name, schema;
  std::vector<plan::Gap> gaps;
  std::vector<plan::Gap> settled;  // --all
  std::set<Day> closed;
  const calendar::Calendar* calendar = nullptr;  // nullptr: the vendor says which UTC days there are
  std::optional<Day> first, last;                // asked for, else of the cells
};

int64_t CalendarDays(const plan::Gap& gap) { return int64_t{gap.last.since_epoch} - gap.first.since_epoch + 1; }

JsonObject GapFields(JsonObject object, const plan::Gap& gap) {
  object.Text("symbol", gap.symbol)
      .Text("start", FormatDay(gap.first))
      .Text("end", FormatDay(gap.last))
      .Number("days", CalendarDays(gap))
      .Number("trading_days", gap.days)
      .Text("state", ledger::Name(gap.state))
      .Text("reason", gap.reason);
  return object;
}

JsonObject DatasetHead(JsonObject object, const DatasetGaps& dataset) {
  object.Text("dataset", dataset.name).Text("data_type", dataset.schema);
  dataset.first ? object.Text("start", FormatDay(*dataset.first)) : object.Null("start");
  dataset.last ? object.Text("end", FormatDay(*dataset.last)) : object.Null("end");
  object.Text("calendar", dataset.calendar == nullptr ? "utc" : dataset.calendar->name());
  return object;
}

// The calendar's holidays and closed cells, each once: they are the same for every symbol of a dataset.
std::string HolidaysJson(const DatasetGaps& dataset) {
  std::set<Day> closed = dataset.closed;
  if (dataset.calendar != nullptr && dataset.first && dataset.last) {
    for (Day day = *dataset.first; day <= *dataset.last; day = day + 1) {
      if (!dataset.calendar->NameOf(day).empty() && !dataset.calendar->IsSession(day)) closed.insert(day);
    }
  }
  JsonArray days;
  for (Day day : closed) days.Raw(JsonText(FormatDay(day)));
  return days.Take();
}

// The document that -o writes (docs/exit-codes.md), one gap a line so that it can be read and compared.
std::string Document(const std::vector<DatasetGaps>& datasets) {
  std::string text = "{\"version\":1,\"datasets\":[";
  for (size_t i = 0; i < datasets.size(); ++i) {
    std::string gaps = "[";
    for (size_t j = 0; j < datasets[i].gaps.size(); ++j) {
      gaps += (j == 0 ? "\n  " : ",\n  ") + GapFields(JsonObject(), datasets[i].gaps[j]).Take();
    }
    gaps += "]";
    JsonObject object = DatasetHead(JsonObject(), datasets[i]);
    object.Raw("gaps", gaps).Raw("holidays", HolidaysJson(datasets[i]));
    text += (i == 0 ? "\n " : ",\n ") + object.Take();
  }
  return text + "\n]}\n";
}

class GapsCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("DATASET", names_, 0, 0, "datasets; all when none is named");
    arguments.Option("-s,--start", "DAY", start_, "first day: YYYY-MM-DD, today, yesterday, -7d");
    arguments.Option("-e,--end", "DAY", end_, "last day, inclusive");
    arguments.Flag("--remote", remote_, "as the vendors say now: days never asked for and revised ones too");
    arguments.Flag("--all", all_, "also what is settled and has no data: not_entitled, not_listed, expired, closed");
    arguments.Flag("--trust-ledger", trust_ledger_, "do not look whether the lake's files are still there");
    arguments.Option("-o,--output", "FILE", file_, "write the gaps as a JSON document too");
  }

  Result<int> Run(Session& session) override {
    if (all_ && remote_) {
      return Fail(ErrorKind::kUsage,
                  "--all lists what the ledger says; --remote what the vendor says: give one of them");
    }
    LODE_TRY(std::vector<DatasetGaps> datasets, remote_ ? AskVendors(session) : ReadLedger(session));
    if (!file_.empty()) {
      fs::path file = fs::absolute(file_);
      LODE_TRY(store::ReplaceDurable(file, Document(datasets), file.parent_path()));
    }
    return Print(session, datasets);
  }

 private:
  Result<std::vector<DatasetGaps>> ReadLedger(Session& session) const {
    LODE_TRY(DayRange range, ParseDayRange(start_, end_, session.today()));
    LODE_TRY(lake::LakePaths paths, session.lake());
    LODE_TRY(ledger::Ledger * ledger, session.ledger());
    LODE_TRY(std::vector<ledger::DatasetRow> rows, session.Datasets(names_));
    std::vector<DatasetGaps> datasets;
    for (const ledger::DatasetRow& row : rows) {
      DatasetGaps& dataset = datasets.emplace_back();
      dataset.name = row.name;
      dataset.schema = row.schema;
      LODE_TRY(ReadCells(paths, *ledger, row, range, &dataset));
      LODE_TRY(dataset.calendar, FindCalendar(session, row.name));
    }
    return datasets;
  }

  Status ReadCells(const lake::LakePaths& paths, ledger::Ledger& ledger, const ledger::DatasetRow& row,
                   const DayRange& range, DatasetGaps* dataset) const {
    std::set<std::string> lost;
    if (!trust_ledger_) {
      LODE_TRY(lost, lake::LostPartitions(paths, ledger, row.name));
    }
    plan::RunFinder gaps(plan::IsOpen), settled(plan::IsSettledWithoutData);
    std::optional<Day> first, last;
    LODE_TRY(lake::ReadCells(ledger, row, range.first, range.last, lost, [&](const ledger::CellView& cell) {
      gaps.Add(cell);
      if (all_) settled.Add(cell);
      if (cell.state == ledger::CellState::kClosed) dataset->closed.insert(cell.day);
      first = first ? std::min(*first, cell.day) : cell.day;
      last = last ? std::max(*last, cell.day) : cell.day;
    }));
    dataset->gaps = gaps.Take();
    dataset->settled = settled.Take();
    dataset->first = range.first ? range.first : first;
    dataset->last = range.last ? range.last : last;
    return Ok();
  }

  // Declared datasets that can be asked; one that cannot be reached ends it: half an answer would look like a whole
  // one.
  Result<std::vector<DatasetGaps>> AskVendors(Session& session) const {
    LODE_TRY(const Config* config, session.config());
    LODE_TRY(const auto selected, SelectDatasets(*config, names_));
    std::vector<DatasetGaps> datasets;
    for (const DatasetConfig* declared : selected) {
      LODE_TRY(auto request, RequestOf(session, *config, *declared, {.start = start_, .end = end_, .days = {}}));
      if (!request) continue;
      request->trust_ledger = trust_ledger_;
      Result<std::vector<plan::Gap>> gaps = sync::FindGaps(*request);
      if (!gaps) return std::unexpected(std::move(gaps).error().With("gaps " + declared->name));
      DatasetGaps& dataset = datasets.emplace_back();
      dataset.name = declared->name;
      dataset.schema = declared->schema_name();
      dataset.gaps = *std::move(gaps);
      dataset.first = request->first;
      dataset.last = request->last;
      LODE_TRY(dataset.calendar, FindCalendar(session, declared->name));
    }
    return datasets;
  }

  static Result<const calendar::Calendar*> FindCalendar(Session& session, const std::string& name) {
    LODE_TRY(const Config* config, session.config());
    const DatasetConfig* dataset = config->FindDataset(name);
    const std::string calendar = dataset == nullptr ? std::string() : source::CalendarOf(*dataset);
    if (calendar.empty()) return nullptr;
    return calendar::Get(calendar);
  }

  static Result<int> Print(const Session& session, const std::vector<DatasetGaps>& datasets) {
    Table table({{"DATASET"}, {"SYMBOL"}, {"GAP"}, {"TRADING DAYS", Table::Align::kRight}, {"STATE"}, {"REASON"}});
    int64_t count = 0, days = 0;
    const auto add = [&](const std::string& name, const plan::Gap& gap, std::string_view type) {
      session.out().Event(GapFields(std::move(JsonObject().Text("type", type).Text("dataset", name)), gap));
      table.Add(
          {name, gap.symbol,
           fmt::format("{} to {} ({})", FormatDay(gap.first), FormatDay(gap.last), Count(CalendarDays(gap), "day")),
           Grouped(gap.days), std::string(ledger::Name(gap.state)), gap.reason});
    };
    for (const DatasetGaps& dataset : datasets) {
      for (const plan::Gap& gap : dataset.gaps) {
        add(dataset.name, gap, "gap");
        ++count;
        days += gap.days;
      }
      for (const plan::Gap& gap : dataset.settled) add(dataset.name, gap, "settled");
      JsonObject head = DatasetHead(std::move(JsonObject().Text("type", "gaps")), dataset);
      head.Number("count", static_cast<int64_t>(dataset.gaps.size())).Raw("holidays", HolidaysJson(dataset));
      session.out().Event(std::move(head));
    }
    if (count == 0) {
      if (!table.empty()) session.out().Text(table.Render());
      session.out().Text(datasets.empty() ? "no datasets yet\n" : "no gaps\n");
      return 0;
    }
    session.out().Text(table.Render());
    session.out().Text(fmt::format("{}, {}\n", Count(count, "gap"), Count(days, "trading day")));
    return ExitCode(ErrorKind::kIncomplete);
  }

  std::vector<std::string> names_;
  std::string start_, end_, file_;
  bool remote_ = false, all_ = false, trust_ledger_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeGaps() { return std::make_unique<GapsCommand>(); }

}  // namespace lode::cli
