// A large JSON answer, with gzip around it or not, that is taken apart while it arrives.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/codec/gzip_inflater.h"
#include "lode/net/http.h"
#include "lode/source/tardis/json_elements.h"

namespace lode::source::tardis {

// What a subclass calls kBadInput is not the answer of this method: it becomes kCorrupt, and the client asks again.
class JsonBody : public net::Body {
 public:
  Status Begin(const net::ResponseHead& head, uint64_t offset) final;
  Status Write(std::span<const std::byte> bytes) final;
  Status End() final;

 protected:
  // Of JsonElements.
  explicit JsonBody(std::vector<std::string> arrays) : arrays_(std::move(arrays)) {}

  // Before each try, the first one too.
  virtual void Restart() {}
  // A list of whole elements, as JsonElements gives it.
  virtual Status Take(size_t array, std::string_view list) = 0;
  // The document without them.
  virtual Status TakeRest(const std::string& text) = 0;

 private:
  const std::vector<std::string> arrays_;
  std::optional<codec::GzipInflater> gzip_;
  std::optional<JsonElements> elements_;
};

}  // namespace lode::source::tardis
