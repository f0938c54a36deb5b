// One command of the program.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "lode/base/result.h"
#include "lode/cli/arguments.h"
#include "lode/cli/session.h"

namespace lode::cli {

class Command {
 public:
  virtual ~Command() = default;
  virtual void Declare(Arguments& arguments) = 0;
  // The exit code, where it is not that of an error: gaps found is 4, and nothing failed.
  virtual Result<int> Run(Session& session) = 0;
};

struct CommandEntry {
  std::string_view name;     // "ledger rebuild" is two words
  std::string_view group;    // heading in the help
  std::string_view summary;  // one line, for help and man page
  std::unique_ptr<Command> (*create)();
};

// The table of commands, in help order.
std::span<const CommandEntry> Commands();

}  // namespace lode::cli
