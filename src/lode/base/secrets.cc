#include "lode/base/secrets.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace lode {
namespace {

bool IsVariableName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool HasControlCharacter(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

std::string KeyReference::Shown() const {
  switch (kind) {
    case Kind::kEnvironment: return "env:" + target;
    case Kind::kFile: return "file:" + target;
    case Kind::kCommand: {
      size_t end = target.find(' ');
      return "cmd:" + target.substr(0, end) + (end == std::string::npos ? "" : " ...");
    }
  }
  return "";
}

Result<KeyReference> ParseKeyReference(std::string_view text) {
  auto after = [&](std::string_view prefix) { return text.substr(prefix.size()); };
  if (text.starts_with("env:") && IsVariableName(after("env:"))) {
    return KeyReference{KeyReference::Kind::kEnvironment, std::string(after("env:"))};
  }
  bool usable = !HasControlCharacter(text) && text.size() <= 4096;
  if (text.starts_with("file:") && usable && !after("file:").empty()) {
    return KeyReference{KeyReference::Kind::kFile, std::string(after("file:"))};
  }
  if (text.starts_with("cmd:") && usable && !after("cmd:").empty()) {
    return KeyReference{KeyReference::Kind::kCommand, std::string(after("cmd:"))};
  }
  return Fail(ErrorKind::kConfig,
              "a key is never written here: say where it is, as env:NAME, file:PATH or cmd:COMMAND");
}

Status CheckKeyFile(const std::filesystem::path& file) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0) {
    ErrorKind kind = errno == ENOENT ? ErrorKind::kNotFound : ErrorKind::kConfig;
    return Fail(kind, "key file {}: {}", file.string(), std::strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) return Fail(ErrorKind::kConfig, "key file {} is not a regular file", file.string());
  if (info.st_uid != ::geteuid()) return Fail(ErrorKind::kConfig, "key file {} belongs to another user", file.string());
  if ((info.st_mode & 077) != 0) {
    return Fail(ErrorKind::kConfig, "key file {} may be read by others (mode {:04o}): chmod 600 it", file.string(),
                info.st_mode & 07777);
  }
  return Ok();
}

std::string WithoutPassword(std::string_view url) {
  size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  size_t authority = scheme + 3;
  size_t authority_end = std::min(url.find_first_of("/?#", authority), url.size());
  size_t at = url.substr(0, authority_end).rfind('@');
  std::string shown;
  if (at == std::string_view::npos || at < authority) {
    shown = std::string(url);
  } else {
    size_t colon = url.find(':', authority);
    std::string_view user = url.substr(authority, std::min(colon, at) - authority);
    shown = std::string(url.substr(0, authority)) + std::string(user) + (colon < at ? ":***" : "") +
            std::string(url.substr(at));
  }
  size_t parameter = shown.find("password=");
  if (parameter != std::string::npos) {
    size_t start = parameter + std::strlen("password=");
    shown.replace(start, std::min(shown.find('&', start), shown.size()) - start, "***");
  }
  return shown;
}

}  // namespace lode
