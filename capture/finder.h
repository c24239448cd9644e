// Finds the TLS libraries and the Go programs that targets run, now and later, and has the kernel programs stand in
// them.
//
// It has a thread of its own, and files are opened and read by other processes (capture/scan): node has 100 MB, the
// ring must be emptied meanwhile, and a file may never answer. A file is probed once, for all processes that map it:
// the kernel programs keep out who is no target. What could not be probed is a fact, too; nothing here fails a
// recording, or holds its end up.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "capture/go/watch.h"
#include "capture/plan.h"
#include "capture/probes.h"
#include "capture/scan/target_files.h"
#include "capture/shadow_stacks.h"

namespace tailcap::capture {

// One place at which a kernel program stands, or a function at which none does. As formats::Probe, with its own
// strings.
struct ProbeFact {
  std::string path, function, place, reason;
  std::uint64_t offset = 0;
  std::uint32_t price = 0;
  bool left = false;  // after it was probed
};

class Finder {
 public:
  struct Interests {
    bool tls = false;
    bool go = false;
    bool go_states = false;  // of Go: what every goroutine does, too
    bool go_allocations = false;
    std::vector<std::string> excluded;  // files that are never probed: --no-probe
  };
  // probes and processes must outlive this.
  Finder(Probes& probes, const scan::Processes& processes, Interests interests);
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
  // Returns when everything asked for up to now has been done, or after so long; whether it has been done.
  bool wait(std::chrono::milliseconds most);
  void stop();  // nothing is attached any more; waits for no file

  // What was not looked at, or not told, because there was too much of it: since the beginning.
  struct Dropped {
    std::uint64_t looks = 0, facts = 0;
  };
  Dropped dropped() const;

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

  using FileNumber = std::pair<std::uint64_t, std::uint64_t>;          // device and inode
  using Mapped = std::tuple<std::string, std::uint64_t, std::string>;  // device, inode and path as /proc shows them
  void run();
  void ask(Job job, Clock::duration after);
  void look_at_process(std::uint32_t pid);
  void look_at_mapping(std::uint32_t pid, const std::string& range, const Mapped& mapped, bool program);
  bool looked_at(const scan::Identity& identity) const;
  bool excluded(const scan::TargetFile& file);
  void look_at_file(scan::TargetFile file);
  void note_shadow_stack(std::uint32_t pid);
  void look_at_others();
  void attach(const scan::TargetFile& file, const std::vector<PlannedFunction>& functions, std::uint32_t group,
              std::string& refused);
  void tell(ProbeFact fact);
  void tell_unread(const std::string& path);  // why is files_.problem()

  Probes& probes_;
  const Interests interests_;
  mutable std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::multimap<Clock::time_point, Job> jobs_;
  bool busy_ = false, stop_ = false;
  std::vector<ProbeFact> facts_;
  std::size_t taken_ = 0;
  Dropped dropped_;
  scan::TargetFiles files_;
  // Only the thread's: files that have been looked at, as they were then; those that are probed, whatever happens to
  // them: the kernel holds them, so that no other file gets their number; those that do not answer; those of which it
  // was told that they cannot be read.
  std::set<scan::Identity> looked_;
  std::set<FileNumber> probed_;
  std::set<Mapped> unanswered_, unread_;
  bool blocked_told_ = false;
  mutable go::Watch go_;
  Clock::time_point next_look_{};
  const ShadowStacks shadow_stacks_;
  bool avoids_calls_ = false;
  // Files with probes, by the number in their cookies, from 1 on.
  struct Probed {
    std::string shown;
    std::uint64_t hits = 0;  // by others, at the last look
    bool left = false;
  };
  std::vector<Probed> others_;
  Clock::time_point others_look_{}, others_looked_{};
  std::thread thread_;
};

}  // namespace tailcap::capture
