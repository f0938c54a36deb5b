// A chain of pages, each asked for by what the one before said, in one file: what REST APIs give instead of a stream.
//
// The file holds the kept pages as the vendor sent them, one a line (line breaks within a page are taken out), each in
// a zstd frame of its own. It is whole only when the chain came to the end that the vendor's own page named: a chain
// that breaks leaves no file that could pass for one.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lode/base/result.h"
#include "lode/net/http.h"
#include "lode/source/supply.h"

namespace lode::source {

// What follows a page.
struct PageStep {
  bool keep = true;                  // the page belongs into the file
  std::optional<net::Request> next;  // none: the chain has come to its end
};

// What makes up a chain. Both are called on the client's thread, for one page after the other.
struct PageReader {
  // Looks at a page that came whole. An error makes the client ask for the page again, as for a damaged body: use it
  // for what is not the page that was asked for.
  std::function<Result<PageStep>(std::string_view page)> read;
  // A page that failed for good: how the chain goes on all the same, or how it ends. Without it any failure does.
  std::function<std::optional<net::Request>(const net::Outcome& answer)> recover;
};

// Fetches the chain, for a supply that is free: the file is not synced to the disk. `done` is called once, on the
// client's thread. The outcome is kFetched or what FailureOf says of the answer that ended it, for the vendor's folder
// to judge again. `client` outlives the chain.
struct ChainOutcome {
  FetchOutcome outcome;
  std::optional<net::Outcome> answer;  // of the page that failed
  int pages = 0;                       // kept
};
void FetchPages(net::Client& client, net::Request first, const std::filesystem::path& file, PageReader reader,
                std::function<void(ChainOutcome)> done);

}  // namespace lode::source
