#include "fred.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "market.h"
#include "query.h"

namespace lode::vendor {
namespace {

const Day kEarliest = ToDay({1776, 7, 4}), kLatest = ToDay({9999, 12, 31});
constexpr size_t kMostVintages = 2000;

enum class Frequency { kDaily, kWeekly, kMonthly, kQuarterly, kAnnual };

// How a series is made. What is not here is monthly from 1990 on, with vintages since 2000.
struct Recipe {
  std::string_view id;
  Frequency frequency;
  int first_year;
  int archive_year;  // 0: no vintages are kept
};
constexpr std::array kRecipes = std::to_array<Recipe>({
    {"DGS10", Frequency::kDaily, 1998, 2005},
    {"DGS2", Frequency::kDaily, 2015, 2016},
    {"SOFR", Frequency::kDaily, 2018, 2018},
    {"DFF", Frequency::kDaily, 2010, 2010},
    {"VIXCLS", Frequency::kDaily, 2015, 0},
    {"BAMLH0A0HYM2", Frequency::kDaily, 2020, 0},
    {"DCOILWTICO", Frequency::kDaily, 2016, 2016},
    {"ICSA", Frequency::kWeekly, 2005, 2009},
    {"STLFSI4", Frequency::kWeekly, 2010, 2022},
    {"GDP", Frequency::kQuarterly, 1970, 1992},
    {"GDPC1", Frequency::kQuarterly, 1970, 1992},
    {"FPCPITOTLZGUSA", Frequency::kAnnual, 1960, 2012},
});
// Names people ask for that the vendor does not have.
constexpr std::array<std::string_view, 6> kUnknown = {"COPPER", "SILVER", "CORN", "SOYBEAN", "STLFSI9", "NOSUCHSERIES"};

Recipe RecipeOf(const std::string& id) {
  const auto known = std::ranges::find(kRecipes, id, &Recipe::id);
  return known == kRecipes.end() ? Recipe{id, Frequency::kMonthly, 1990, 2000} : *known;
}

std::string_view Name(Frequency frequency) {
  constexpr std::array kNames = {"Daily", "Weekly, Ending Friday", "Monthly", "Quarterly", "Annual"};
  return kNames[static_cast<size_t>(frequency)];
}

std::string_view ShortName(Frequency frequency) {
  constexpr std::array kNames = {"D", "W", "M", "Q", "A"};
  return kNames[static_cast<size_t>(frequency)];
}

bool IsWeekday(Day day) {
  const int weekday = fixtures::WeekDay(day);
  return weekday != 0 && weekday != 6;
}

Day NextWeekday(Day day) {
  while (!IsWeekday(day)) day = day + 1;
  return day;
}

Day Next(Frequency frequency, Day day) {
  if (frequency == Frequency::kDaily) return NextWeekday(day + 1);
  if (frequency == Frequency::kWeekly) return day + 7;
  YearMonthDay date = ToYearMonthDay(day);
  date.month += frequency == Frequency::kMonthly ? 1 : frequency == Frequency::kQuarterly ? 3 : 12;
  date.year += (date.month - 1) / 12;
  date.month = (date.month - 1) % 12 + 1;
  return ToDay(date);
}

Day FirstOf(const Recipe& recipe) {
  Day day = ToDay({recipe.first_year, 1, 1});
  if (recipe.frequency == Frequency::kDaily) return NextWeekday(day);
  while (recipe.frequency == Frequency::kWeekly && fixtures::WeekDay(day) != 5) day = day + 1;
  return day;
}

// From the period's first day to its release.
int LagDays(Frequency frequency) {
  constexpr std::array kDays = {1, 6, 40, 118, 400};
  return kDays[static_cast<size_t>(frequency)];
}

uint64_t Hash(std::string_view text) {
  uint64_t hash = 1469598103934665603U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

Json ErrorBody(int status, const std::string& message) {
  return {{"error_code", status}, {"error_message", "Bad Request.  " + message}};
}

std::optional<Day> DayAt(const Request& request, const std::string& name, Day otherwise) {
  const auto text = request.Find(name);
  if (!text) return otherwise;
  const auto day = ParseDay(*text);
  return day ? std::optional(*day) : std::nullopt;
}

size_t NumberAt(const Request& request, const std::string& name, size_t otherwise) {
  const auto text = request.Find(name);
  if (!text || text->empty() || text->size() > 9 || text->find_first_not_of("0123456789") != std::string::npos)
    return otherwise;
  return std::stoul(*text);
}

// The vendor's XML: what is no list of the answer is an attribute, "seriess" holds <series/>.
std::string ToXml(const Json& body) {
  if (body.contains("error_code")) {
    return fmt::format("<error code=\"{}\" message=\"{}\"/>", body["error_code"].dump(),
                       EscapeXml(body["error_message"].get<std::string>()));
  }
  const auto attributes = [](const Json& object) {
    std::string text;
    for (const auto& [key, value] : object.items()) {
      if (value.is_array()) continue;
      text += fmt::format(" {}=\"{}\"", key, EscapeXml(value.is_string() ? value.get<std::string>() : value.dump()));
    }
    return text;
  };
  std::string name, entries;
  for (const auto& [key, list] : body.items()) {
    if (!list.is_array()) continue;
    name = key;
    const std::string one = key.substr(0, key.size() - 1);
    for (const Json& entry : list) {
      entries += entry.is_object() ? fmt::format("<{}{}/>\n", one, attributes(entry))
                                   : fmt::format("<{0}>{1}</{0}>\n", one, entry.get<std::string>());
    }
  }
  return fmt::format("<{0}{1}>\n{2}</{0}>", name, attributes(body), entries);
}

}  // namespace

std::optional<Fred::Answer> Fred::CheckKey(const Request& request) const {
  const std::string key = request.Find("api_key").value_or("");
  const bool formed = key.size() == 32 &&
                      std::ranges::all_of(key, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
  if (key.empty()) return Answer{400, ErrorBody(400, "Variable api_key is not set.")};
  if (!formed) {
    return Answer{400, ErrorBody(400,
                                 "The value for variable api_key is not a 32 character alpha-numeric lower-case "
                                 "string.")};
  }
  if (!options_.key.empty() && key != options_.key) {
    return Answer{400, ErrorBody(400, "The value for variable api_key is not registered.")};
  }
  return std::nullopt;
}

std::optional<Fred::Series> Fred::Find(const std::string& id) const {
  const bool formed = !id.empty() && std::ranges::all_of(id, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (!formed || std::ranges::find(kUnknown, id) != kUnknown.end()) return std::nullopt;
  const Recipe recipe = RecipeOf(id);
  const Day today = options_.today();
  const uint64_t base = fixtures::Mix(options_.seed, Hash(id));
  Series series{.id = id,
                .frequency = std::string(Name(recipe.frequency)),
                .frequency_short = std::string(ShortName(recipe.frequency)),
                .archived = recipe.archive_year != 0};
  const Day archive = ToDay({std::max(recipe.archive_year, 1), 1, 1});
  std::map<Day, std::vector<Version>> revisions;
  {
    const std::lock_guard lock(mutex_);
    if (const auto own = revisions_.find(id); own != revisions_.end()) revisions = own->second;
  }
  const bool revised = recipe.frequency == Frequency::kMonthly || recipe.frequency == Frequency::kQuarterly;
  double level = 20 + static_cast<double>(base % 400);
  std::set<Day> vintages;
  for (Day date = FirstOf(recipe);; date = Next(recipe.frequency, date)) {
    const Day released = NextWeekday(date + LagDays(recipe.frequency));
    if (released > today) break;
    const uint64_t draw = fixtures::Mix(base, static_cast<uint64_t>(date.since_epoch + 1'000'000));
    level += static_cast<double>(static_cast<int64_t>(draw % 201) - 100) / 100;
    Observation observation{.date = date, .versions = {}};
    // A daily series has a row without a value on holidays.
    const bool missing = recipe.frequency == Frequency::kDaily && draw % 29 == 0;
    observation.versions.push_back({released, level, missing});
    // The next two releases revise it, and each February the five years before.
    if (revised) {
      Day next = date;
      for (int n = 1; n <= 2; ++n) {
        next = Next(recipe.frequency, next);
        const Day day = NextWeekday(next + LagDays(recipe.frequency));
        observation.versions.push_back({day, level + static_cast<double>(draw >> (8 * n) & 7) / 10, false});
      }
      for (int year = ToYearMonthDay(released).year + 1; year <= ToYearMonthDay(released).year + 5; ++year) {
        const Day day = NextWeekday(ToDay({year, 2, 3}));
        if (day <= observation.versions.back().from) continue;
        observation.versions.push_back({day, observation.versions.back().value + 0.1, false});
      }
    } else if (draw % 197 == 0) {
      observation.versions.push_back({NextWeekday(released + 1), level + 0.5, false});
    }
    std::erase_if(observation.versions, [&](const Version& version) { return version.from > today; });
    if (const auto own = revisions.find(date); own != revisions.end()) {
      for (const Version& version : own->second) {
        if (version.from <= today) observation.versions.push_back({version.from, level + version.value, false});
      }
    }
    // What is older than the archive is its first vintage.
    std::vector<Version> kept;
    for (Version version : observation.versions) {
      if (series.archived) version.from = std::max(version.from, NextWeekday(archive));
      if (!kept.empty() && kept.back().from >= version.from) {
        version.from = kept.back().from;
        kept.back() = version;
      } else if (kept.empty() || kept.back().value != version.value || kept.back().missing != version.missing) {
        kept.push_back(version);
      }
    }
    observation.versions = std::move(kept);
    for (const Version& version : observation.versions) vintages.insert(version.from);
    series.observations.push_back(std::move(observation));
  }
  series.vintages.assign(vintages.begin(), vintages.end());
  if (series.observations.empty()) return std::nullopt;
  return series;
}

Fred::Answer Fred::DescribeSeries(const Series& series) const {
  const std::string today = FormatDay(options_.today());
  const Json entry = {{"id", series.id},
                      {"realtime_start", today},
                      {"realtime_end", today},
                      {"title", "Made-up series " + series.id},
                      {"observation_start", FormatDay(series.observations.front().date)},
                      {"observation_end", FormatDay(series.observations.back().date)},
                      {"frequency", series.frequency},
                      {"frequency_short", series.frequency_short},
                      {"units", "Index"},
                      {"units_short", "Index"},
                      {"seasonal_adjustment", "Not Seasonally Adjusted"},
                      {"seasonal_adjustment_short", "NSA"},
                      {"last_updated", FormatDay(series.vintages.back()) + " 15:16:02-06"},
                      {"popularity", 50},
                      {"notes", "Not the vendor's numbers."}};
  return {200, {{"realtime_start", today}, {"realtime_end", today}, {"seriess", Json::array({entry})}}};
}

Fred::Answer Fred::VintageDates(const Request& request, const Series& series) const {
  if (!series.archived) return {400, ErrorBody(400, "The series does not exist in ALFRED but may exist in FRED.")};
  const size_t limit = std::min(NumberAt(request, "limit", 10'000), options_.page_limit);
  const size_t offset = NumberAt(request, "offset", 0);
  Json dates = Json::array();
  for (size_t i = offset; i < std::min(series.vintages.size(), offset + limit); ++i) {
    dates.push_back(FormatDay(series.vintages[i]));
  }
  return {200,
          {{"realtime_start", request.Find("realtime_start").value_or(FormatDay(kEarliest))},
           {"realtime_end", request.Find("realtime_end").value_or(FormatDay(kLatest))},
           {"order_by", "vintage_date"},
           {"sort_order", "asc"},
           {"count", series.vintages.size()},
           {"offset", offset},
           {"limit", limit},
           {"vintage_dates", std::move(dates)}}};
}

Fred::Answer Fred::Observations(const Request& request, const Series& series, Page* page) const {
  const Day today = options_.today();
  const auto start = DayAt(request, "realtime_start", today), end = DayAt(request, "realtime_end", today);
  const auto first = DayAt(request, "observation_start", kEarliest), last = DayAt(request, "observation_end", kLatest);
  if (!start || !end || !first || !last || *end < *start || *last < *first) {
    return {400, ErrorBody(400, "Variable realtime_start is not a YYYY-MM-DD formatted date (e.g. 2000-02-24).")};
  }
  const bool as_of_today = *start == today && *end == today;
  if (!as_of_today && !series.archived) {
    return {400, ErrorBody(400, "The series does not exist in ALFRED but may exist in FRED.")};
  }
  const auto within = std::ranges::count_if(series.vintages, [&](Day day) { return day >= *start && day <= *end; });
  if (static_cast<size_t>(within) > kMostVintages) {
    return {400, ErrorBody(400, fmt::format("There are {} vintage dates in the specified real-time period: {} to {}.  "
                                            "This exceeds the maximum number of vintage dates allowed for this file "
                                            "type (2000).",
                                            within, FormatDay(*start), FormatDay(*end)))};
  }
  const size_t limit = std::min(NumberAt(request, "limit", 100'000), options_.page_limit);
  const size_t offset = NumberAt(request, "offset", 0);
  size_t count = 0;
  Json rows = Json::array();
  for (const Observation& observation : series.observations) {
    if (observation.date < *first || observation.date > *last) continue;
    for (size_t i = 0; i < observation.versions.size(); ++i) {
      const Version& version = observation.versions[i];
      const Day until = i + 1 < observation.versions.size() ? observation.versions[i + 1].from - 1 : kLatest;
      // Cut to the period that was asked for, as the vendor does.
      const Day from = std::max(version.from, *start), to = std::min(until, *end);
      if (to < from) continue;
      if (count++ < offset || rows.size() >= limit) continue;
      rows.push_back({{"realtime_start", FormatDay(from)},
                      {"realtime_end", FormatDay(to)},
                      {"date", FormatDay(observation.date)},
                      {"value", version.missing ? "." : fmt::format("{:.2f}", version.value)}});
    }
  }
  *page = {rows.size(), *first, *last, offset + rows.size() >= count && *end >= today};
  return {200,
          {{"realtime_start", FormatDay(*start)},
           {"realtime_end", FormatDay(*end)},
           {"observation_start", FormatDay(*first)},
           {"observation_end", FormatDay(*last)},
           {"units", "lin"},
           {"output_type", 1},
           {"file_type", "json"},
           {"order_by", "observation_date"},
           {"sort_order", "asc"},
           {"count", count},
           {"offset", offset},
           {"limit", limit},
           {"observations", std::move(rows)}}};
}

Response Fred::Handle(const Request& request) {
  const std::string endpoint = request.path.substr(1);
  Answer answer{404, {{"error_code", 404}, {"error_message", "Not Found"}}};
  Page page;
  bool is_data = false;
  const std::string id = request.Find("series_id").value_or("");
  const auto series = Find(id);
  if (const auto refused = CheckKey(request)) {
    answer = *refused;
  } else if (endpoint == "fred/series" || endpoint.starts_with("fred/series/")) {
    if (!series) {
      answer = {400, ErrorBody(400, "The series does not exist.")};
    } else if (endpoint == "fred/series") {
      answer = DescribeSeries(*series);
    } else if (endpoint == "fred/series/vintagedates") {
      answer = VintageDates(request, *series);
    } else if (endpoint == "fred/series/observations") {
      answer = Observations(request, *series, &page);
      is_data = answer.status == 200;
    }
  }
  Response response;
  response.status = answer.status;
  if (request.Find("file_type") == "json") {
    response.body = answer.body.dump();
  } else {
    response.content_type = "text/xml; charset=UTF-8";
    response.body = "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n" + ToXml(answer.body);
  }
  counts_.CountRequest(endpoint, response.status);
  if (!is_data) return response;
  const Day begins = std::max(page.first, series->observations.front().date);
  const Day ends = std::min(page.last, series->observations.back().date);
  // A chain is delivered whole when all of its pages were, the harmed ones asked for again.
  const auto place = std::pair(request.Find("realtime_start").value_or(""), request.Find("offset").value_or("0"));
  if (place.second == "0" && place.first <= FormatDay(kEarliest)) {
    const std::lock_guard lock(mutex_);
    harmed_[id].clear();
  }
  response.done = [this, page, id, begins, ends, place](bool whole, uint64_t body_bytes) {
    counts_.CountStream(page.rows, body_bytes, 0, whole);
    {
      const std::lock_guard lock(mutex_);
      if (whole) harmed_[id].erase(place);
      if (!whole) harmed_[id].insert(place);
      if (!page.ends || !harmed_[id].empty()) return;
    }
    std::vector<Day> years;
    for (int year = ToYearMonthDay(begins).year; year <= ToYearMonthDay(ends).year; ++year) {
      years.push_back(ToDay({year, 1, 1}));
    }
    counts_.CountCells("fred/observations", id, years);
  };
  return response;
}

Response Fred::Revise(const Json& body) {
  const std::string id = body.at("series_id").get<std::string>();
  if (!Find(id)) return Plain(400, "no such series").ToResponse();
  const std::lock_guard lock(mutex_);
  for (const Json& text : body.at("dates")) {
    const auto day = ParseDay(text.get<std::string>());
    if (!day) return Plain(400, "not a day: " + text.dump()).ToResponse();
    std::vector<Version>& versions = revisions_[id][*day];
    versions.push_back({options_.today(), 100.0 * static_cast<double>(versions.size() + 1)});
  }
  Response response;
  response.body = Json{{"dates", body.at("dates").size()}}.dump();
  return response;
}

}  // namespace lode::vendor
