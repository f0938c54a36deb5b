// Result<T> and Status: how every fallible function of lode reports failure.
//
// An Error carries a kind (which decides the exit code), a one-line message and the contexts it passed through,
// outermost last. Exceptions of libraries stop in the module that calls them; nothing here throws.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lode {

// What went wrong, in the terms the caller must act on. ExitCode() maps one to one to docs/exit-codes.md.
enum class ErrorKind {
  kUsage,        // bad flag or argument
  kConfig,       // bad lode.toml, environment value or key file
  kBadInput,     // malformed vendor file: the input is at fault
  kCorrupt,      // bytes differ from their recorded hash, size or count
  kIncomplete,   // data missing or verification failed
  kUnsupported,  // a known format or feature that lode refuses by name
  kNotFound,     // a named thing does not exist
  kRefused,      // the vendor refused: key, plan, payment, cost cap
  kStorage,      // disk full, read-only, I/O error
  kBusy,         // another run holds the dataset
  kPartial,      // some units failed; running again continues
  kInterrupted,  // the user or the system asked us to stop
  kInternal,     // our own bug or a library's surprise
};

// Stable name of a kind, as written in JSON events and receipts.
std::string_view Name(ErrorKind kind);

// Process exit code of a kind (docs/exit-codes.md).
int ExitCode(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;
  std::vector<std::string> context;  // innermost first

  // Adds where the error was met: a file, a cell, a step.
  Error&& With(std::string where) && {
    context.push_back(std::move(where));
    return std::move(*this);
  }

  // One line: outermost context first, then the message.
  std::string ToString() const;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

inline Status Ok() { return {}; }

template <typename... Args>
[[nodiscard]] std::unexpected<Error> Fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{kind, fmt::format(format, std::forward<Args>(args)...), {}});
}

}  // namespace lode

#define LODE_CONCAT_INNER(a, b) a##b
#define LODE_CONCAT(a, b) LODE_CONCAT_INNER(a, b)
#define LODE_TRY_STATUS(expression)                                                                            \
  do {                                                                                                         \
    if (auto lode_status = (expression); !lode_status) return std::unexpected(std::move(lode_status).error()); \
  } while (false)
#define LODE_TRY_VALUE_NAMED(name, declaration, expression)   \
  auto name = (expression);                                   \
  if (!name) return std::unexpected(std::move(name).error()); \
  declaration = *std::move(name)
#define LODE_TRY_VALUE(declaration, expression) \
  LODE_TRY_VALUE_NAMED(LODE_CONCAT(lode_result_, __LINE__), declaration, expression)
#define LODE_TRY_PICK(_1, _2, name, ...) name

// LODE_TRY(expression) or LODE_TRY(declaration, expression): returns the error to the caller, or goes on.
#define LODE_TRY(...) LODE_TRY_PICK(__VA_ARGS__, LODE_TRY_VALUE, LODE_TRY_STATUS)(__VA_ARGS__)
