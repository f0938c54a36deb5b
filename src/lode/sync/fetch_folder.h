// Bytes that were fetched, and perhaps paid for, and are not published yet: <lake>/.lode/fetch/<dataset>/.
//
// A request's bytes arrive in ID.part; once whole and durable they are ID.data with ID.json, what was asked, beside it.
// They stay until a receipt names them in landing: a run that is killed in between asks for nothing twice. One run at a
// time writes here (the dataset's lock).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lode/base/result.h"
#include "lode/plan/chunk.h"

namespace lode::sync {

struct Fetched {
  std::string id;
  plan::Request request;
  std::filesystem::path file;
  uint64_t size = 0;
  std::string sha256;
  int64_t end_ns = 0;  // FetchOutcome::end_ns
  int tries = 1;
};

class FetchFolder {
 public:
  explicit FetchFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Makes the folder, reads what earlier runs kept and removes what they did not finish. What another selection asked
  // for is removed too.
  Result<std::vector<Fetched>> Open(const plan::Selection& selection);
  std::filesystem::path PartOf(const std::string& id) const { return folder_ / (id + ".part"); }
  // ID.part is whole and fsynced: makes it last. Sets `file`.
  Status Keep(const plan::Selection& selection, Fetched* fetched) const;
  // As far as possible.
  void Remove(const std::string& id) const;
  // Removes the folder when nothing is in it.
  void Close() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace lode::sync
