#include "faults.h"

#include <fmt/format.h>

#include <algorithm>

#include "lode/base/time.h"

namespace lode::vendor {
namespace {

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t at = 0; at < text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) parts.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return parts;
}

// Symbols × days a request asks for; ALL_SYMBOLS count as 2,000.
double SizeOf(const Request& request) {
  const auto symbols = Split(request.Find("symbols").value_or("ALL_SYMBOLS"));
  const double count = symbols.size() == 1 && symbols[0] == "ALL_SYMBOLS" ? 2'000 : static_cast<double>(symbols.size());
  const auto instant = [&](const char* name) -> std::optional<double> {
    const auto text = request.Find(name);
    if (!text) return std::nullopt;
    if (text->find('-') == std::string::npos) return std::strtod(text->c_str(), nullptr) / 86'400e9;
    const auto day = ParseDay(std::string_view(*text).substr(0, 10));
    return day ? std::optional(static_cast<double>(day->since_epoch)) : std::nullopt;
  };
  const auto start = instant("start"), end = instant("end");
  return count * (start && end ? std::max(*end - *start, 1.0) : 1.0);
}

}  // namespace

struct FaultScript::Rule {
  std::string name;
  std::optional<std::regex> path, body;
  std::string method;
  std::set<std::string> symbols;  // any of them in the request
  std::map<std::string, std::string> parameters;
  std::set<int64_t> nth;
  int64_t first = -1, after = 0, every = 1, times = -1;
  double probability = 1;
  double budget = -1;  // matches only requests larger than this many symbol-days
  Fault fault;
  int64_t matched = 0, applied = 0;

  bool Matches(const Request& request) const {
    if (!method.empty() && method != request.method) return false;
    if (path && !std::regex_search(request.path, *path)) return false;
    if (body && !std::regex_search(request.body, *body)) return false;
    for (const auto& [key, value] : parameters) {
      if (request.Find(key).value_or("") != value) return false;
    }
    if (!symbols.empty()) {
      const auto asked = Split(request.Find("symbols").value_or(""));
      if (std::ranges::none_of(asked, [&](const std::string& symbol) { return symbols.contains(symbol); }))
        return false;
    }
    return budget < 0 || SizeOf(request) > budget;
  }

  // Of the requests that match, counted from 1: whether this one is struck.
  bool Strikes(fixtures::Random& random) {
    ++matched;
    const int64_t number = matched - after;
    bool strikes = number > 0 && (nth.empty() || nth.contains(number)) && (first < 0 || number <= first) &&
                   (number - 1) % every == every - 1 && (times < 0 || applied < times);
    // Drawn for every match, so that a run's draws do not depend on the other conditions.
    if (probability < 1)
      strikes = (static_cast<double>(random.Next() >> 11) / 9007199254740992.0 < probability) && strikes;
    applied += strikes;
    return strikes;
  }

  void Read(const Json& json, size_t number);
  void ReadAction(const Json& action);
};

void FaultScript::Rule::Read(const Json& json, size_t number) {
  name = fmt::format("rule {}", number);
  for (const auto& [key, value] : json.items()) {
    if (key == "name")
      name = value.get<std::string>();
    else if (key == "path")
      path = std::regex(value.get<std::string>());
    else if (key == "body")
      body = std::regex(value.get<std::string>());
    else if (key == "method")
      method = value.get<std::string>();
    else if (key == "symbols")
      symbols = value.get<std::set<std::string>>();
    else if (key == "parameters")
      parameters = value.get<std::map<std::string, std::string>>();
    else if (key == "nth")
      nth = value.is_array() ? value.get<std::set<int64_t>>() : std::set{value.get<int64_t>()};
    else if (key == "first")
      first = value.get<int64_t>();
    else if (key == "after")
      after = value.get<int64_t>();
    else if (key == "every")
      every = std::max<int64_t>(value.get<int64_t>(), 1);
    else if (key == "times")
      times = value.get<int64_t>();
    else if (key == "probability")
      probability = value.get<double>();
    else if (key == "action")
      ReadAction(value);
    else
      throw std::invalid_argument(fmt::format("{}: no key '{}'", name, key));
  }
}

