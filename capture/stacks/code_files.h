// The files that targets execute, and the names of their functions. Other processes (capture/scan) open and read the
// files, and a separate thread waits for them: node has 100 MB, and the ring must be emptied meanwhile.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "capture/scan/proc.h"
#include "capture/scan/target_files.h"
#include "capture/stacks/code_file.h"
#include "capture/stacks/scripts/script_processes.h"
#include "capture/stacks/unwind_tables.h"

namespace tailcap::capture::stacks {

// When the names of code are read that processes make at run time: a name holds for what was executed shortly before,
// so they are read again and again, as long as a process executes such code. Not thread-safe.
class MadeCode {
 public:
  using Clock = std::chrono::steady_clock;
  struct Reading {
    std::uint32_t pid = 0;
    std::shared_ptr<CodeFile> code;
    // As it was when it was read before, for a process that has ended since.
    OwnIdentity process;
    std::uint64_t device = 0, inode = 0;  // 0: not read yet
    std::shared_ptr<CodeFile> dump;       // jit-PID.dump, which the process has mapped; null: it has none
  };

  // The one that will be read next; null: lately the process had no names.
  std::shared_ptr<CodeFile> next(std::uint32_t pid, const std::shared_ptr<CodeFile>& dump, Clock::time_point now);
  // What is due is taken out. all: whatever its time. due: when the next one is.
  std::optional<Reading> take(Clock::time_point now, bool all, Clock::time_point& due);
  void done(const Reading& reading, Clock::duration took, bool found, Clock::time_point now);
  void forget(std::uint32_t pid);  // it runs another program, or none: what was asked for is read at once
  bool empty() const;

 private:
  struct Process {
    Reading next;  // its code is null: it was not asked for since the last reading
    Clock::time_point due{};
    bool none = false, ended = false;
  };
  std::unordered_map<std::uint32_t, Process> processes_;
};

// An executable mapping of a process.
struct CodeRange {
  std::uint64_t start = 0, end = 0, offset = 0;
  std::shared_ptr<CodeFile> file;  // null: code made at run time
  bool operator==(const CodeRange&) const = default;
};

// Descriptors of the kernel's maps; -1: there are none.
struct StackMaps {
  UnwindMaps unwind;
  int scripts = -1;
};

class CodeFiles {
 public:
  // processes must outlive this object.
  CodeFiles(const scan::Processes& processes, StackMaps maps);
  ~CodeFiles();  // does not wait for files
  CodeFiles(const CodeFiles&) = delete;
  CodeFiles& operator=(const CodeFiles&) = delete;

  // A new file is read soon after tell(): its names come after the tables of the process, and take a second for a large
  // one.
  std::shared_ptr<CodeFile> file(const scan::MappedFile& mapped, std::shared_ptr<const CodeUse>& use);
  // The kernel program walks the stacks of the process by these, soon. By address; empty: the process runs another
  // program, or none.
  void tell(std::uint32_t pid, std::vector<CodeRange> ranges);
  // Code that the process makes at run time, as it says once this is asked for; null: it says nothing. dump: see above.
  std::shared_ptr<CodeFile> made_by(std::uint32_t pid, const std::shared_ptr<CodeFile>& dump);
  // Which code has no names that it could have; once each.
  std::vector<std::string> take_remarks();
  // Reads the lines of the units of the file that have code at these places, which are offsets in the settled file.
  void ask_for_lines(const std::shared_ptr<CodeFile>& file, std::span<const std::uint64_t> places);
  // Returns when everything is read, or after `most`.
  void wait(std::chrono::milliseconds most);

 private:
  struct Process {
    std::uint32_t pid = 0;
    std::vector<CodeRange> ranges;
  };
  void run();
  void recognise(CodeFile& file);  // where it is what it was before, nothing is read again
  void read_names(CodeFile& file);
  void run_lines();
  void settle(CodeFile& file);
  struct WantedLines {
    std::shared_ptr<CodeFile> file;
    std::vector<std::uint64_t> addresses;  // none: the file is not settled yet
  };
  void read_lines(const WantedLines& wanted);
  void read_made(MadeCode::Reading& reading);
  void walk_by_tables(const Process& process);
  void read_scripts_of(const Process& process);
  UnwindTables::Table table_of(CodeFile& file);
  static std::optional<scan::TargetFile> find(const CodeFile& file, scan::TargetFiles& files);
  std::optional<scan::TargetFile> find(CodeFile& file);  // for the reading thread, which learns the identity
  std::optional<scan::TargetFile> find_separate(const CodeFile& file);
  const symbols::ScriptPrograms& scripts_in(CodeFile& file);
  void found_scripts_in(const CodeFile& file);
  void remark_unknown(const CodeFile& file);

  std::unordered_map<std::string, std::shared_ptr<CodeFile>> files_;
  std::atomic<std::uint64_t> memory_ = 0;  // used by the threads
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<std::shared_ptr<CodeFile>> files_to_read_;
  std::deque<WantedLines> lines_to_read_;  // a thread of their own: names and tables do not wait for it
  MadeCode made_;
  std::deque<Process> processes_;  // first: until then stacks are walked by frame pointers
  std::unordered_set<std::string> remarked_;
  std::vector<std::string> remarks_;
  bool busy_ = false, lines_busy_ = false, stop_ = false, hurry_ = false;
  scan::TargetFiles target_files_, debug_files_;
  // The thread alone uses these.
  UnwindTables tables_;
  ScriptProcesses scripts_;
  std::unordered_map<std::uint32_t, Process> without_scripts_;  // some of their files may contain an interpreter
  std::thread thread_, lines_thread_;
};

}  // namespace tailcap::capture::stacks
