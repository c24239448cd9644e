#include "capture/locks/lock_variables.h"

#include <algorithm>

namespace tailcap::capture::locks {

namespace {

constexpr std::chrono::seconds kPause{1};        // between two looks at the mappings of a process
constexpr std::size_t kMaxJobs = 8192;           // locks; further ones have no names
constexpr std::size_t kMaxFilesRead = 1024;      // then they are read again
constexpr std::uint64_t kMaxMemory = 64u << 20;  // of all names of variables

struct Code {
  std::uint64_t start = 0, offset = 0;
  scan::MappedFile file;
};

// A file's variables lie behind its code, and before the next file.
const Code* before(const std::vector<Code>& codes, std::uint64_t address) {
  const auto next =
      std::upper_bound(codes.begin(), codes.end(), address, [](std::uint64_t a, const Code& c) { return a < c.start; });
  return next == codes.begin() ? nullptr : &*(next - 1);
}

}  // namespace

LockVariables::LockVariables(const scan::Processes& processes)
    : texts_(processes), files_(processes), thread_([this] { run(); }) {}

LockVariables::~LockVariables() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  files_.stop();
  wake_.notify_all();
  thread_.join();
}

void LockVariables::waited(std::uint32_t pid, std::uint64_t address) {
  if (address == 0 || (processes_.size() >= kMaxProcesses && !processes_.contains(pid))) return;
  Process& process = processes_[pid];
  if (process.known.size() >= kMaxLocks || !process.known.insert(address).second) return;
  process.open.push_back(address);
  open_.insert(pid);
}

void LockVariables::forget(std::uint32_t pid) {
  processes_.erase(pid);
  open_.erase(pid);
  named_.erase(named_.lower_bound({pid, 0}), named_.upper_bound({pid, UINT64_MAX}));
}

void LockVariables::ask(bool all) {
  const auto now = Clock::now();
  std::erase_if(open_, [&](std::uint32_t pid) {
    Process& process = processes_[pid];
    const bool lately = process.since != Clock::time_point{} && now - process.since < kPause;
    if (process.asked || (lately && !all)) return false;
    process.asked = true;
    process.since = now;
    texts_.ask({pid, false, scan::kAllMappings});
    return true;
  });
}

std::vector<NamedLock> LockVariables::tick() {
  ask(false);
  take_answers();
  std::vector<NamedLock> found;
  {
    const std::lock_guard lock(mutex_);
    found.swap(found_);
  }
  std::erase_if(found, [&](const NamedLock& lock) {
    if (named_.size() >= kMaxNamed) return true;
    named_.insert_or_assign({lock.pid, lock.address}, lock.name);
    return false;
  });
  return found;
}

void LockVariables::take_answers() {
  for (const auto& [question, text, silent] : texts_.take()) {
    const auto process = processes_.find(question.pid);
    if (process == processes_.end()) continue;
    process->second.asked = false;
    std::vector<Code> codes;
    for (const auto& line : text.maps) {
      const auto mapping = scan::parse_maps_line(question.pid, line, text.read_at);
      if (mapping && mapping->executable && mapping->file.inode != 0)
        codes.push_back({mapping->start, mapping->file_offset, mapping->file});
    }
    std::sort(codes.begin(), codes.end(), [](const Code& a, const Code& b) { return a.start < b.start; });
    const std::lock_guard lock(mutex_);
    for (const std::uint64_t address : std::exchange(process->second.open, {})) {
      const Code* code = before(codes, address);
      if (code && jobs_.size() < kMaxJobs)
        jobs_.push_back({question.pid, address, code->offset, address - code->start, code->file});
    }
    wake_.notify_all();
  }
}

const symbols::VariableNames& LockVariables::variables_of(const scan::MappedFile& file) {
  if (files_read_.size() >= kMaxFilesRead) {
    files_read_.clear();
    memory_ = 0;
  }
  const auto found = files_.open(file.path, file.candidates(), {file.device_number(), file.pid});
  const auto [known, fresh] = files_read_.try_emplace(found ? found->identity : scan::Identity());
  if (!fresh || !found) return known->second;
  auto names = files_.variables(*found);
  if (names && memory_ + names->memory() <= kMaxMemory) {
    memory_ += names->memory();
    known->second = std::move(*names);
  }
  return known->second;
}

void LockVariables::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (jobs_.empty()) {
      idle_.notify_all();
      wake_.wait(lock);
      continue;
    }
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    std::string name = variables_of(job.file).behind(job.offset, job.distance);
    lock.lock();
    if (!name.empty()) found_.push_back({job.pid, job.address, std::move(name)});
    busy_ = false;
  }
}

void LockVariables::wait(std::chrono::milliseconds most) {
  ask(true);
  texts_.wait(most, true);
  take_answers();
  std::unique_lock lock(mutex_);
  idle_.wait_for(lock, most, [&] { return jobs_.empty() && !busy_; });
}

}  // namespace tailcap::capture::locks
