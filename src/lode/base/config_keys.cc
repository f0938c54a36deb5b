#include "lode/base/config_keys.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "lode/base/config.h"
#include "lode/base/nearest.h"
#include "lode/base/recurrence.h"
#include "lode/base/secrets.h"

namespace lode::config {
namespace {

using enum KeyType;

constexpr std::array kKnownKeys = std::to_array<KnownKey>({
    {"lake.root", kFolder, ".", true},
    {"lake.min_free", kSize, ""},
    {"sources.databento.base_url", kUrl, "https://hist.databento.com/v0", true},
    {"sources.databento.live_gateway", kAddress, "glbx-mdp3.lsg.databento.com:13000", true},
    {"sources.databento.key", kKey, "env:DATABENTO_API_KEY"},
    {"sources.polygon.base_url", kUrl, "https://api.massive.com", true},
    {"sources.polygon.s3_endpoint", kUrl, "https://files.massive.com", true},
    {"sources.polygon.s3_bucket", kName, "flatfiles", true},
    {"sources.polygon.key", kKey, "env:POLYGON_API_KEY"},
    {"sources.polygon.s3_key_id", kKey, "env:POLYGON_S3_KEY_ID"},
    {"sources.polygon.s3_secret", kKey, "env:POLYGON_S3_SECRET"},
    {"sources.tardis.api_url", kUrl, "https://api.tardis.dev/v1", true},
    {"sources.tardis.datasets_url", kUrl, "https://datasets.tardis.dev/v1", true},
    {"sources.tardis.key", kKey, "env:TARDIS_API_KEY"},
    {"sources.tardis.key_style", kName, "plain"},
    {"sources.fred.base_url", kUrl, "https://api.stlouisfed.org/fred", true},
    {"sources.fred.key", kKey, "env:FRED_API_KEY"},
    {"datasets.*.source", kSource, ""},
    {"datasets.*.dataset", kText, ""},
    {"datasets.*.schema", kName, ""},
    {"datasets.*.stype_in", kName, ""},
    {"datasets.*.symbols", kList, ""},
    {"datasets.*.start", kDay, ""},
    {"datasets.*.calendar", kText, ""},
    {"datasets.*.chunk.symbols", kInteger, ""},
    {"datasets.*.chunk.days", kInteger, ""},
    {"datasets.*.sinks", kList, ""},
    {"datasets.*.layout", kText, ""},
    {"datasets.*.on_bad_record", kPolicy, ""},
    {"datasets.*.flat_file", kText, ""},
    {"datasets.*.rest", kText, ""},
    {"datasets.*.exchange", kText, ""},
    {"datasets.*.data_type", kName, ""},
    {"datasets.*.series", kList, ""},
    {"datasets.*.path", kText, ""},
    {"calendars.folder", kFolder, ""},
    {"ledger.url", kDatabase, "sqlite", true},
    {"sinks.bigquery.project", kName, "", true},
    {"sinks.bigquery.dataset", kName, "", true},
    {"sinks.postgres.url", kDatabase, "", true},
    {"sinks.motherduck.database", kText, "", true},
    {"stores.*.endpoint", kUrl, "", true},
    {"stores.*.bucket", kName, "", true},
    {"stores.*.key_id", kKey, ""},
    {"stores.*.secret", kKey, ""},
    {"pipelines.*.steps", kList, ""},
    {"pipelines.*.at", kRecurrence, ""},
    {"notify.webhook", kWebhook, "", true},
    {"notify.command", kText, "", true},
    {"notify.on", kOccasion, "failure"},
    {"tiers.*.from", kName, ""},
    {"tiers.*.window_days", kInteger, ""},
    {"tiers.*.columns", kList, ""},
    {"tiers.*.exclude", kList, ""},
    {"alerts.*.on", kText, ""},
    {"alerts.*.when", kText, ""},
    {"alerts.*.window", kText, ""},
    {"alerts.*.cooldown", kText, ""},
    {"alerts.*.notify", kText, "", true},
});

constexpr std::array<std::string_view, 6> kSources = {"databento", "polygon", "tardis", "fred", "archive", "files"};

bool HasControlCharacter(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 256 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

Status CheckUrl(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return Fail(ErrorKind::kConfig, "expected a URL that starts with https:// or http://");
  }
  std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  if (host.empty() || HasControlCharacter(rest) || rest.contains(' ')) {
    return Fail(ErrorKind::kConfig, "expected a URL with a host and without spaces");
  }
  if (host.contains('@')) return Fail(ErrorKind::kConfig, "a URL must not carry a user or password");
  return Ok();
}

Status CheckInteger(std::string_view text) {
  int64_t number = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || number < 1 || number > 1'000'000'000) {
    return Fail(ErrorKind::kConfig, "expected a whole number from 1 to 1000000000");
  }
  return Ok();
}

Status CheckAddress(std::string_view text) {
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !IsName(text.substr(0, colon)) || !CheckInteger(text.substr(colon + 1)) ||
      text.size() - colon > 6) {
    return Fail(ErrorKind::kConfig, "expected host:port");
  }
  return Ok();
}

