// The kernel programs: loaded, attached, asked what exists and what they cost, and gone with this object.
//
// The kernel itself releases everything when the process ends, however it ends: nothing is pinned.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "capture/function_links.h"
#include "capture/go/layout.h"
#include "capture/group.h"
#include "capture/selection.h"
#include "capture/tier.h"
#include "formats/preamble.h"

namespace tailcap::capture {

// Tests only: a program that the kernel refuses, or that reports nothing.
enum class Spoil : std::uint8_t { refused, idle };

struct ProbeSettings {
  Selection selection;
  std::uint32_t payload_limit = 4096;
  std::uint64_t ring_bytes = 16u << 20;  // of all rings together: a power of two, at least a page each
  std::uint32_t rings = 0;               // a power of two; 0: one for every four CPUs, as far as they are not too small
  formats::HookTier tier = formats::HookTier::unknown;  // unknown: the best that the kernel offers
  std::string tier_reason;                              // why this one, where nobody asked for it
  std::vector<Group> groups{kGroups.begin(), kGroups.begin() + kUnasked};
  bool has(Group group) const;
  bool takes_stacks() const { return sample_rate != 0 || deep || has(Group::stacks) || has(Group::allocations); }
  std::uint32_t sample_rate = 0;                       // samples a second of each CPU; 0: none
  bool stacks_at_once = true;                          // otherwise stacks and samples begin with switch_stacks
  bool deep = false;                                   // what every goroutine does, too
  bool node = false;                                   // not requests, but what ails the machine
  std::chrono::nanoseconds slow_file{1'000'000};       // calls on files that wait so long are told,
  std::chrono::nanoseconds slow_io{10'000'000};        // of a node: I/Os that take so long
  std::vector<std::string> left_out;                   // prefixes of programs that the kernel refused
  std::vector<std::pair<std::string, Spoil>> spoiled;  // tests only: programs that do not do their work
  std::vector<std::pair<std::string, std::uint32_t>> map_entries;  // tests only: kernel maps of another size
  bool verifier_log = false;                                       // keep what the verifier says of each program
  bool timings = false;                                            // … or only how long it took
  std::array<std::uint32_t, 2>
      own_processes{};  // the recorder's, which are never recorded, nor are their children; 0: none
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
  // Opens and loads. Programs that the kernel refuses and that nothing else depends on are left out: not_recorded()
  // says what is missing for that. Throws std::runtime_error with the reason where nothing can be recorded.
  explicit Probes(const ProbeSettings& settings);
  ~Probes();
  Probes(const Probes&) = delete;
  Probes& operator=(const Probes&) = delete;

  void attach();
  // Only these, if they are loaded; then detach_tracepoints() before attach().
  void attach(std::span<const std::string_view> names);
  void detach_tracepoints();
  // Places in a file, in all processes that run it: all of them, or none and why. From any thread, one at a time; not
  // once detach() has been called. anew: the group was detached before.
  std::string attach_functions(scan::TargetFiles& files, const scan::TargetFile& file,
                               const std::vector<FunctionProbe>& places, std::uint32_t group = 0, bool anew = false);
  void detach_functions(std::uint32_t group);
  bool detaches_at_once() const;
  // Samples and the stacks of waits, of those groups that were chosen; at any time after attach().
  void switch_stacks(bool on);
  int allocations_descriptor() const;  // of a map (capture/go/allocations.h)
  int unrecorded_descriptor() const;   // likewise (capture/unrecorded.h)
  // Nothing is recorded any more; what is in the ring stays.
  void detach();

  // Makes targets of the tasks chosen and of the sockets that they hold. Call once, after attach().
  void mark_targets();
  // Records (bpf/event.h) of every thread and socket that is a target.
  std::vector<std::byte> list_tasks();
  std::vector<std::byte> list_sockets();

  void add_target(std::uint32_t pid);  // before mark_targets()
  // The first thread of a process is a target from now on. process: its pidfd.
  void make_target(int process);

  // Where programs of this file, by its number, keep their goroutines; from any thread.
  static constexpr std::uint16_t kGoFiles = 255;
  void tell_go_file(std::uint16_t number, const go::Layout& layout);  // 1 to kGoFiles
  // … and who runs it. What is known already is left.
  void tell_go_process(std::uint32_t pid, std::uint16_t file);
  // Goroutines that were made, or handlers entered, in all processes that run the file.
  std::uint64_t go_hits(std::uint16_t file, bool handlers) const;
  // Hits by processes that are not recorded, of the file whose probes have this number in their cookies
  // (OTHERS_COOKIE).
  std::uint64_t others_hits(std::uint32_t file) const;
  void avoid_calls();  // FunctionLinks

  // For Rings.
  int first_ring() const;
  int rings_map() const;
  std::uint32_t ring_count() const;
  std::uint64_t ring_bytes() const;  // of each
  const TierChoice& tier() const;
  // What is recorded: as asked for, less what the kernel refused.
  const ProbeSettings& settings() const;
  const std::vector<std::string>& not_recorded() const;  // a sentence each
  // Fills in the tier, the programs, and what is not recorded.
  void describe(formats::Preamble& preamble) const;
  std::vector<KernelLoss> losses() const;
  void forget_losses();  // those up to now
  std::vector<ProgramReport> programs() const;
  std::chrono::microseconds open_time() const;
  std::chrono::microseconds load_time() const;
  const std::string& verifier_log() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::capture
