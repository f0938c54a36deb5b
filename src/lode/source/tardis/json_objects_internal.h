// The objects of a list that JsonElements gives.
#pragma once

#include <simdjson.h>

#include <string_view>

#include "lode/base/result.h"
#include "lode/source/tardis/json_elements.h"

namespace lode::source::tardis {

// `take(key, value)` gets an object's members, `end()` is called behind the last one. `what` names an object.
template <typename Take, typename End>
Status ForEachObject(std::string_view list, std::string_view what, Take take, End end) {
  namespace sj = lode_simdjson;
  const auto bad = [&] { return Fail(ErrorKind::kBadInput, "{} that is no JSON object", what); };
  // A parser holds buffers for its largest document, and is cheap beside a piece.
  sj::ondemand::parser parser;
  sj::ondemand::document document;
  sj::ondemand::array objects;
  const sj::padded_string_view padded(list, list.size() + JsonElements::kPadding);
  if (parser.iterate(padded).get(document) != sj::SUCCESS || document.get_array().get(objects) != sj::SUCCESS) {
    return bad();
  }
  for (auto element : objects) {
    sj::ondemand::object object;
    if (element.get_object().get(object) != sj::SUCCESS) return bad();
    for (auto field : object) {
      std::string_view key;
      sj::ondemand::value value;
      if (field.unescaped_key().get(key) != sj::SUCCESS || field.value().get(value) != sj::SUCCESS) return bad();
      LODE_TRY(take(key, value));
    }
    LODE_TRY(end());
  }
  return Ok();
}

}  // namespace lode::source::tardis
