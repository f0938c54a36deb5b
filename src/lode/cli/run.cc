#include "lode/cli/run.h"

#include <cstdio>
#include <string_view>

#include "lode/base/log.h"
#include "lode/base/stop.h"
#include "lode/cli/parse.h"
#include "lode/cli/utf8.h"

namespace lode::cli {
namespace {

// One line on stderr and, under --json, the final event.
int Report(const Error& error, const Output& out) {
  int code = ExitCode(error.kind);
  std::string message = log::Redact(error.ToString());  // may name a hostile file's contents
  out.Event(JsonObject()
                .Text("type", "error")
                .Text("kind", Name(error.kind))
                .Number("exit_code", int64_t{code})
                .Text("message", message));
  (void)out.Finish();
  for (char& c : message) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  log::Failure("{}", Printable(message));
  return code;
}

bool AsksForJson(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--json") return true;
  }
  return false;
}

Result<int> RunCommand(ParsedLine& line) {
  LODE_TRY(Session session, Session::Create(line.options, std::string(line.entry->name)));
  LODE_TRY(int code, line.command->Run(session));
  LODE_TRY(session.out().Finish());
  return code;
}

}  // namespace

int Run(int argc, const char* const* argv) {
  InstallStopHandlers();
  Result<ParsedLine> line = ParseCommandLine(argc, argv);
  if (!line) return Report(line.error(), Output(AsksForJson(argc, argv), false));
  if (line->entry == nullptr) {
    Output out(false, false);
    out.Text(line->text);
    return out.Finish() ? 0 : 6;
  }
  if (line->options.quiet) log::SetStderrLevel(log::Level::kWarning);
  if (line->options.verbose) log::SetStderrLevel(log::Level::kDebug);
  Output out(line->options.json, line->options.quiet);
  try {
    Result<int> code = RunCommand(*line);
    return code ? *code : Report(code.error(), out);
  } catch (const std::exception& problem) {
    return Report({ErrorKind::kInternal, fmt::format("unexpected: {}", problem.what()), {}}, out);
  }
}

}  // namespace lode::cli
