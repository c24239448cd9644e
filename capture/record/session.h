// One recording in progress: passes events on into the file, and keeps what is known about the targets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "capture/decrypt/decryptor.h"
#include "capture/host/pods.h"
#include "capture/links/drops.h"
#include "capture/locks/named_locks.h"
#include "capture/log/event_log.h"
#include "capture/log/found_code.h"
#include "capture/log/interfaces.h"
#include "capture/log/loss_counter.h"
#include "capture/log/machine.h"
#include "capture/log/memory_rounds.h"
#include "capture/log/process_uses.h"
#include "capture/log/quota_rounds.h"
#include "capture/log/sampled_ends.h"
#include "capture/log/statements.h"
#include "capture/log/status.h"
#include "capture/log/unrecorded.h"
#include "capture/mask/gate.h"
#include "capture/mask/pointer_key.h"
#include "capture/probes/finder.h"
#include "capture/probes/probes.h"
#include "capture/record/described_mappings.h"
#include "capture/record/open_writes.h"
#include "capture/record/tls_auto.h"
#include "capture/rings/convert.h"
#include "capture/scan/proc.h"
#include "capture/scan/process_texts.h"
#include "capture/stacks/samples.h"
#include "capture/targets/described.h"
#include "formats/file/writer.h"

namespace tailcap::capture {

class Session {
 public:
  // finder: looks for TLS and Go in new processes; null: that is not done. samples: resolves the names of samples;
  // null: there are none. drops_beginning: what is read later may begin at any keyframe.
  // names: what the user called processes.
  Session(Probes& probes, formats::Writer& writer, const scan::Processes& processes, const mask::Keep& keep,
          const std::map<std::uint32_t, std::string>& names, Finder* finder, stacks::Samples* samples,
          const std::function<bool()>& hurry, bool drops_beginning);

  // One record from the ring.
  void take(std::span<const std::byte> record);
  // Records losses since the previous call, and the /proc data of new processes.
  void tick(formats::Time now);
  // Writes everything that exists, so that a reader can begin here. Throws std::system_error if the kernel does not
  // list it.
  void keyframe(formats::Time now);
  // The same during a recording: an error is reported once and ends nothing. False: there is no keyframe this time.
  bool keyframe_again(formats::Time now);
  // A keyframe would describe connections of which nothing can be read until then.
  bool misses_description() const { return joined_ || gate_.misses_description(); }
  // Events that the kernel skipped. This query costs more, so it is not made at every tick.
  void count_skipped_runs(formats::Time now) { losses_.count_skipped_runs(now); }
  // A note that a user added while recording, or the recorder's own.
  void note(formats::Time now, std::string_view key, std::string_view value);
  // Lists the network interfaces of the targets' namespaces, while the recorder may enter them.
  void find_links();
  // Writes the clocks: CLOCK_REALTIME was set.
  void note_clocks();
  // Those that lack no more than this.
  void push_samples(stacks::Lacking lacking);
  // Call it before the kernel programs are removed.
  void stops();
  // Writes clocks and costs; call it before the writer is finished.
  void closing_facts();

  bool any_process_left();  // of those that were ever targets
  bool met_anybody() const { return met_anybody_; }
  const Tally& tally() const { return log_.tally(); }

 private:
  void mask();
  void push_plaintext();
  void count_unread(formats::Time now);
  void count_open_writes(formats::Time now);
  void push_keys(formats::Time now);
  void take_name(std::span<const std::byte> record);            // a process has taken another one
  void push_texts(formats::Time now);                           // that came meanwhile
  void push_pod(formats::Time now, const ProcessFacts& facts);  // that the process belongs to
  void push_masking(formats::Time now);
  std::set<std::uint32_t> whose_mappings();     // are described in this keyframe
  void begun(std::uint32_t pid, bool program);  // a process; program: it runs a different program from its parent
  void push_costs(formats::Time now);
  void push_waits();
  void repeat_processes(formats::Time now, std::span<const std::byte> tasks);
  void repeat_sockets(std::span<const std::byte> sockets);
  void look_for_older(formats::Time now);
  void push_sums(formats::Time now, bool last);
  void push_unrecorded(formats::Time now);

  Probes& probes_;
  EventLog log_;
  Statements statements_;
  Finder* finder_;
  stacks::Samples* samples_;
  Converter converter_;
  mask::Gate gate_;
  // TLS by keys, and what the gate does for its sockets where everything else is kept.
  std::optional<TlsAuto> tls_auto_;
  std::optional<decrypt::Decryptor> decryptor_;
  std::optional<mask::Gate> ciphertext_gate_;
  decrypt::Decryptor::Counts told_keys_;
  std::array<std::uint64_t, 2> unread_{};
  mask::PointerKey pointer_key_;
  DescribedMappings mappings_;
  LossCounter losses_;
  NonTargets non_targets_;
  MachineAccount machine_;
  FoundCode found_;
  QuotaRounds quotas_;
  MemoryRounds memory_;
  ProcessUses uses_;
  Interfaces interfaces_;
  links::Drops drops_;
  formats::Event event_;
  std::unordered_set<std::uint32_t> processes_;  // targets that may be alive
  std::unordered_set<std::uint32_t> new_;        // not yet described
  scan::ProcessTexts texts_;                     // asked about them
  targets::Described described_;
  Pods pods_;
  std::uint32_t next_mappings_ = 0;  // the process at which the next round begins
  bool keyframe_failed_ = false, met_anybody_ = false;
  bool joined_ = false;  // a process became a target by its name: its sockets are not described yet
  OpenWrites open_writes_;
  Unrecorded unrecorded_;
  SampledEnds sampled_;
  locks::NamedLocks locks_;
};

}  // namespace tailcap::capture