void FaultScript::Rule::ReadAction(const Json& action) {
  for (const auto& [key, value] : action.items()) {
    if (key == "status")
      fault.status = value.get<int>();
    else if (key == "body")
      fault.body = value.is_string() ? value.get<std::string>() : value.dump();
    else if (key == "content_type")
      fault.content_type = value.get<std::string>();
    else if (key == "path")
      fault.path = value.get<std::string>();
    else if (key == "headers") {
      for (const auto& [header, text] : value.items()) fault.headers.emplace_back(header, text.get<std::string>());
    } else if (key == "form") {
      for (const auto& [name, text] : value.items()) fault.form.emplace_back(name, text.get<std::string>());
    } else if (key == "retry_after") {
      // Seconds, or "date:SECONDS" for the same as a date.
      std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      if (text.starts_with("date:")) text = HttpDate(NowNs() / kNsPerSecond + std::stoll(text.substr(5)));
      fault.headers.emplace_back("Retry-After", text);
    } else if (key == "warning") {
      fault.headers.emplace_back("X-Warning", value.is_array() ? value.dump() : Json::array({value}).dump());
    } else if (key == "budget") {
      budget = value.get<double>();
      if (!fault.status) fault.status = 504;
    } else if (key == "redirect") {
      fault.redirect = value.get<std::string>();
      if (!fault.status) fault.status = 307;
    } else if (key == "when")
      fault.after = value.get<std::string>() == "after";
    else if (key == "delay_ms")
      fault.delay_ms = value.get<int64_t>();
    else if (key == "hang") {
      if (value.is_boolean())
        fault.hang = value.get<bool>();
      else
        fault.hang_after = value.get<int64_t>();
    } else if (key == "reset_at")
      fault.reset_at = value.get<int64_t>();
    else if (key == "drip")
      fault.drip_bytes_per_s = value.get<int64_t>();
    else if (key == "truncate_at")
      fault.truncate_at = value.get<int64_t>();
    else if (key == "framing") {
      const auto text = value.get<std::string>();
      fault.framing = text == "length"         ? Fault::Framing::kLength
                      : text == "short_length" ? Fault::Framing::kShortLength
                      : text == "cut_chunk"    ? Fault::Framing::kCutChunk
                      : text == "end_chunk"    ? Fault::Framing::kEndChunk
                                               : throw std::invalid_argument("framing: " + text);
    } else if (key == "flip_at")
      fault.flip_at = value.get<int64_t>() < 0 ? value.get<int64_t>() - 1 : value.get<int64_t>();
    else if (key == "html")
      fault.html = value.get<bool>();
    else if (key == "empty")
      fault.empty = value.get<bool>();
    else if (key == "duplicate")
      fault.duplicate = value.get<bool>();
    else if (key == "clock_skew_s")
      fault.clock_skew_s = value.get<int64_t>();
    else if (key == "ignore_range")
      fault.endpoint.ignore_range = value.get<bool>();
    else if (key == "wrong_hash")
      fault.endpoint.wrong_hash = value.get<bool>();
    else
      throw std::invalid_argument(fmt::format("{}: no action '{}'", name, key));
  }
  // Without a body the vendor's own shape of an error.
  if (fault.status && !action.contains("body") && *fault.status >= 400) {
    fault.body = Json{{"detail", fmt::format("{} (scripted)", ReasonOf(*fault.status))}}.dump();
  }
}

FaultScript::FaultScript() = default;
FaultScript::~FaultScript() = default;

std::optional<std::string> FaultScript::Load(const Json& script) {
  std::vector<std::unique_ptr<Rule>> rules;
  try {
    for (const char* key : {"rules", "add"}) {
      if (!script.contains(key)) continue;
      for (const Json& json : script.at(key)) {
        rules.push_back(std::make_unique<Rule>());
        rules.back()->Read(json, rules.size());
      }
    }
    for (const auto& [key, value] : script.items()) {
      if (key != "rules" && key != "add" && key != "seed" && key != "clear")
        throw std::invalid_argument("no key '" + key + "'");
    }
  } catch (const std::exception& error) {  // the JSON library's and std::regex's too
    return error.what();
  }
  const std::lock_guard lock(mutex_);
  if (script.contains("seed")) random_ = fixtures::Random(script.at("seed").get<uint64_t>());
  if (!script.contains("add")) rules_.clear();
  std::ranges::move(rules, std::back_inserter(rules_));
  return std::nullopt;
}

Fault FaultScript::Decide(const Request& request) {
  const std::lock_guard lock(mutex_);
  Fault all;
  for (const auto& rule : rules_) {
    if (!rule->Matches(request) || !rule->Strikes(random_)) continue;
    const Fault& one = rule->fault;
    all.rules.push_back(rule->name);
    if (!all.status && one.status) {
      all.status = one.status;
      all.body = one.body;
      all.content_type = one.content_type;
      all.redirect = one.redirect;
    }
    for (const auto& header : one.headers) all.headers.push_back(header);
    for (const auto& parameter : one.form) all.form.push_back(parameter);
    all.after |= one.after;
    all.hang |= one.hang;
    all.html |= one.html;
    all.empty |= one.empty;
    all.duplicate |= one.duplicate;
    all.endpoint.ignore_range |= one.endpoint.ignore_range;
    all.endpoint.wrong_hash |= one.endpoint.wrong_hash;
    if (all.path.empty()) all.path = one.path;
    if (all.delay_ms == 0) all.delay_ms = one.delay_ms;
    if (all.hang_after < 0) all.hang_after = one.hang_after;
    if (all.reset_at < 0) all.reset_at = one.reset_at;
    if (all.drip_bytes_per_s == 0) all.drip_bytes_per_s = one.drip_bytes_per_s;
    if (all.flip_at == -1) all.flip_at = one.flip_at;
    if (all.clock_skew_s == 0) all.clock_skew_s = one.clock_skew_s;
    if (all.truncate_at < 0 && one.truncate_at >= 0) {
      all.truncate_at = one.truncate_at;
      all.framing = one.framing;
    }
  }
  return all;
}

Json FaultScript::Report() const {
  const std::lock_guard lock(mutex_);
  Json report = Json::array();
  for (const auto& rule : rules_) {
    report.push_back({{"name", rule->name}, {"matched", rule->matched}, {"applied", rule->applied}});
  }
  return report;
}

}  // namespace lode::vendor
