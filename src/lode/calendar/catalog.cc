#include "lode/calendar/catalog.h"

#include <algorithm>

#include "lode/base/embedded.h"
#include "lode/base/nearest.h"
#include "lode/store/local_disk.h"

namespace lode::calendar {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kShippedFolder = "calendars/";
constexpr std::string_view kEnding = ".toml";
constexpr uint64_t kLargestFileBytes = uint64_t{4} << 20;

// Shipped files are ours: one that does not parse is left out, and a test says so.
std::vector<Calendar> ReadShipped() {
  std::vector<Calendar> calendars;
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (!file.path.starts_with(kShippedFolder) || !file.path.ends_with(kEnding)) continue;
    std::string_view name = file.path.substr(kShippedFolder.size());
    name.remove_suffix(kEnding.size());
    if (Result<Calendar> calendar = Calendar::Parse(file.text, name, std::string(file.path))) {
      calendars.push_back(*std::move(calendar));
    }
  }
  return calendars;
}

Result<std::vector<Calendar>> ReadOwn(const fs::path& folder, std::span<const Calendar> shipped) {
  std::error_code problem;
  std::vector<fs::path> files;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem)) {
    if (at->path().extension() == kEnding) files.push_back(at->path());
  }
  if (problem) return Fail(ErrorKind::kConfig, "calendars.folder: {}: {}", folder.string(), problem.message());
  std::ranges::sort(files);
  std::vector<Calendar> calendars;
  for (const fs::path& file : files) {
    Result<std::string> text = store::ReadFile(file, kLargestFileBytes);
    if (!text) return Fail(ErrorKind::kConfig, "calendar {}", text.error().message);
    LODE_TRY(Calendar calendar, Calendar::Parse(*text, file.stem().string(), file.string(), shipped));
    calendars.push_back(std::move(calendar));
  }
  return calendars;
}

bool Contains(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

fs::path& ProgramFolder() {
  static fs::path folder;
  return folder;
}

}  // namespace

Result<Catalog> Catalog::Read(const fs::path& folder) {
  Catalog catalog;
  catalog.calendars_ = ReadShipped();
  if (folder.empty()) return catalog;
  LODE_TRY(std::vector<Calendar> own, ReadOwn(folder, catalog.calendars_));
  std::erase_if(catalog.calendars_, [&](const Calendar& shipped) {
    return std::ranges::find(own, shipped.name(), &Calendar::name) != own.end();
  });
  std::ranges::move(own, std::inserter(catalog.calendars_, catalog.calendars_.begin()));
  return catalog;
}

const Calendar* Catalog::Find(std::string_view name) const {
  const std::string_view root = name.substr(0, name.find('.'));
  const auto find = [this](const auto& is_meant) {
    const auto found = std::ranges::find_if(calendars_, is_meant);
    return found == calendars_.end() ? nullptr : &*found;
  };
  if (const Calendar* calendar = find([&](const Calendar& c) { return c.name() == name; })) return calendar;
  if (const Calendar* calendar = find([&](const Calendar& c) { return Contains(c.aliases(), name); })) return calendar;
  return find([&](const Calendar& c) { return Contains(c.roots(), root); });
}

Result<const Calendar*> Catalog::Get(std::string_view name) const {
  if (const Calendar* calendar = Find(name)) return calendar;
  std::vector<std::string> known, names;
  for (const Calendar& calendar : calendars_) {
    names.push_back(calendar.name());
    known.push_back(calendar.name());
    std::ranges::copy(calendar.aliases(), std::back_inserter(known));
  }
  return Fail(ErrorKind::kConfig, "no calendar \"{}\"{} (known: {})", name.substr(0, 64), DidYouMean(name, known),
              fmt::join(names, ", "));
}

void SetFolder(fs::path folder) { ProgramFolder() = std::move(folder); }

Result<const Catalog*> ProgramCatalog() {
  static const Result<Catalog> catalog = Catalog::Read(ProgramFolder());
  if (!catalog) return std::unexpected(catalog.error());
  return &*catalog;
}

const Calendar* Find(std::string_view name) {
  const Result<const Catalog*> catalog = ProgramCatalog();
  return catalog ? (*catalog)->Find(name) : nullptr;
}

Result<const Calendar*> Get(std::string_view name) {
  LODE_TRY(const Catalog* catalog, ProgramCatalog());
  return catalog->Get(name);
}

}  // namespace lode::calendar
