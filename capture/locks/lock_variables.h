// Names of the locks (futexes) at which threads wait: of those that lie in a variable of a file that the process maps.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "capture/scan/mapped_file.h"
#include "capture/scan/process_texts.h"
#include "capture/scan/target_files.h"
#include "capture/symbols/variable_names.h"

namespace tailcap::capture::locks {

struct NamedLock {
  std::uint32_t pid = 0;
  std::uint64_t address = 0;
  std::string name;  // "cart_mutex", "cart+0x10"
};

class LockVariables {
 public:
  static constexpr std::size_t kMaxProcesses = 4096;
  static constexpr std::size_t kMaxLocks = 1024;   // of a process; those that it waits at later have no names
  static constexpr std::size_t kMaxNamed = 16384;  // of all processes

  // processes must outlive this object.
  explicit LockVariables(const scan::Processes& processes);
  ~LockVariables();  // does not wait for files
  LockVariables(const LockVariables&) = delete;
  LockVariables& operator=(const LockVariables&) = delete;

  // A thread of the process waited at this address.
  void waited(std::uint32_t pid, std::uint64_t address);
  void forget(std::uint32_t pid);  // it runs another program, or none
  // Asks for what is not known yet. Locks that got their names since the last call.
  std::vector<NamedLock> tick();
  // All that have names.
  const std::map<std::pair<std::uint32_t, std::uint64_t>, std::string>& all() const { return named_; }
  void wait(std::chrono::milliseconds most);  // until all that was asked for is read, or for this long

 private:
  using Clock = std::chrono::steady_clock;
  struct Process {
    std::unordered_set<std::uint64_t> known;
    std::vector<std::uint64_t> open;  // not asked for yet
    bool asked = false;
    Clock::time_point since{};
  };
  struct Job {
    std::uint32_t pid = 0;
    std::uint64_t address = 0;
    std::uint64_t offset = 0, distance = 0;
    scan::MappedFile file;
  };
  void ask(bool all);  // all: also of processes that were looked at a moment ago
  void take_answers();
  void run();
  const symbols::VariableNames& variables_of(const scan::MappedFile& file);

  scan::ProcessTexts texts_;
  std::unordered_map<std::uint32_t, Process> processes_;
  std::unordered_set<std::uint32_t> open_;  // processes with locks that were not asked for
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::string> named_;
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<Job> jobs_;
  std::vector<NamedLock> found_;
  bool busy_ = false, stop_ = false;
  // The thread alone uses these.
  std::map<scan::Identity, symbols::VariableNames> files_read_;
  std::uint64_t memory_ = 0;
  scan::TargetFiles files_;
  std::thread thread_;
};

}  // namespace tailcap::capture::locks
