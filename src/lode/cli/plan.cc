// lode plan [DATASET..] [-s DAY] [-e DAY] [--days N] [--symbols ..]
#include <optional>

#include "lode/base/log.h"
#include "lode/cli/commands.h"
#include "lode/cli/sync_options.h"
#include "lode/cli/table.h"
#include "lode/cli/utf8.h"

namespace lode::cli {
namespace {

class Quiet : public sync::SyncObserver {
 public:
  void OnNotice(const std::string&) override {}
  void OnPlan(int64_t, const source::Estimate&) override {}
  void OnBatch(const std::string&, int64_t, uint64_t, int64_t) override {}
};

class PlanCommand : public Command {
 public:
  void Declare(Arguments& arguments) override { options_.Declare(arguments); }

  Result<int> Run(Session& session) override {
    LODE_TRY(const Config* config, session.config());
    LODE_TRY(std::vector<sync::SyncRequest> requests, options_.Requests(session, *config));
    Table table({{"DATASET"},
                 {"FIRST"},
                 {"LAST"},
                 {"SYMBOLS", Table::Align::kRight},
                 {"CELLS", Table::Align::kRight},
                 {"PARTITIONS", Table::Align::kRight},
                 {"REQUESTS", Table::Align::kRight},
                 {"RECORDS", Table::Align::kRight},
                 {"BYTES", Table::Align::kRight},
                 {"COST", Table::Align::kRight}});
    std::string unresolved;
    std::optional<Error> first_error;
    bool any = false;
    for (sync::SyncRequest& request : requests) {
      request.dry_run = request.estimate_whole = true;
      Quiet observer;
      double spent = 0;
      Result<sync::SyncReport> found = sync::Sync(request, &spent, observer);
      if (!found) {
        Error error = std::move(found).error().With("plan " + request.dataset->name);
        if (EndsTheRun(error)) return std::unexpected(std::move(error));
        if (first_error) log::Failure("{}", Printable(error.ToString()));
        if (!first_error) first_error = std::move(error);
        continue;
      }
      any = true;
      const sync::SyncReport& report = *found;
      session.out().Event(Event(report));
      const source::Estimate& estimate = report.estimate;
      const bool none = report.planned_requests == 0;
      table.Add({report.dataset, FormatDay(report.first), FormatDay(report.last), Grouped(report.symbols),
                 Grouped(report.work_cells), Grouped(report.planned_partitions), Grouped(report.planned_requests),
                 none               ? "0"
                 : estimate.records ? Grouped(static_cast<int64_t>(*estimate.records))
                                    : "unknown",
                 none             ? "0"
                 : estimate.bytes ? Bytes(*estimate.bytes)
                                  : "unknown",
                 none ? "nothing to do" : Usd(estimate.usd)});
      unresolved += UnresolvedText(report);
    }
    if (any || !first_error) session.out().Text(table.Render());
    session.out().Text(unresolved);
    if (first_error) return std::unexpected(*std::move(first_error));
    return 0;
  }

 private:
  static JsonObject Event(const sync::SyncReport& report) {
    JsonObject object;
    object.Text("type", "plan")
        .Text("dataset", report.dataset)
        .Text("schema", report.schema)
        .Text("vendor_dataset", report.vendor_dataset)
        .Text("start", FormatDay(report.first))
        .Text("end", FormatDay(report.last))
        .Number("symbols", report.symbols)
        .Number("expected_cells", report.expected_cells)
        .Number("cells", report.work_cells)
        .Number("stale_cells", report.stale_cells)
        .Number("partitions", report.planned_partitions)
        .Number("requests", report.planned_requests);
    const bool none = report.planned_requests == 0;
    const auto number = [&](std::string_view key, const std::optional<uint64_t>& value) {
      if (none || value) {
        object.Number(key, value.value_or(0));
      } else {
        object.Null(key);
      }
    };
    number("records", report.estimate.records);
    number("bytes", report.estimate.bytes);
    object.Raw("cost_usd", none ? "0" : report.estimate.usd ? fmt::format("{:.6f}", *report.estimate.usd) : "null");
    JsonArray unresolved;
    for (const sync::Unresolved& symbol : report.unresolved) {
      unresolved.Raw(JsonObject().Text("symbol", symbol.symbol).Text("reason", symbol.reason).Take());
    }
    object.Raw("unresolved", unresolved.Take());
    return object;
  }

  SyncOptions options_;
};

}  // namespace

std::unique_ptr<Command> MakePlan() { return std::make_unique<PlanCommand>(); }

}  // namespace lode::cli
