// Just enough UTF-8 for JSON and aligned tables.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lode::cli {

// Bytes of the well-formed code point at the start of `text`; 0 when there is none.
size_t Utf8Length(std::string_view text);

// What a terminal may show of `text`: control characters and broken bytes become '?', so that no value can move the
// cursor or change colours.
std::string Printable(std::string_view text);

// Code points: the width of a table cell, wide characters aside.
size_t Width(std::string_view printable);

}  // namespace lode::cli
