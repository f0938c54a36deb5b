// lode query SQL [--csv]
#include "lode/sink/duckdb/query.h"

#include "lode/base/log.h"
#include "lode/cli/commands.h"
#include "lode/cli/result_writers.h"
#include "lode/cli/table.h"
#include "lode/lake/listing.h"
#include "lode/sink/duckdb/views.h"

namespace lode::cli {
namespace {

class QueryCommand : public Command {
 public:
  void Declare(Arguments& arguments) override {
    arguments.Positional("SQL", sql_, 1, 1, "one or more statements; the last one's rows are shown");
    arguments.Flag("--csv", csv_, "rows as CSV instead of a table (--json: one object a row)");
  }

  Result<int> Run(Session& session) override {
    if (csv_ && session.out().json()) return Fail(ErrorKind::kUsage, "query: --csv and --json exclude each other");
    LODE_TRY(lake::LakePaths paths, session.lake());
    LODE_TRY(ledger::Ledger * ledger, session.ledger());
    sink::QueryRequest request{
        .paths = paths, .ledger = ledger, .sql = sql_[0], .memory_bytes = session.memory_bytes()};
    std::unique_ptr<ResultWriter> writer = csv_                   ? MakeCsvWriter()
                                           : session.out().json() ? MakeJsonWriter()
                                                                  : MakeTableWriter(session.options().tz);
    LODE_TRY(WarnOfLost(session, paths));
    Status answered = sink::RunQuery(request, *writer);
    if (ReaderIsGone()) return 0;
    LODE_TRY(std::move(answered));
    writer->End();
    if (ledger != nullptr) RefreshMovedViews(paths, *ledger);
    return 0;
  }

 private:
  // A file that somebody deleted makes an answer smaller without an error: say so.
  Status WarnOfLost(Session& session, const lake::LakePaths& paths) const {
    LODE_TRY(std::vector<ledger::DatasetRow> datasets, session.Datasets({}));
    for (const ledger::DatasetRow& dataset : datasets) {
      if (sql_[0].find(dataset.name) == std::string::npos) continue;
      LODE_TRY(ledger::Ledger * ledger, session.ledger());
      LODE_TRY(std::set<std::string> lost, lake::LostPartitions(paths, *ledger, dataset.name));
      if (lost.empty()) continue;
      log::Warning("{}: {} gone or changed, the answer lacks those rows; `lode status --files` names them",
                   dataset.name, Count(static_cast<int64_t>(lost.size()), "partition file"));
    }
    return Ok();
  }

  // A lake that was moved or copied has views of its old place in lake.duckdb. Best effort: the query is answered.
  static void RefreshMovedViews(const lake::LakePaths& paths, ledger::Ledger& ledger) {
    Result<sink::ViewRefresh> refresh = sink::RefreshViews(paths, ledger);
    if (refresh && refresh->state == sink::ViewState::kPending) log::Debug("views pending: {}", refresh->reason);
  }

  std::vector<std::string> sql_;
  bool csv_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeQuery() { return std::make_unique<QueryCommand>(); }

}  // namespace lode::cli
