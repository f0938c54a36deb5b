// The receipt's text form, shared by writer and reader. Normative description: docs/ledger.md.
#pragma once

#include <string>
#include <string_view>

namespace lode::ledger {

// 1, and 2 of receipts that remove files: a program that does not know of those would miss them.
inline constexpr int kReceiptFormat = 2;

// The text is BODY, kChecksumKey, 64 hex digits of SHA-256(BODY), kChecksumEnd.
inline constexpr std::string_view kChecksumKey = ",\n\"sha256\":\"";
inline constexpr std::string_view kChecksumEnd = "\"}\n";
inline constexpr size_t kSha256Digits = 64;

bool IsSha256(std::string_view text);

// JSON holds only UTF-8, file names and symbols may hold any byte: a byte that is not part of valid UTF-8, and NUL
// itself, is written as NUL and two hex digits.
std::string ToUtf8(std::string_view bytes);
// The inverse; false when a NUL is not followed by two lower-case hex digits.
bool FromUtf8(std::string_view text, std::string* bytes);

}  // namespace lode::ledger
