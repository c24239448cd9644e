// Loads and attaches the kernel programs, and queries them for what exists and what they cost. They are removed with
// this object.
//
// Nothing is pinned: the kernel releases everything when the process ends, in whatever way it ends.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "capture/go/layout.h"
#include "capture/iterators/untarget.h"
#include "capture/probes/group.h"
#include "capture/probes/selection.h"
#include "capture/probes/tier.h"
#include "capture/rings/rings.h"
#include "capture/scan/function_links.h"
#include "formats/preamble.h"

namespace tailcap::bpf {
struct cpu_table;
}

namespace tailcap::capture {

// Tests only: a program that the kernel refuses, that reports nothing, or that the kernel never runs at its tracepoint.
enum class Spoil : std::uint8_t { refused, idle, skipped };

struct ProbeSettings {
  Selection selection;
  std::uint32_t payload_limit = 4096;
  std::uint64_t ring_bytes = 16u << 20;  // of all rings together: a power of two, at least a page each (RingSizes)
  std::uint32_t rings = 0;               // a power of two; 0: one for each CPU, fewer if they would be too small
  formats::HookTier tier = formats::HookTier::unknown;  // unknown: the best that the kernel offers
  std::string tier_reason;                              // why this one, if the user did not choose it
  std::vector<Group> groups{kGroups.begin(), kGroups.begin() + kUnasked};
  bool has(Group group) const;
  bool takes_stacks() const { return sample_rate != 0 || deep || has(Group::stacks) || has(Group::allocations); }
  Sampling connections;
  std::uint32_t sample_rate = 0;                       // samples a second of each CPU; 0: none
  bool samples_asked = false;                          // otherwise they are left out where the kernel refuses them
  bool stacks_at_once = true;                          // otherwise stacks and samples begin with switch_stacks
  bool tls_keys = false;                               // TLS of OpenSSL 3 and Go by its keys, not by its calls
  bool tls_auto = false;                               // … by its calls where keys cannot
  bool deep = false;                                   // what every goroutine does, too
  bool node = false;                                   // host problems instead of requests
  std::chrono::nanoseconds long_wait{1'000'000};       // waits that take at least this long have a stack,
  bool all_waits = false;                              // … or all that begin, as many as the rate allows
  std::chrono::nanoseconds slow_file{1'000'000};       // calls on files that wait at least this long,
  std::chrono::nanoseconds slow_io{10'000'000};        // for a node, I/Os that take at least this long
  std::vector<std::string> left_out;                   // prefixes of programs that the kernel refused
  std::vector<std::pair<std::string, Spoil>> spoiled;  // tests only: programs that do not do their work
  std::vector<std::pair<std::string, std::uint32_t>> map_entries;  // tests only: kernel maps of another size
  // The verifier trusts no socket that a task's file leads to (capture/iterators/sockets.h). Set where that is so;
  // tests set it elsewhere.
  bool lists_by_address = false;
  bool older = false;         // tests only: the programs for kernels without the helpers of Linux 6.1
  bool preempted = false;     // tests only: as where threads may be preempted in programs
  bool verifier_log = false;  // keep the verifier's log of each program
  bool timings = false;       // … or only its duration
  std::array<std::uint32_t, 3> own_processes{};  // the recorder's; they and their children are never recorded; 0: none
};

struct ProgramReport {
  std::string name;
  std::string hook;  // tracepoint or iterator
  std::string tag;   // as bpftool prog show prints it
  std::uint64_t instructions = 0;
  std::chrono::microseconds verification{};
  std::chrono::microseconds attach{};
  std::uint64_t runs = 0;
  std::uint64_t missed = 0;  // runs that the kernel skipped because the program was busy on that CPU
  std::chrono::nanoseconds time{};
};

struct KernelLoss {
  std::uint32_t row = 0;    // bpf::loss_row
  std::uint32_t kind = 0;   // bpf::record_kind
  std::uint64_t count = 0;  // since loading
};

class Probes {
 public:
  // Opens and loads. A program that the kernel refuses is left out if nothing else depends on it; not_recorded() then
  // says what is missing. Throws std::runtime_error with the reason if nothing can be recorded.
  explicit Probes(const ProbeSettings& settings);
  ~Probes();
  Probes(const Probes&) = delete;
  Probes& operator=(const Probes&) = delete;

