// Finds the TLS libraries and the Go programs that targets run, now and later, and has the kernel programs stand in them.
//
// Files are read on a thread of its own: node has 100 MB, and the ring must be emptied meanwhile. A file is probed
// once, for all processes that map it: the kernel programs keep out who is no target. What could not be probed is a
// fact, too; nothing here fails a recording.
#pragma once

#include <sys/stat.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "capture/go/watch.h"
#include "capture/plan.h"
#include "capture/probes.h"
#include "capture/symbols/elf_file.h"

namespace tailcap::capture {

// One place at which a kernel program stands, or a function at which none does. As formats::Probe, with its own
// strings.
struct ProbeFact {
  std::string path, function, place, reason;
  std::uint64_t offset = 0;
  std::uint32_t price = 0;
};

class Finder {
 public:
  struct Interests {
    bool tls = false;
    bool go = false;
    bool go_states = false;  // of Go: what every goroutine does, too
    bool go_allocations = false;
  };
  // probes must outlive this.
  Finder(Probes& probes, Interests interests);
  ~Finder();
  Finder(const Finder&) = delete;
  Finder& operator=(const Finder&) = delete;

  // What the process runs now, and what it will have mapped a little later.
  void examine(std::uint32_t pid);
  // What it has mapped since: libraries come at any time.
  void examine_again(std::uint32_t pid);
  // The libraries of this system, before anybody maps them.
  void examine_system();
  // A command about to be started, as a shell would find it; scripts by their interpreter.
  void examine_command(const std::string& command);
  // Returns when everything asked for up to now has been done.
  void wait();
  void stop();  // nothing is attached any more

  std::vector<ProbeFact> take_new();
  std::vector<ProbeFact> all() const;
  std::vector<go::Fact> take_go() { return go_.take(); }  // what is new of processes
  const go::Names& go_names() const { return go_.names(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Job {
    std::uint32_t pid = 0;  // 0: file
    std::string file;
  };

  using FileNumber = std::pair<std::uint64_t, std::uint64_t>;  // device and inode
  void run();
  void ask(Job job, Clock::duration after);
  void look_at_process(std::uint32_t pid);
  bool looked_at(const struct stat& status) const;
  void look_at_file(const std::string& open_path, const std::string& shown);
  void attach(const std::string& open_path, const std::string& shown, const std::vector<PlannedFunction>& functions,
              std::uint32_t group, std::string& refused);
  void tell(ProbeFact fact);

  Probes& probes_;
  const Interests interests_;
  mutable std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::multimap<Clock::time_point, Job> jobs_;
  bool busy_ = false, stop_ = false;
  std::vector<ProbeFact> facts_;
  std::size_t taken_ = 0;
  // Only the thread's: files that have been looked at, as they were then; and those that are probed, whatever happens
  // to them: the kernel holds them, so that no other file gets their number.
  std::set<std::array<std::uint64_t, 4>> files_;
  std::set<FileNumber> probed_;
  go::Watch go_;
  Clock::time_point next_look_{};
  std::thread thread_;
};

}  // namespace tailcap::capture