Status CheckText(KeyType type, std::string_view text) {
  switch (type) {
    case kText:
      if (!HasControlCharacter(text) && text.size() <= 65536) return Ok();
      return Fail(ErrorKind::kConfig, "expected text without control characters");
    case kName:
      if (IsName(text)) return Ok();
      return Fail(ErrorKind::kConfig, "expected letters, digits, '_', '-' and '.' only");
    case kUrl:
    case kWebhook: return CheckUrl(text);
    case kAddress: return CheckAddress(text);
    case kDatabase:
      if ((text == "sqlite" || text.contains("://")) && !HasControlCharacter(text)) return Ok();
      return Fail(ErrorKind::kConfig, "expected \"sqlite\" or a URL such as postgresql://host/database");
    case kInteger: return CheckInteger(text);
    case kDay: {
      Result<Day> day = ParseDay(text);
      if (!day) return Fail(ErrorKind::kConfig, "expected a day such as 2024-01-31");
      return Ok();
    }
    case kKey: {
      LODE_TRY(KeyReference reference, ParseKeyReference(text));
      return Ok();
    }
    case kPolicy:
      if (text == "fail" || text == "quarantine") return Ok();
      return Fail(ErrorKind::kConfig, "expected \"fail\" or \"quarantine\"");
    case kSource:
      if (std::ranges::find(kSources, text) != kSources.end()) return Ok();
      return Fail(ErrorKind::kConfig, "no source \"{}\": known are {}", Quoted(text.substr(0, 64)),
                  fmt::join(kSources, ", "));
    case kFolder:
      if (!text.empty() && !HasControlCharacter(text)) return Ok();
      return Fail(ErrorKind::kConfig, "expected a folder");
    case kSize:
      if (ParseSize(text)) return Ok();
      return Fail(ErrorKind::kConfig, "expected a size such as \"512MiB\" or \"2GiB\"");
    case kRecurrence: {
      Result<Recurrence> recurrence = ParseRecurrence(text);
      if (!recurrence) return std::unexpected(std::move(recurrence).error());
      return Ok();
    }
    case kOccasion:
      if (text == "failure" || text == "always") return Ok();
      return Fail(ErrorKind::kConfig, "expected \"failure\" or \"always\"");
    case kList: return CheckText(kText, text);
  }
  return Fail(ErrorKind::kInternal, "unknown value type");
}

bool Matches(const KnownKey& known, const std::vector<std::string>& key, size_t length) {
  std::vector<std::string> pattern = SplitKey(known.pattern);
  if (pattern.size() < length) return false;
  for (size_t i = 0; i < length; ++i) {
    if (pattern[i] != "*" && pattern[i] != key[i]) return false;
  }
  return true;
}

}  // namespace

std::span<const KnownKey> KnownKeys() { return kKnownKeys; }

std::string JoinKey(const std::vector<std::string>& key) { return fmt::format("{}", fmt::join(key, ".")); }

std::vector<std::string> SplitKey(std::string_view dotted) {
  std::vector<std::string> parts;
  while (true) {
    size_t dot = dotted.find('.');
    parts.emplace_back(dotted.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    dotted.remove_prefix(dot + 1);
  }
}

const KnownKey* FindKey(const std::vector<std::string>& key) {
  for (const KnownKey& known : kKnownKeys) {
    if (SplitKey(known.pattern).size() == key.size() && Matches(known, key, key.size())) return &known;
  }
  return nullptr;
}

bool IsTable(const std::vector<std::string>& key) {
  return std::ranges::any_of(kKnownKeys, [&](const KnownKey& known) {
    return SplitKey(known.pattern).size() > key.size() && Matches(known, key, key.size());
  });
}

std::string SuggestKey(const std::vector<std::string>& key) {
  size_t matched = key.size() - 1;  // parts that lead to a known table
  while (matched > 0 && !IsTable({key.begin(), key.begin() + static_cast<std::ptrdiff_t>(matched)})) --matched;
  std::vector<std::string> siblings;
  for (const KnownKey& known : kKnownKeys) {
    if (!Matches(known, key, matched)) continue;
    std::string sibling = SplitKey(known.pattern)[matched];
    if (std::ranges::find(siblings, sibling) == siblings.end()) siblings.push_back(sibling);
  }
  std::string suggestion = DidYouMean(key[matched], siblings);
  if (suggestion.empty()) suggestion = fmt::format(" (known: {})", fmt::join(siblings, ", "));
  return suggestion;
}

std::string Value::Shown() const {
  switch (type) {
    case kInteger:
    case kDay: return text;
    case kKey: {
      Result<KeyReference> reference = ParseKeyReference(text);
      return Quoted(reference ? reference->Shown() : "***");
    }
    case kDatabase: return Quoted(WithoutPassword(text));
    case kWebhook: {
      const size_t host = text.find("//") + 2;
      return Quoted(text.substr(0, std::min(text.find_first_of("/?#", host), text.size())) + "/…");
    }
    case kList: {
      std::vector<std::string> quoted;
      for (const std::string& item : list) quoted.push_back(Quoted(item));
      return fmt::format("[{}]", fmt::join(quoted, ", "));
    }
    default: return Quoted(text);
  }
}

Result<Value> CheckValue(KeyType type, std::string_view text) {
  if (type == kList) return CheckList({std::string(text)});
  LODE_TRY(CheckText(type, text));
  return Value{type, std::string(text), {}, {}};
}

Result<Value> CheckList(const std::vector<std::string>& list) {
  for (const std::string& item : list) {
    if (item.empty()) return Fail(ErrorKind::kConfig, "expected a list of texts, none of them empty");
    LODE_TRY(CheckText(kText, item));
  }
  return Value{kList, {}, list, {}};
}

}  // namespace lode::config
