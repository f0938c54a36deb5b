#include "lode/base/config_file.h"

#include <toml++/toml.h>

#include <utility>
#include <vector>

#include "lode/base/config.h"
#include "lode/base/toml_depth.h"

namespace lode::config {
namespace {

constexpr size_t kLongestAlertList = 1000;
constexpr size_t kMostDots = 16;  // no known key has more than three

class Flattener {
 public:
  explicit Flattener(std::string_view origin_name) : origin_name_(origin_name) {}

  // Depth is bounded: a table that no known key lies below is refused before it is entered.
  Status AddTable(const toml::table& table, const std::vector<std::string>& prefix) {
    for (const auto& [name, node] : table) {
      std::vector<std::string> key = prefix;
      key.emplace_back(name.str());
      LODE_TRY(AddNode(node, key));
    }
    return Ok();
  }

  FileValues Take() && { return std::move(result_); }

 private:
  std::unexpected<Error> Refuse(const toml::node& node, const std::vector<std::string>& key, std::string_view why) {
    return Fail(ErrorKind::kConfig, "{}:{}: {}: {}", origin_name_, node.source().begin.line, JoinKey(key), why);
  }

  Status CheckName(const toml::node& node, const std::vector<std::string>& key) {
    if (key.size() != 2) return Ok();
    if (key[0] == "datasets") {
      Status named = CheckDatasetName(key[1]);
      if (!named) return Refuse(node, key, named.error().message);
      result_.datasets.insert(key[1]);
    } else if (key[1].find('.') != std::string::npos) {
      return Refuse(node, key, "a name must not contain a dot");
    }
    return Ok();
  }

  Status AddNode(const toml::node& node, const std::vector<std::string>& key) {
    if (const toml::table* table = node.as_table()) {
      if (!IsTable(key)) return Refuse(node, key, "unknown table" + SuggestKey(key));
      LODE_TRY(CheckName(node, key));
      return AddTable(*table, key);
    }
    if (const toml::array* array = node.as_array(); array != nullptr && IsTable(key)) return AddTables(*array, key);
    const KnownKey* known = FindKey(key);
    if (known == nullptr) {
      if (IsTable(key)) return Refuse(node, key, "expected a table");
      return Refuse(node, key, "unknown key" + SuggestKey(key));
    }
    Result<Value> value = Convert(node, known->type);
    if (!value) return Refuse(node, key, value.error().message);
    value->origin = fmt::format("file {}:{}", origin_name_, node.source().begin.line);
    result_.values[JoinKey(key)] = *std::move(value);
    return Ok();
  }

  // [[alerts]]: the position stands for the name.
  Status AddTables(const toml::array& array, const std::vector<std::string>& key) {
    if (key != std::vector<std::string>{"alerts"} || array.size() > kLongestAlertList) {
      return Refuse(array, key, "expected a table");
    }
    for (size_t i = 0; i < array.size(); ++i) {
      std::vector<std::string> element = key;
      element.push_back(std::to_string(i));
      const toml::table* table = array[i].as_table();
      if (table == nullptr) return Refuse(array[i], element, "expected a table");
      LODE_TRY(AddTable(*table, element));
    }
    return Ok();
  }

  static Result<Value> Convert(const toml::node& node, KeyType type) {
    if (type == KeyType::kList) {
      std::vector<std::string> list;
      if (const toml::value<std::string>* text = node.as_string()) return CheckList({text->get()});
      const toml::array* array = node.as_array();
      if (array == nullptr) return Fail(ErrorKind::kConfig, "expected a list of texts");
      for (const toml::node& item : *array) {
        const toml::value<std::string>* text = item.as_string();
        if (text == nullptr) return Fail(ErrorKind::kConfig, "expected a list of texts");
        list.push_back(text->get());
      }
      return CheckList(list);
    }
    if (type == KeyType::kInteger) {
      const toml::value<int64_t>* number = node.as_integer();
      return CheckValue(type, number == nullptr ? std::string("not a number") : std::to_string(number->get()));
    }
    if (const toml::value<toml::date>* date = node.as_date(); date != nullptr && type == KeyType::kDay) {
      const toml::date& day = date->get();
      return CheckValue(type, fmt::format("{:04}-{:02}-{:02}", day.year, day.month, day.day));
    }
    if (const toml::value<std::string>* text = node.as_string()) return CheckValue(type, text->get());
    return Fail(ErrorKind::kConfig, "expected a text{}", type == KeyType::kDay ? " or a date" : "");
  }

  std::string_view origin_name_;
  FileValues result_;
};

}  // namespace

Result<FileValues> ReadToml(std::string_view toml, std::string_view origin_name) {
  if (toml.size() > kLongestFile) {
    return Fail(ErrorKind::kConfig, "{}: larger than {} MiB", origin_name, kLongestFile >> 20);
  }
  if (LongestDottedKey(toml) > kMostDots) {
    return Fail(ErrorKind::kConfig, "{}: a key of more than {} parts", origin_name, kMostDots);
  }
  try {
    toml::table table = toml::parse(toml);
    Flattener flattener(origin_name);
    LODE_TRY(flattener.AddTable(table, {}));
    return std::move(flattener).Take();
  } catch (const toml::parse_error& problem) {
    return Fail(ErrorKind::kConfig, "{}:{}: {}", origin_name, problem.source().begin.line, problem.description());
  } catch (const std::exception& problem) {
    return Fail(ErrorKind::kConfig, "{}: {}", origin_name, problem.what());
  }
}

}  // namespace lode::config
