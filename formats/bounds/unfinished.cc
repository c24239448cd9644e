#include "formats/bounds/unfinished.h"

#include <filesystem>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>

namespace tailcap::formats {
namespace {

struct All {
  std::mutex mutex;
  std::multiset<std::string> paths;
};

// Never destroyed: the program may be given up while it ends.
All& all() {
  static All* const every = new All;
  return *every;
}

}  // namespace

Unfinished::Unfinished(std::string path) : path_(std::move(path)) {
  const std::lock_guard lock(all().mutex);
  all().paths.insert(path_);
}

Unfinished::~Unfinished() {
  const std::lock_guard lock(all().mutex);
  all().paths.erase(all().paths.find(path_));
}

void remove_unfinished() {
  const std::unique_lock lock(all().mutex, std::try_to_lock);
  if (!lock.owns_lock()) return;
  std::error_code ignored;
  for (const std::string& path : all().paths) std::filesystem::remove_all(path, ignored);
}

}  // namespace tailcap::formats
