#include "capture/probes/malloc_files.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

namespace tailcap::capture {

namespace {

constexpr std::size_t kMostFiles = 1024;

bool has_ended(const Descriptor& process) {
  pollfd one{process.get(), POLLIN, 0};
  return poll(&one, 1, 0) != 0;
}

}  // namespace

MallocFiles::MallocFiles(Probes& probes, scan::TargetFiles& files, std::uint32_t groups)
    : probes_(probes), target_files_(files) {
  for (std::uint32_t i = 0; i < kMostProcesses; ++i) free_groups_.insert(groups + i);
}

void MallocFiles::take(const scan::TargetFile& target, std::vector<PlannedFunction> functions) {
  auto kept = functions.empty() || files_.size() >= kMostFiles ? std::nullopt : target.again();
  if (!kept) return;
  File file{*std::move(kept), std::move(functions), {}, {}};
  for (const auto& function : file.functions)
    for (const auto& place : function.places) file.places.push_back(place.probe);
  files_.insert_or_assign({target.identity.device, target.identity.inode}, std::move(file));
}

MallocFiles::Process* MallocFiles::process(std::uint32_t pid) {
  const auto known = processes_.find(pid);
  if (known != processes_.end() && !has_ended(known->second.descriptor)) return &known->second;
  forget_ended();
  if (free_groups_.empty()) return nullptr;
  Descriptor descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!descriptor) return nullptr;
  Process& process = processes_[pid];
  process.descriptor = std::move(descriptor);
  process.group = *free_groups_.begin();
  free_groups_.erase(free_groups_.begin());
  return &process;
}

std::string MallocFiles::attach(std::uint32_t pid, const FileNumber& number, const File& file) {
  Process* own = process(pid);
  if (!own && free_groups_.empty())
    return "its allocations are not counted in this process: they are in " + std::to_string(kMostProcesses) + " others";
  if (!own || !own->files.insert(number).second) return {};
  return probes_.attach_functions(target_files_, file.target, file.places, own->group, true, pid);
}

std::vector<PlannedFunction> MallocFiles::mapped(std::uint32_t pid, const scan::Identity& identity) {
  const FileNumber number{identity.device, identity.inode};
  const auto found = files_.find(number);
  if (found == files_.end()) return {};
  File& file = found->second;
  const std::string refused = file.places.empty() ? std::string() : attach(pid, number, file);
  if (!file.said.insert(refused).second) return {};
  std::vector<PlannedFunction> functions = file.functions;
  if (!refused.empty())
    for (auto& function : functions) {
      function.places.clear();
      function.reason = refused;
    }
  return functions;
}

void MallocFiles::forget_ended() {
  for (auto at = processes_.begin(); at != processes_.end();) {
    if (!has_ended(at->second.descriptor)) {
      ++at;
      continue;
    }
    probes_.detach_functions(at->second.group);
    free_groups_.insert(at->second.group);
    at = processes_.erase(at);
  }
}

}  // namespace tailcap::capture
