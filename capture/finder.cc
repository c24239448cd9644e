#include "capture/finder.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "capture/go/program.h"
#include "capture/symbols/elf_file.h"
#include "capture/symbols/go_binary.h"
#include "capture/tls/functions.h"
#include "capture/tls/libraries.h"

namespace tailcap::capture {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMaxFiles = 65536;  // looked at; beyond them the oldest may be looked at again
constexpr std::size_t kMaxJobs = 4096;    // a storm of short-lived processes: most run what others run
constexpr std::size_t kMaxFacts = 4096;
constexpr auto kLongest = 1h;  // asleep, where there is nothing to do

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// What a shell would start.
std::string find_command(const std::string& command) {
  if (command.find('/') != command.npos) return command;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "/usr/local/bin:/usr/bin:/bin");
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    std::string candidate = (folder.empty() ? "." : folder) + "/" + command;
    std::error_code error;
    if (std::filesystem::is_regular_file(candidate, error)) return candidate;
  }
  return {};
}

// The programs that a script's first line names; empty: no script.
std::vector<std::string> interpreters(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char start[256] = {};
  file.read(start, sizeof start - 1);
  std::istringstream line(std::string(start).substr(0, std::string(start).find('\n')));
  std::string first, second;
  line >> first >> second;
  if (!first.starts_with("#!")) return {};
  std::vector<std::string> out = {first.size() > 2 ? first.substr(2) : second};
  if (out[0].ends_with("/env") && first.size() > 2) out.push_back(second);
  return out;
}

// Numbers of files that are gone are given to others, so with the time of the last change.
std::array<std::uint64_t, 4> identity(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_ctim.tv_sec),
          static_cast<std::uint64_t>(status.st_ctim.tv_nsec)};
}

}  // namespace

Finder::Finder(Probes& probes, Interests interests)
    : probes_(probes), interests_(interests), go_(probes, interests.go_states, interests.go_allocations) {
  // The command is the recorder's own copy until it runs its program.
  struct stat own {};
  if (stat("/proc/self/exe", &own) == 0) files_.insert(identity(own));
  thread_ = std::thread([this] { run(); });
}

Finder::~Finder() { stop(); }

void Finder::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Finder::ask(Job job, Clock::duration after) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= kMaxJobs) return;
    jobs_.emplace(Clock::now() + after, std::move(job));
  }
  wake_.notify_all();
}

void Finder::examine(std::uint32_t pid) {
  ask({pid, {}}, 0ms);
  ask({pid, {}}, 100ms);
  ask({pid, {}}, 1s);
}

void Finder::examine_again(std::uint32_t pid) { ask({pid, {}}, 0ms); }

void Finder::examine_system() {
  if (!interests_.tls) return;
  for (auto& path : tls::system_libraries()) ask({0, std::move(path)}, 0ms);
}

void Finder::examine_command(const std::string& command) {
  const std::string path = find_command(command);
  if (path.empty()) return;
  ask({0, path}, 0ms);
  for (const auto& interpreter : interpreters(path)) {
    const std::string program = find_command(interpreter);
    if (!program.empty()) ask({0, program}, 0ms);
  }
}

void Finder::wait() {
  std::unique_lock lock(mutex_);
  const auto now = Clock::now();
  idle_.wait(lock, [&] { return stop_ || (!busy_ && (jobs_.empty() || jobs_.begin()->first > now)); });
}

void Finder::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const auto now = Clock::now();
    if (go_.governs() && next_look_ <= now) {
      next_look_ = now + go::Governor::kInterval;
      busy_ = true;
      lock.unlock();
      go_.govern();
      lock.lock();
      busy_ = false;
    }
    const auto first = jobs_.begin();
    if (jobs_.empty() || first->first > now) {
      idle_.notify_all();
      const auto next = jobs_.empty() ? now + kLongest : first->first;
      wake_.wait_until(lock, go_.governs() ? std::min(next, next_look_) : next);
      continue;
    }
    const Job job = std::move(first->second);
    jobs_.erase(first);
    busy_ = true;
    lock.unlock();
    if (job.pid)
      look_at_process(job.pid);
    else
      look_at_file(job.file, job.file);
    lock.lock();
    busy_ = false;
  }
  idle_.notify_all();
}

