// From argv to one command with its options bound: CLI11 and nothing else stays behind this.
#pragma once

#include <memory>
#include <string>

#include "lode/base/result.h"
#include "lode/cli/command.h"

namespace lode::cli {

struct ParsedLine {
  GlobalOptions options;
  const CommandEntry* entry = nullptr;  // null: print `text` and end
  std::unique_ptr<Command> command;
  std::string text;  // help or version
};

// kUsage on anything unknown, with the nearest known command or flag.
Result<ParsedLine> ParseCommandLine(int argc, const char* const* argv);

// Help of the whole program: commands by group, global options.
std::string ProgramHelp();

}  // namespace lode::cli
