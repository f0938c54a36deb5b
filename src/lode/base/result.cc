#include "lode/base/result.h"

namespace lode {

std::string_view Name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage: return "usage";
    case ErrorKind::kConfig: return "config";
    case ErrorKind::kBadInput: return "bad_input";
    case ErrorKind::kCorrupt: return "corrupt";
    case ErrorKind::kIncomplete: return "incomplete";
    case ErrorKind::kUnsupported: return "unsupported";
    case ErrorKind::kNotFound: return "not_found";
    case ErrorKind::kRefused: return "refused";
    case ErrorKind::kStorage: return "storage";
    case ErrorKind::kBusy: return "busy";
    case ErrorKind::kPartial: return "partial";
    case ErrorKind::kInterrupted: return "interrupted";
    case ErrorKind::kInternal: return "internal";
  }
  return "internal";
}

int ExitCode(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
    case ErrorKind::kConfig:
    case ErrorKind::kNotFound: return 2;
    case ErrorKind::kPartial: return 3;
    case ErrorKind::kBadInput:
    case ErrorKind::kCorrupt:
    case ErrorKind::kIncomplete:
    case ErrorKind::kUnsupported: return 4;
    case ErrorKind::kRefused: return 5;
    case ErrorKind::kStorage: return 6;
    case ErrorKind::kBusy: return 7;
    case ErrorKind::kInterrupted: return 130;
    case ErrorKind::kInternal: return 1;
  }
  return 1;
}

std::string Error::ToString() const {
  std::string line;
  for (auto where = context.rbegin(); where != context.rend(); ++where) line += *where + ": ";
  return line + message;
}

}  // namespace lode
