// References to keys. lode.toml and the environment name where a key is, never the key itself; what is parsed here can
// be shown and logged, what it points to cannot.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "lode/base/result.h"

namespace lode {

struct KeyReference {
  enum class Kind { kEnvironment, kFile, kCommand };
  Kind kind = Kind::kEnvironment;
  std::string target;  // NAME, PATH or COMMAND

  // What `config show` prints: of a command only its program, because its arguments may hold anything.
  std::string Shown() const;
};

// "env:NAME", "file:PATH" or "cmd:COMMAND". kConfig otherwise, without repeating the text: it may be a key somebody
// pasted.
Result<KeyReference> ParseKeyReference(std::string_view text);

// A key file must be a regular file of the current user that nobody else may read or write (0600 or stricter).
// kConfig says what is wrong; a file that is absent is kNotFound.
Status CheckKeyFile(const std::filesystem::path& file);

// The key itself. env: the variable, of the process or else of `env_file` (the values of --env-file); file:
// CheckKeyFile, then its text; cmd: the first line that `/bin/sh -c COMMAND` writes within `time_limit`, without input,
// its messages going to our stderr. A line end is taken off. kConfig names the reference when there is no key, and
// never repeats one. A key of four or more characters is registered with log::RedactSecret. Runs a program for cmd:.
Result<std::string> ResolveKey(const KeyReference& reference, const std::map<std::string, std::string>& env_file = {},
                               std::chrono::milliseconds time_limit = std::chrono::seconds(30));

// "postgresql://user:***@host/db": a URL without its password, fit to be shown.
std::string WithoutPassword(std::string_view url);

}  // namespace lode
