#include "lode/sink/duckdb/query.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <vector>

#include "lode/base/log.h"
#include "lode/sink/duckdb/interrupt.h"
#include "lode/sink/duckdb/pins.h"
#include "lode/sink/duckdb/result_text.h"
#include "lode/sink/duckdb/views.h"

namespace lode::sink {
namespace {

namespace fs = std::filesystem;

constexpr int kAttempts = 3;

bool IsWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Whether `name` stands in the SQL as a word, in any case. Inside a text or comment too: one pin too many is harmless.
bool Names(std::string_view sql, std::string_view name) {
  auto equal = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  for (auto at = sql.begin();; ++at) {
    auto found = std::search(at, sql.end(), name.begin(), name.end(), equal);
    if (found == sql.end()) return false;
    auto after = found + static_cast<std::ptrdiff_t>(name.size());
    bool starts = found == sql.begin() || !IsWordCharacter(*(found - 1));
    if (starts && (after == sql.end() || !IsWordCharacter(*after))) return true;
    at = found;
  }
}

std::map<std::string, std::string> Settings(const QueryRequest& request, const std::optional<Pins>& pins) {
  // A fifth of the budget is for the program itself.
  std::map<std::string, std::string> settings = {{"memory_limit", fmt::format("{}B", request.memory_bytes / 5 * 4)},
                                                 {"threads", std::to_string(request.threads)},
                                                 {"preserve_insertion_order", "true"}};
  settings["temp_directory"] = pins ? (pins->folder() / "spill").string() : "";
  return settings;
}

Status CreateViews(Connection& connection, const QueryRequest& request, const std::vector<ViewedDataset>& datasets,
                   std::optional<Pins>& pins) {
  for (const ViewedDataset& dataset : datasets) {
    fs::path folder = request.paths.bronze(dataset.name);
    const auto is_named = [&](const View& view) { return Names(request.sql, view.name); };
    bool named = std::ranges::any_of(ViewsOf(dataset, datasets, folder), is_named);
    if (pins && named && !dataset.is_empty) {
      Result<fs::path> pinned = pins->Pin(request.paths, dataset.name);
      if (pinned) folder = *pinned;
      if (!pinned) log::Debug("{}; reading bronze itself", pinned.error().ToString());
    }
    for (const View& view : ViewsOf(dataset, datasets, folder)) {
      Status created = connection.Execute(view.sql);
      if (!created && named) return std::unexpected(std::move(created).error().With("dataset " + dataset.name));
    }
  }
  return Ok();
}

// `began` tells whether rows may have reached the writer.
Status Answer(const QueryRequest& request, const std::vector<ViewedDataset>& datasets, Connection& connection,
              std::optional<Pins>& pins, RowWriter& writer, bool& began) {
  LODE_TRY(connection.Execute("SET TimeZone = 'UTC'"));
  LODE_TRY(CreateViews(connection, request, datasets, pins));
  LODE_TRY(ResultStream stream, connection.Stream(request.sql, IsRendered));
  LODE_TRY(std::optional<ResultChunk> chunk, stream.Next());
  began = true;
  LODE_TRY(writer.Begin(stream.columns()));
  while (chunk) {
    LODE_TRY(writer.Write(*chunk));
    LODE_TRY(std::optional<ResultChunk> next, stream.Next());
    chunk.reset();
    if (next) chunk.emplace(*std::move(next));
  }
  return Ok();
}

// One attempt, with pins where the lake can be written.
Status Attempt(const QueryRequest& request, RowWriter& writer, bool& began) {
  std::vector<ViewedDataset> datasets;
  if (request.ledger != nullptr) {
    LODE_TRY(datasets, ViewedDatasets(request.paths, *request.ledger));
  }
  std::optional<Pins> pins;  // outlives the connection
  if (std::ranges::any_of(datasets, [&](const ViewedDataset& row) { return Names(request.sql, row.name); })) {
    Result<Pins> created = Pins::Create(request.paths);
    if (created) pins.emplace(*std::move(created));
    if (!created) log::Debug("{}; reading bronze itself", created.error().ToString());
  }
  SignalWatch signals;
  LODE_TRY(Connection connection, Connection::Open({}, Settings(request, pins)));
  signals.Start(connection);
  Status answered = Answer(request, datasets, connection, pins, writer, began);
  signals.Stop();
  return answered;
}

}  // namespace

Status RunQuery(const QueryRequest& request, RowWriter& writer) {
  for (int attempt = 1;; ++attempt) {
    bool began = false;
    Status status = Attempt(request, writer, began);
    bool repeat = !status && !began && status.error().kind == ErrorKind::kStorage && attempt < kAttempts;
    if (!repeat) return status;
  }
}

}  // namespace lode::sink
