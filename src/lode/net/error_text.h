// What a server says when it refuses, in one line fit for an Error.
#pragma once

#include <string>
#include <string_view>

namespace lode::net {

// The message in an error body: {"detail": text | {"message"} | [{"msg"}]} (Databento), {"message"}, {"error": text |
// {"message"}} (Polygon, Tardis, Google), {"error_message"} (FRED), XML <Code> and <Message> (S3); else the text
// itself, "an HTML page" for one. One line, printable, at most 500 bytes; empty for an empty body.
std::string MessageOf(std::string_view body);

// Whether a body that begins like this is an HTML page: kUndecided until enough is there.
enum class HtmlGuess { kNo, kYes, kUndecided };
HtmlGuess GuessHtml(std::string_view beginning);

}  // namespace lode::net
