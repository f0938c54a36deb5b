// Large arrays of a JSON document that is never whole in memory: their elements are cut out while it arrives, the rest
// is kept with those arrays empty. Linear in the bytes; holds one piece and the rest.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"

namespace lode::source::tardis {

class JsonElements {
 public:
  // Gets `text`, a JSON array of whole elements of `array` (index into the paths), in order; at least kPadding bytes
  // behind it may be read. Never called for an array without elements.
  using Take = std::function<Status(size_t array, std::string_view text)>;
  static constexpr size_t kPieceBytes = size_t{256} << 10, kPadding = 64;

  // Each path leads through objects by their keys: "datasets.symbols"; "" is the document itself.
  JsonElements(std::vector<std::string> paths, Take take);

  // kBadInput when brackets do not match, nest deeper than 64, or an element or the rest is over 16 MiB. What is inside
  // an element, or outside the arrays, is for a parser to judge.
  Status Feed(std::string_view bytes);
  // The document is over: what is left of it. kBadInput when it ended in the middle.
  Result<std::string> Finish();

 private:
  struct Level {
    char closer;      // '}' or ']'
    bool wants_key;   // in an object, before the colon
    std::string key;  // of the value that comes or is open
  };

  Status TakeStructure(char c);
  Status Open(char c);
  Status Close(char c);
  Status Flush(bool last);
  void Keep(std::string_view bytes);

  std::vector<std::string> paths_;
  Take take_;
  std::vector<Level> levels_;
  bool in_string_ = false, escaped_ = false, is_key_ = false, ended_ = false;
  std::string key_;
  size_t array_ = 0, cut_level_ = 0;  // levels_.size() inside the array that is cut; 0: none
  bool flushed_ = false;              // a piece of that array was taken
  std::string piece_, rest_;
};

}  // namespace lode::source::tardis
