// References to keys. lode.toml and the environment name where a key is, never the key itself; what is parsed here can
// be shown and logged, what it points to cannot.
#pragma once

#include <filesystem>
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

// "postgresql://user:***@host/db": a URL without its password, fit to be shown.
std::string WithoutPassword(std::string_view url);

}  // namespace lode
