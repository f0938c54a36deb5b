// The keys lode.toml may hold, with their types and defaults: one table, read by the file and the environment parser.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lode/base/result.h"
#include "lode/base/time.h"

namespace lode::config {

enum class KeyType {
  kText,
  kName,      // text of letters, digits, '_', '-', '.'
  kUrl,       // http:// or https://
  kWebhook,   // the same; its path may be a secret, and only the host is shown
  kAddress,   // host:port
  kDatabase,  // "sqlite" or a connection URL; shown without its password
  kInteger,   // 1 to 1e9
  kDay,
  kList,        // list of texts; a single text is a list of one
  kKey,         // key reference (base/secrets.h)
  kPolicy,      // on_bad_record
  kSource,      // name of a source
  kFolder,      // lake root
  kSize,        // "2GiB"
  kRecurrence,  // base/recurrence.h
  kOccasion,    // "failure" | "always"
};

struct KnownKey {
  std::string_view pattern;  // dotted; "*" stands for one name
  KeyType type;
  std::string_view default_value;  // plain text; empty: none
  // Makes lode send something somewhere or run something: obeyed from trusted files only.
  bool acts = false;
};

std::span<const KnownKey> KnownKeys();
// The entry that matches a dotted key, nullptr when there is none.
const KnownKey* FindKey(const std::vector<std::string>& key);
// Whether some known key lies below this table.
bool IsTable(const std::vector<std::string>& key);
// Text for an unknown key: the nearest known one, or what is known beside it.
std::string SuggestKey(const std::vector<std::string>& key);

std::string JoinKey(const std::vector<std::string>& key);
std::vector<std::string> SplitKey(std::string_view dotted);

// A value that passed its type's check.
struct Value {
  KeyType type = KeyType::kText;
  std::string text;               // plain form of every type but kList
  std::vector<std::string> list;  // kList
  std::string origin;
  std::string Shown() const;  // TOML form without secrets
};

// Checks `text` as a value of `type`. kConfig says what was expected; text of a key is never repeated.
Result<Value> CheckValue(KeyType type, std::string_view text);
Result<Value> CheckList(const std::vector<std::string>& list);

}  // namespace lode::config