void Finder::look_at_process(std::uint32_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/";
  std::error_code error;
  const std::string executable = std::filesystem::read_symlink(folder + "exe", error).string();
  std::ifstream maps(folder + "maps");
  std::string line;
  while (std::getline(maps, line)) {
    std::istringstream fields(line);
    std::string range, rights, offset, device, inode, path;
    if (!(fields >> range >> rights >> offset >> device >> inode >> std::ws) || !std::getline(fields, path)) continue;
    if (rights.size() < 3 || rights[2] != 'x' || inode == "0") continue;
    if (path != executable && !(interests_.tls && tls::is_tls_library(name_of(path)))) continue;
    // map_files is the file itself, whatever has its name by now, and takes rights that root/ does not; root/ names it
    // in the process's own mounts, which shows readers of messages the same path.
    struct stat named {
    }, held{};
    const std::string by_name = folder + "root" + path, by_mapping = folder + "map_files/" + range;
    const bool has_mapping = stat(by_mapping.c_str(), &held) == 0;
    if (has_mapping && looked_at(held)) continue;
    const bool has_name = stat(by_name.c_str(), &named) == 0;
    look_at_file(has_name && (!has_mapping || identity(named) == identity(held)) ? by_name : by_mapping, path);
  }
  struct stat program {};
  if (interests_.go && stat((folder + "exe").c_str(), &program) == 0) go_.note_process(pid, program);
}

bool Finder::looked_at(const struct stat& status) const {
  return probed_.contains({status.st_dev, status.st_ino}) || files_.contains(identity(status));
}

void Finder::look_at_file(const std::string& open_path, const std::string& shown) {
  struct stat status {};
  if (stat(open_path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  if (files_.size() > kMaxFiles) files_.clear();
  if (looked_at(status)) return;
  files_.insert(identity(status));
  std::vector<PlannedFunction> functions;
  try {
    const auto elf = symbols::ElfFile::open(open_path);
    if (interests_.tls) functions = tls::plan_functions(elf);
    if (interests_.go && elf.kind() != symbols::ElfKind::shared_library && symbols::is_go(elf)) {
      for (auto& function : go_.take_on(elf, open_path, shown, status)) functions.push_back(std::move(function));
    }
  } catch (const std::exception& e) {
    // A script, or a program of another processor. Only of a library is it worth a word.
    if (tls::is_tls_library(name_of(shown))) tell({shown, {}, {}, e.what(), 0, 0});
    return;
  }
  std::set<std::uint32_t> groups;
  for (const auto& function : functions) groups.insert(function.group);
  for (const auto group : groups) {
    std::string refused;
    attach(open_path, shown, functions, group, refused);
    if (!refused.empty()) go_.refused(status, refused);
  }
  if (std::any_of(functions.begin(), functions.end(), [](const auto& f) { return !f.places.empty(); }))
    probed_.insert({status.st_dev, status.st_ino});
}

// At once, for what is attached together is left together; one by one where the kernel refuses some of them.
void Finder::attach(const std::string& open_path, const std::string& shown, const std::vector<PlannedFunction>& functions,
                    std::uint32_t group, std::string& refused) {
  std::vector<FunctionProbe> all;
  for (const auto& function : functions) {
    if (function.group != group) continue;
    for (const auto& place : function.places) all.push_back(place.probe);
  }
  const bool together = !all.empty() && probes_.attach_functions(open_path, all, group).empty();
  for (const auto& function : functions) {
    if (function.group != group) continue;
    std::vector<FunctionProbe> own;
    for (const auto& place : function.places) own.push_back(place.probe);
    const std::string problem = together || own.empty() ? std::string() : probes_.attach_functions(open_path, own, group);
    if (own.empty()) tell({shown, function.name, {}, function.reason, 0, 0});
    if (!problem.empty()) refused += (refused.empty() ? "" : "; ") + function.name + ": " + problem;
    for (const auto& place : function.places) {
      if (problem.empty())
        tell({shown, function.name, place.text, function.reason, place.probe.offset, place.price});
      else
        tell({shown, function.name, place.text, problem, place.probe.offset, 0});
    }
  }
}

void Finder::tell(ProbeFact fact) {
  const std::lock_guard lock(mutex_);
  if (facts_.size() < kMaxFacts) facts_.push_back(std::move(fact));
}

std::vector<ProbeFact> Finder::take_new() {
  const std::lock_guard lock(mutex_);
  std::vector<ProbeFact> out(facts_.begin() + static_cast<std::ptrdiff_t>(taken_), facts_.end());
  taken_ = facts_.size();
  return out;
}

std::vector<ProbeFact> Finder::all() const {
  const std::lock_guard lock(mutex_);
  return facts_;
}

}  // namespace tailcap::capture
