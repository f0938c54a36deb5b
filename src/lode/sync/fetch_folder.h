// Bytes that were fetched, and perhaps paid for, and are not published yet: <lake>/.lode/fetch/<dataset>/.
//
// A request's bytes arrive in ID.part; once whole and durable they are ID.data with ID.json, what was asked, beside it.
// They stay until a receipt names them in landing: a run that is killed in between asks for nothing twice. Where the
// vendor's files can be continued, ID.part stays too, for the next run that wants it. One run at a time writes here
// (the dataset's lock).
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
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
  uint32_t crc32c = 0;
  int64_t end_ns = 0;  // FetchOutcome::end_ns
  int tries = 1;
};

// What came in memory.
struct Arrival {
  Fetched fetched;
  std::string bytes;
};

class FetchFolder {
 public:
  explicit FetchFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Makes the folder, reads what earlier runs kept and removes what they did not finish, but for parts when
  // `keep_parts`. What another selection asked for is removed too.
  Result<std::vector<Fetched>> Open(const plan::Selection& selection, bool keep_parts);
  std::filesystem::path PartOf(const std::string& id) const { return folder_ / (id + ".part"); }
  // ID.part is whole and, when `durable`, fsynced: makes it last. Sets `file`. What is not durable survives any end of
  // the program, and is found out by its checksum when the machine's end took a part of it. Its sidecar is a line of
  // kept.ndjson: file systems are slow to make files where thousands were just removed (ext4 looks for inodes that are
  // not recently deleted).
  Status Keep(const plan::Selection& selection, Fetched* fetched, bool durable = true) const;
  // Writes bytes down and keeps them as what is not durable. Sets each `file`.
  Status Keep(const plan::Selection& selection, std::span<Arrival> arrivals) const;
  // As far as possible.
  void Remove(const std::string& id) const;
  // The run is over: removes parts that no request of it wanted (`wanted`: their ids), and the folder when nothing is
  // in it.
  void Close(const std::set<std::string>& wanted) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace lode::sync
