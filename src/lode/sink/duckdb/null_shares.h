// Columns that are suddenly null: the share of nulls in each file against that of the dataset's other files. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lode/codec/schema.h"

namespace lode::sink {

// Of a footer.
struct FooterColumn {
  int64_t values = 0;            // nulls included
  std::optional<int64_t> nulls;  // unset: not told
};

struct NullJump {
  std::string column;
  int64_t files = 0;
  std::string path;      // of the first of them
  double share = 0;      // of nulls there
  double elsewhere = 0;  // in the dataset's other files together
};

class NullShares {
 public:
  // `layout`: of the dataset. Where its files are of one symbol each, a symbol's are compared with each other.
  explicit NullShares(std::string_view layout);
  // Files are added in order of their paths below bronze/<dataset>/.
  void Add(std::string path, int64_t rows, const std::map<std::string, FooterColumn>& columns);
  // Columns of the schema that are null in at least half of a file's rows, while less than one in twenty is in all
  // other files together; files and rests of less than a hundred rows say nothing. Prices of bars have rules of their
  // own (content_rules.h), unknown keys come and go.
  std::vector<NullJump> Jumps(const codec::TableSchema& schema) const;

 private:
  struct File {
    std::string path;
    int64_t rows = 0;
    std::map<std::string, int64_t> nulls;  // of columns that have some
  };
  struct Group {
    std::vector<File> files;
    int64_t rows = 0;
    std::map<std::string, int64_t> nulls;
  };
  std::string GroupOf(std::string_view path) const;

  std::vector<size_t> symbol_folders_;  // places in a path that name the symbol
  std::map<std::string, Group> groups_;
};

}  // namespace lode::sink
