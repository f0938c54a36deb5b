// What a command prints on stdout: text for people, or NDJSON events under --json, never both.
#pragma once

#include <string_view>

#include "lode/base/result.h"
#include "lode/cli/json.h"

namespace lode::cli {

class Output {
 public:
  Output(bool json, bool quiet) : json_(json), quiet_(quiet) {}

  bool json() const { return json_; }
  bool quiet() const { return quiet_; }
  // A result, for people: what the command is for.
  void Text(std::string_view text) const;
  // A summary of something done, for people; silent under --quiet.
  void Summary(std::string_view text) const;
  // One event: a line of JSON. Silent without --json.
  void Event(JsonObject object) const;
  // The same, of an object already taken as text.
  void EventLine(std::string_view json) const;
  // kStorage when stdout could not be written; a reader that went away is not an error.
  Status Finish() const;

 private:
  bool json_, quiet_;
};

// Bytes to stdout. False when nobody reads any more or the disk is full.
bool WriteStdout(std::string_view bytes);
// Whether whoever read stdout went away (`| head`): nothing failed, there is nothing more to do.
bool ReaderIsGone();

}  // namespace lode::cli