  void attach();
  // Attaches only these, if loaded; call detach_tracepoints() before attach().
  void attach(std::span<const std::string_view> names);
  void detach_tracepoints();
  // Attaches probes at places in a file, for all processes that run it: all of them, or none. Returns the reason, or
  // "". From any thread, one at a time; not after detach(). anew: the group was detached before. pid: in this process
  // alone; no other one pays for them.
  std::string attach_functions(scan::TargetFiles& files, const scan::TargetFile& file,
                               const std::vector<FunctionProbe>& places, std::uint32_t group = 0, bool anew = false,
                               std::uint32_t pid = 0);
  void detach_functions(std::uint32_t group);
  bool detaches_at_once() const;
  // FunctionLinks. Called when probes that move bytes of TLS are to rest, or to return.
  void functions_may_rest_from(std::uint32_t group);
  std::vector<FunctionLinks::Refused> rest_functions(scan::TargetFiles& files, bool on);
  // Switches samples and off-CPU stacks of the selected groups; at any time after attach().
  void switch_stacks(bool on);
  std::array<int, 2> allocations_descriptors() const;  // maps: of Go, of malloc (capture/allocations/counts.h)
  int go_calls_descriptor() const;                     // likewise (capture/record/open_writes.h)
  int unwind_parts_descriptor() const;                 // likewise (capture/stacks/unwind_tables.h)
  int unwind_processes_descriptor() const;
  int unrecorded_descriptor() const;                                 // likewise (capture/log/unrecorded.h)
  int wakers_descriptor() const;                                     // likewise (capture/log/non_targets.h)
  std::array<int, 2> drops_descriptors() const;                      // likewise (capture/links/drops.h)
  const std::map<std::uint32_t, std::string>& drop_reasons() const;  // by number; empty: this kernel tells none
  int script_processes_descriptor() const;  // likewise (capture/stacks/scripts/script_processes.h)
  // Who used each CPU, up to now; empty: that is not counted.
  std::span<const bpf::cpu_table> cpu_tables() const;
  // How often threads waited for a CPU for 1 ms or longer.
  std::uint64_t long_waits() const;
  // Stops recording; the ring keeps its contents.
  void detach();

  // Makes targets of the selected tasks and of their sockets. Call once, after attach().
  void mark_targets();
  // Returns records (bpf/event.h) of all target threads and sockets.
  std::vector<std::byte> list_tasks();
  std::vector<std::byte> list_sockets();
  std::vector<std::byte> list_holders();  // struct socket_holder each
  // Returns a record for every target thread that is off-CPU; after detach(). Empty: they are not recorded.
  std::vector<std::byte> list_waits();

  // Returns where the threads are that wait, before detach(); capture/stacks/waiting_stacks.h.
  std::vector<std::byte> list_waiting();

  void add_target(std::uint32_t pid);  // before mark_targets()
  iterators::Untarget& untarget();
  // Makes the first thread of a process a target. process: its pidfd.
  void make_target(std::uint32_t pid, int process);
  // Sockets have numbers of ours, which differ from the kernel's cookies.
  bool numbers_sockets() const;

  // Sets where programs of the file with this number keep their goroutines; from any thread.
  static constexpr std::uint16_t kGoFiles = 255;
  void tell_go_file(std::uint16_t number, const go::Layout& layout);  // 1 to kGoFiles
  // Sets which file a process runs. A known process is not changed.
  void tell_go_process(std::uint32_t pid, std::uint16_t file);
  // In all processes that run the file: goroutines created and handlers entered, at probes; handlers entered by
  // goroutines that had not read their request; requests of clients, and those of goroutines whose creation only its
  // probe shows.
  struct GoHits {
    std::uint64_t made = 0, handled = 0, streams = 0, asked = 0, unproven = 0;
  };
  GoHits go_hits(std::uint16_t file) const;
  // Hits by non-targets of probes in the file with this number in their cookies (OTHERS_COOKIE).
  std::uint64_t others_hits(std::uint32_t file) const;
  void avoid_calls();  // FunctionLinks
  // TLS by keys: of long records of this socket, the beginning and the end are enough.
  void heads_suffice(std::uint64_t socket);
  // … where probes take what keys cannot: this session (or process, with TLS_PROCESS_BIT) is theirs from now on.
  void leave_to_probes(std::uint64_t session);
  // The file with this number in its cookies is about to get probes at reads and writes.
  void begin_data_probes(std::uint32_t file);
  void tell_data_probes(std::uint32_t file, bool there);  // the file with this number in its cookies has them
  bool marked() const { return marked_; }                 // there may be targets; from any thread

  RingMaps rings() const;
  const TierChoice& tier() const;
  // The settings in effect: as requested, less what the kernel refused.
  const ProbeSettings& settings() const;
  const std::vector<std::string>& not_recorded() const;  // one sentence each
  // Fills in the tier, the programs, and what is not recorded.
  void describe(formats::Preamble& preamble) const;
  std::vector<KernelLoss> losses() const;
  void forget_losses();  // resets the counters
  // Ends of TCP connections so far, where connections are sampled.
  struct Sampled {
    std::uint64_t recorded = 0, left_out = 0;
    bool operator==(const Sampled&) const = default;
  };
  Sampled sampled() const;
  void sample_connections(bool on);  // off: all are recorded; until they end, those begun meanwhile are, too
  void set_share(std::uint32_t of);  // where it varies: from now on one of `of` connections, 0: none
  // Off-CPU intervals and wake-ups, and who uses each CPU, at any time after attach(). Intervals under way when they
  // are recorded again are not. False: the kernel refused, and they are not recorded.
  bool record_waits(bool on);
  // The programs at sends, reads and arrivals, at any time after attach(). False: as above.
  bool record_bytes(bool on);
  // What all programs together cost, while the kernel measures them.
  struct RunTime {
    std::uint64_t time = 0, function_hits = 0;  // ns; runs of those at functions of programs in user space
    std::uint64_t waits = 0;                    // ns of those that record off-CPU intervals and wake-ups
    std::uint64_t others = 0;                   // runs of the others
  };
  RunTime run_time() const;
  std::vector<ProgramReport> programs() const;
  std::chrono::microseconds open_time() const;
  std::chrono::microseconds load_time() const;
  const std::string& verifier_log() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::atomic<bool> marked_ = false;
};

}  // namespace tailcap::capture
