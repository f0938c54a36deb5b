#include "lode/source/part_names.h"

#include "lode/store/local_disk.h"

namespace lode::source {

bool PartNames::MayHave(const std::filesystem::path& file) {
  if (!names_) {
    const auto files = store::List(file.parent_path());
    if (!files) return true;
    names_.emplace();
    for (const store::FileInfo& info : *files) names_->insert(info.path);
  }
  return names_->contains(file.filename());
}

}  // namespace lode::source
