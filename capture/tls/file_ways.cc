#include "capture/tls/file_ways.h"

#include <algorithm>
#include <utility>

namespace tailcap::capture::tls {

namespace {

constexpr std::size_t kMaxProcesses = 65536;  // of one file

bool common(const std::set<std::uint32_t>& few, const std::set<std::uint32_t>& many) {
  return std::any_of(few.begin(), few.end(), [&](std::uint32_t pid) { return many.contains(pid); });
}

}  // namespace

void FileWays::mapped(std::uint32_t pid, std::uint32_t file) {
  const auto found = files_.find(file);
  if (found == files_.end() || found->second.pids.size() >= kMaxProcesses) return;
  found->second.pids.insert(pid);
  found->second.unread = found->second.unread || unread_.contains(pid);
}

void FileWays::unlisted(std::uint32_t pid) {
  if (unlisted_.size() < kMaxProcesses) unlisted_.insert(pid);
}

void FileWays::older(std::set<std::uint32_t> processes) {
  for (const std::uint32_t pid : processes) unlisted_.erase(pid);
  older_ = std::move(processes);
  listed_ = true;
}

void FileWays::unread(std::uint32_t pid) {
  if (unread_.size() < kMaxProcesses) unread_.insert(pid);
  for (auto& [number, file] : files_) file.unread = file.unread || file.pids.contains(pid);
}

bool FileWays::has_older(const File& file) const {
  if (file.late) return false;
  if (!listed_) return !file.pids.empty();
  if (common(unlisted_, file.pids)) return true;
  return file.pids.size() < older_.size() ? common(file.pids, older_) : common(older_, file.pids);
}

std::vector<FileWays::Change> FileWays::changes() {
  std::vector<Change> changes;
  for (auto& [number, file] : files_) {
    const bool older = has_older(file), wanted = !file.left && (file.unread || older);
    if (wanted == file.attached) continue;
    file.attached = wanted;
    changes.push_back({number, wanted,
                       file.left ? "its probes were removed"
                       : !wanted ? "no connection is left that is older than the recording"
                       : older   ? "connections are older than the recording"
                                 : "keys do not read all of its connections"});
  }
  return changes;
}

}  // namespace tailcap::capture::tls
