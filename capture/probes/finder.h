// Finds the TLS libraries and the Go programs that targets run, now and later, and places probes in them.
//
// It has a thread of its own, and other processes open and read files (capture/scan): node has 100 MB, the ring must be
// emptied meanwhile, and a read may never return. A file is probed once, for all processes that map it: the kernel
// programs ignore non-targets. A probe that could not be placed is recorded as a fact, too; nothing here fails a
// recording or delays its end.
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

#include "capture/host/shadow_stacks.h"
#include "capture/probes/malloc_files.h"
#include "capture/probes/probes.h"
#include "capture/probes/tls_files.h"
#include "capture/probes/watch.h"
#include "capture/scan/target_files.h"
#include "capture/symbols/plan.h"

namespace tailcap::capture {

// One probe, or a function at which none could be placed. Like formats::Probe, but owns its strings.
struct ProbeFact {
  std::string path, function, place, reason;
  std::uint64_t offset = 0;
  std::uint32_t price = 0;
  bool left = false;     // it was probed, then removed
  bool missing = false;  // there may be functions to probe, and they are not
};

class Finder {
 public:
  struct Interests {
    bool tls = false;
    bool tls_keys = false;  // of OpenSSL 3 and Go: only what their keys are derived from
    bool tls_auto = false;  // … and probes where keys cannot
    bool go = false;
    bool go_states = false;             // Go: what every goroutine does, too
    bool allocations = false;           // of Go, and by malloc
    bool rests = false;                 // probes at TLS reads and writes may be removed for a time: rest()
    std::vector<std::string> excluded;  // files that are never probed: --no-probe
    bool any() const { return tls || go || allocations; }
  };
  // probes and processes must outlive this object.
  Finder(Probes& probes, const scan::Processes& processes, Interests interests);
  ~Finder();
  Finder(const Finder&) = delete;
  Finder& operator=(const Finder&) = delete;

  // Looks at what the process runs now, and at what it will have mapped a little later.
  void examine(std::uint32_t pid);
  // The process runs the program of one that was looked at: probes in single processes are not in it.
  void forked(std::uint32_t pid);
  // Looks at what it has mapped since: libraries are loaded at any time.
  void examine_again(std::uint32_t pid);
  // Looks at the libraries of this system, before any process maps them.
  void examine_system();
  // Looks at a command about to be started, as a shell would find it; for a script, at its interpreter.
  void examine_command(const std::string& command);
  // Waits until everything asked for up to now is done, or for this long; returns whether it is done.
  bool wait(std::chrono::milliseconds most);
  void stop();  // nothing is attached afterwards; does not wait for files

  // Processes not looked at, and facts not recorded, because there were too many: since the beginning.
  struct Dropped {
    std::uint64_t looks = 0, facts = 0;
  };
  Dropped dropped() const;

  std::vector<ProbeFact> take_new();
  std::vector<ProbeFact> all() const;
  // Removes the probes at TLS reads and writes, or places them again, as soon as its thread comes to it. Where removing
  // takes long, they stay.
  void rest(bool on);
  // TLS: from any thread (TlsFiles).
  void older_connections(std::set<std::uint32_t> processes);
  void unread_by_keys(std::uint32_t pid);
  std::vector<TlsFiles::Statement> take_tls_statements() { return tls_.take_statements(); }
  std::vector<TlsFiles::Late> take_late() { return tls_.take_late(); }
  std::vector<go::Fact> take_go() { return go_.take(); }  // new facts about processes
  std::vector<go::HeapFact> take_heaps() { return go_.take_heaps(); }
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
  void look_at_mapping(const scan::MappedFile& mapped, bool program);
  bool maps_still(const scan::MappedFile& mapped);
  bool looked_at(const scan::Identity& identity) const;
  bool excluded(const scan::TargetFile& file);
  void look_at_file(scan::TargetFile file);
  void note_shadow_stack(std::uint32_t pid);
  void look_at_others();
  void rest_now(bool on);
  void attach(const scan::TargetFile& file, const std::vector<PlannedFunction>& functions, std::uint32_t group,
              std::string& refused);
  // refused: why its places are not probed; empty: they are.
  void tell_function(const std::string& path, const PlannedFunction& function, const std::string& refused);
  void tell_left(std::string path, std::string reason);  // probes that were there
  void tell(ProbeFact fact);
  void tell_unread(const std::string& path);  // the reason is files_.problem(); once for each path
  void tell_missing(const std::string& path, std::string reason);
  // The number of a file with probes; 0: none is left for it.
  std::uint32_t new_number(const scan::TargetFile& file);

  Probes& probes_;
  const Interests interests_;
  mutable std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::multimap<Clock::time_point, Job> jobs_;
  bool busy_ = false, stop_ = false;
  bool rests_ = false, resting_ = false;  // as it is to be, and as it is
  std::vector<ProbeFact> facts_;
  std::size_t taken_ = 0;
  Dropped dropped_;
  scan::TargetFiles files_;
  // Used by the thread alone: files that have been looked at, as they were then; probed files, whatever happens to
  // them: the kernel holds them, so that no other file gets their number; files that do not answer; files already
  // reported as unreadable.
  std::set<scan::Identity> looked_;
  std::set<FileNumber> probed_;
  std::set<Mapped> unanswered_;
  std::set<std::string> unread_, missing_;
  mutable go::Watch go_;
  TlsFiles tls_;
  MallocFiles mallocs_;
  Clock::time_point next_look_{}, heaps_look_{};
  const ShadowStacks shadow_stacks_;
  bool avoids_calls_ = false;
  // Files with probes, indexed by the number in their cookies, from 1 on.
  struct Probed {
    std::string shown;
    std::uint64_t hits = 0;  // by non-targets, at the last look
    bool left = false;
  };
  std::vector<Probed> others_;
  std::map<std::uint32_t, std::uint32_t> numbers_of_;  // how many of them, by the process that showed the file
  Clock::time_point others_look_{}, others_looked_{};
  std::thread thread_;
};

}  // namespace tailcap::capture
