// The command line of one command, declared by binding variables.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace lode::cli {

class Arguments {
 public:
  virtual ~Arguments() = default;
  // Words without a flag, as many as are given; `at_least` to `at_most` (0: any number).
  virtual void Positional(const std::string& name, std::vector<std::string>& words, int at_least, int at_most,
                          const std::string& help) = 0;
  // "-s,--start" VALUE.
  virtual void Option(const std::string& names, const std::string& value_name, std::string& value,
                      const std::string& help) = 0;
  virtual void Flag(const std::string& names, bool& value, const std::string& help) = 0;
};

// Options every command takes, before or after its name.
struct GlobalOptions {
  std::string lake, config, env_file, memory, tz;
  bool json = false, quiet = false, verbose = false;
};

}  // namespace lode::cli
