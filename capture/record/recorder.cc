#include "capture/record/recorder.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <system_error>

#include "bpf/event.h"
#include "capture/budget/amount.h"
#include "capture/budget/budget.h"
#include "capture/budget/policy_share.h"
#include "capture/budget/share.h"
#include "capture/budget/statistics_switch.h"
#include "capture/control/control.h"
#include "capture/control/folder_keeper.h"
#include "capture/decrypt/decryptor.h"
#include "capture/host/clock_watch.h"
#include "capture/host/clocks.h"
#include "capture/host/descriptor.h"
#include "capture/host/disks.h"
#include "capture/host/kernel.h"
#include "capture/host/privileges.h"
#include "capture/host/system_file.h"
#include "capture/mask/command_line.h"
#include "capture/output/destination.h"
#include "capture/probes/finder.h"
#include "capture/probes/self_test.h"
#include "capture/record/call_filter.h"
#include "capture/record/child.h"
#include "capture/record/commands.h"
#include "capture/record/session.h"
#include "capture/record/signals.h"
#include "capture/rings/rings.h"
#include "capture/scan/proc.h"
#include "capture/scan/processes.h"
#include "capture/targets/running.h"
#include "formats/printable.h"

namespace tailcap::capture {

using namespace std::chrono_literals;
using formats::Duration;
using formats::Time;

namespace {

constexpr int kPollMs = 50;        // with kBlockAge: a killed recorder loses less than 250 ms
constexpr Duration kTick = 100ms;  // the resolution in time of losses
constexpr Duration kStatusEvery = 1s;
constexpr Duration kKeyframePause = 1s;  // between keyframes, however full a file is
constexpr std::chrono::milliseconds kLookFirst =
    5s;  // at most; the TLS libraries of a system take 0.1 s, a large program 2 s

// Threads are not processes: users may give either number. 0: there is none.
std::uint32_t process_of(std::uint32_t pid) {
  SystemLines status("/proc/" + std::to_string(pid) + "/status");
  std::string_view line;
  while (status.next(line)) {
    std::uint32_t process = 0;
    if (line.starts_with("Tgid:\t") &&
        std::from_chars(line.data() + 6, line.data() + line.size(), process).ec == std::errc())
      return process;
  }
  return 0;
}

// In a list, as pidof prints it, some may have ended since.
void find_processes(std::vector<std::uint32_t>& pids) {
  std::vector<std::uint32_t> found;
  for (const auto pid : pids) {
    const std::uint32_t process = process_of(pid);
    if (process != 0)
      found.push_back(process);
    else if (pids.size() > 1)
      warn("there is no process " + std::to_string(pid) + ": the others are recorded");
  }
  if (found.empty() && !pids.empty())
    throw std::runtime_error("there is no process " + std::to_string(pids.front()) + ". `pgrep -a NAME` finds it.");
  pids = std::move(found);
}

// What the user called processes.
std::map<std::uint32_t, std::string> names_of(const Options& options, std::uint32_t command_pid) {
  std::map<std::uint32_t, std::string> names;
  for (const auto& [given, name] : options.names) {
    const auto& pids = options.probes.selection.pids;
    const std::uint32_t pid = given != 0         ? process_of(given)
                              : command_pid != 0 ? command_pid
                              : pids.empty()     ? 0
                                                 : pids.front();
    if (pid == 0) throw std::runtime_error("there is no process " + std::to_string(given) + " for --name");
    names[pid] = name;
  }
  return names;
}

std::string random_id() {
  std::random_device device;
  std::string id;
  for (int i = 0; i < 4; i++) {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08x", device());
    id += digits;
  }
  return id;
}

formats::Preamble preamble(const Options& options, const Probes& probes) {
  formats::Preamble p;
  p.capture_id = random_id();
  p.tool_version = TAILCAP_VERSION;
  p.command_line = options.keep.arguments ? options.command_line : mask::own_command_line(options.command_line);
  p.host = host_name();
  p.kernel = kernel_release();
  p.architecture = machine();
  p.boot_id = boot_id();
  p.cpus = static_cast<std::uint32_t>(sysconf(_SC_NPROCESSORS_ONLN));
  p.redaction = options.keep.everything      ? formats::Redaction::payload_raw
                : options.keep.header_values ? formats::Redaction::header_values
                                             : formats::Redaction::allow_list;
  p.payload_limit = options.probes.payload_limit;
  p.ring_bytes = options.probes.ring_bytes;
  p.targets = options.probes.selection.names();
  p.notes = options.notes;
  for (const auto& [number, name] : disk_names()) p.notes.emplace_back("tailcap.device." + number, name);
  if (const auto model = cpu_model(); !model.empty()) p.notes.emplace_back("tailcap.cpu.model", model);
  if (const auto governor = cpu_governor(); !governor.empty()) p.notes.emplace_back("tailcap.cpu.governor", governor);
  p.replace_note(kSamplingNote, show(options.probes.connections));
  if (options.budget > 0) p.notes.emplace_back(budget::kBudgetNote, budget::show_ppm(options.budget));
  if (options.probes.tls_keys)
    p.notes.emplace_back("tailcap.tls", options.probes.tls_auto ? "auto" : "OpenSSL 3 by keys");
  probes.describe(p);
  const auto clocks = read_clocks();
  p.started = clocks.time;
  p.started_realtime = clocks.snapshot.realtime;
  return p;
}

void refuse_existing(const Options& options) {
  if (options.destination.to_stream()) return;
  if (!options.destination.force && std::filesystem::exists(options.destination.output))
    throw std::runtime_error("'" + options.destination.output +
                             "' exists. Choose another name with -o, or --force to overwrite it.");
}

// Decides when to stop so that the finished file does not exceed the requested size: the data still to be written is
// estimated by the largest step seen, and the footer's index grows with the blocks.
class SizeLimit {
 public:
  explicit SizeLimit(std::uint64_t most) : most_(most) {}
  bool reached(const formats::WriterTotals& totals) {
    step_ = std::max(step_, totals.file_bytes - last_);
    last_ = totals.file_bytes;
    return totals.file_bytes + 4 * step_ + kFooter + 64 * totals.blocks >= most_;
  }

 private:
  static constexpr std::uint64_t kFooter = 8192;
  std::uint64_t most_, last_ = 0, step_ = 0;
};

// Empties the rings. Records produced meanwhile wait for the next call, so that other work gets its turn.
void drain(Rings& rings, Session& session, bool all) {
  rings.begin(monotonic_now(), all);
  for (auto record = rings.next(); !record.empty(); record = rings.next()) session.take(record);
  rings.release();
}

// Recording continues without control commands if this fails.
void listen_beside(std::optional<Control>& control, const std::string& output) {
  try {
    control.emplace(output);
  } catch (const std::exception& e) {
    warn(std::string(e.what()) + ". It records, but `tailcap control` cannot reach it.");
  }
}

// Existing processes that are not selected by their numbers.
std::vector<std::uint32_t> chosen_by_name(const Selection& selection) {
  std::vector<std::uint32_t> chosen;
  if (!selection.cgroup.empty()) {
    SystemLines members(selection.cgroup + "/cgroup.procs");
    for (std::string_view line; members.next(line);)
      chosen.push_back(static_cast<std::uint32_t>(std::atoi(std::string(line).c_str())));
  }
  if (selection.comms.empty() && !selection.all) return chosen;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const int pid = std::atoi(entry->path().filename().c_str());
    if (pid <= 0) continue;
    std::string comm = read_system_file(entry->path().string() + "/comm", 64);
    if (comm.ends_with('\n')) comm.pop_back();
    const bool named = std::any_of(selection.comms.begin(), selection.comms.end(),
                                   [&](const std::string& name) { return name.substr(0, COMM_SIZE - 1) == comm; });
    if (named || selection.all) chosen.push_back(static_cast<std::uint32_t>(pid));
  }
  return chosen;
}

// Files known before the recording begins are examined first, while nothing waits in the ring.
// The wait is limited: a file may never answer.
void look_first(Finder& finder, const Selection& selection) {
  finder.examine_system();  // before files of targets, which may keep it waiting
  for (const auto pid : selection.pids) finder.examine(pid);
  for (const auto pid : chosen_by_name(selection)) finder.examine_again(pid);
  if (!selection.command.empty()) finder.examine_command(selection.command.front());
  finder.wait(kLookFirst);
}

[[noreturn]] void nobody_to_record(const Selection& selection, const std::string& partial,
                                   std::optional<FolderKeeper>& keeper) {
  // The file has no content.
  if (keeper) {
    keeper->remove_partial();
    keeper->remove_control();
  } else {
    (void)unlink(partial.c_str());
  }
  std::string who;
  for (const auto pid : selection.pids) who += (who.empty() ? "" : ", ") + std::to_string(pid);
  throw std::runtime_error("no process to record: " + (who.empty() ? "the command" : "process " + who) +
                           " has ended, is a thread of the kernel, or is not listed by it. No file was written.");
}

// Users see a line; scripts that passed a descriptor read one.
void announce(const Selection& selection, std::uint32_t command_pid, const std::string& name, int ready_fd) {
  std::fprintf(stderr, "recording %s into %s; Ctrl-C ends it\n", describe(selection, command_pid).c_str(),
               name.c_str());
  if (ready_fd < 0) return;
  (void)!write(ready_fd, "ready\n", 6);
  close(ready_fd);
}

}  // namespace

Outcome record(const Options& given) {
  Options options = given;
  auto& selection = options.probes.selection;
  refuse_existing(options);
  require_initial_pid_namespace();
  find_processes(selection.pids);

  // Forked before there is anything that the processes that read files should not have.
  const scan::Processes processes;
  std::optional<budget::StatisticsSwitch> statistics;
  if (options.budget > 0) statistics.emplace();
  options.probes.own_processes = {processes.pids()[0], processes.pids()[1], statistics ? statistics->pid() : 0};
  if (selection.named() || !selection.comms.empty()) {
    const auto all = targets::running(processes);
    for (const auto& doubt : targets::doubts_of_names(selection, all)) warn(doubt);
    targets::choose(selection, all, unified_mount());
  }
  Signals signals;
  if (options.ready_fd >= 0) fcntl(options.ready_fd, F_SETFD, FD_CLOEXEC);
  std::optional<Child> child;
  if (!selection.command.empty())
    child.emplace(selection.command, options.user.empty() ? std::nullopt : std::optional(find_account(options.user)),
                  options.destination.to_stream());
  std::optional<FolderKeeper> keeper;  // outlives the control socket and the writer
  if (!options.destination.to_stream() && FolderKeeper::needed_for(options.destination.output)) {
    if (options.destination.in_memory() || options.destination.rotate > 0)
      throw std::runtime_error("the folder of '" + options.destination.output +
                               "' belongs to another user: --last and --rotate need one that you own");
    keeper.emplace(options.destination.output);
  }

  const ProvenProbes proven = proven_probes(options.probes);
  Probes& probes = *proven.probes;
  for (const auto& sentence : proven.sentences) warn(sentence);
  options.probes = probes.settings();
  if (child) probes.add_target(child->pid());
  std::optional<Destination> begun;
  {
    const Signals::Deferred deferred;
    begun.emplace(options.destination, preamble(options, probes));
    signals.remove_if_interrupted(begun->partial_file());
  }
  Destination& destination = *begun;
  formats::Writer& writer = destination.writer();
  if (keeper) writer.let_name([&](bool replace) { return keeper->give_name(replace); });
  Rings rings(probes.first_ring(), probes.rings_map(), probes.ring_count(), probes.ring_bytes());
  std::optional<Finder> finder;
  const Finder::Interests interests{options.probes.has(Group::tls) && selection.processes(),
                                    options.probes.tls_keys,
                                    options.probes.tls_auto,
                                    options.probes.has(Group::go),
                                    options.probes.deep,
                                    options.probes.has(Group::allocations),
                                    options.budget > 0,
                                    options.no_probe};
  if (interests.tls || interests.go) look_first(finder.emplace(probes, processes, interests), selection);
  std::optional<stacks::Samples> samples;
  if (options.probes.takes_stacks()) {
    std::ifstream symbols("/proc/kallsyms");
    samples.emplace(stacks::KernelNames(symbols), processes);
  }
  Session session(probes, writer, processes, options.keep, names_of(options, child ? child->pid() : 0),
                  finder ? &*finder : nullptr, samples ? &*samples : nullptr, destination.drops_beginning());
  probes.attach();
  std::optional<Control> control;
  if (!options.destination.to_stream()) listen_beside(control, options.destination.output);
  signals.recording();
  if (options.probes.tls_keys && !decrypt::Decryptor::lock_memory())
    warn("memory cannot be locked: keys of TLS could be written to a swap device");
  if (destination.in_memory()) signals.take_snapshots();
  give_up_privileges(!options.user.empty());
  // With a pack, another program follows in this process.
  if (options.pack.empty() && !filter_calls(child ? child->pid() : 0))
    warn("this kernel cannot filter system calls: the recorder runs without that protection");
  probes.mark_targets();
  // Asked before the keyframe: a process that ends after it was recorded.
  const bool ended = !child && std::none_of(selection.pids.begin(), selection.pids.end(), process_exists);
  const Time start = monotonic_now();
  session.keyframe(start);
  if (options.probes.has(Group::stalls)) session.note(start, formats::kFullSendsNote, "1");
  if (selection.closed() && (ended || !session.met_anybody()))
    nobody_to_record(selection, destination.partial_file(), keeper);

  const Descriptor epoll(epoll_create1(EPOLL_CLOEXEC), "cannot wait for events");
  const auto watch = [&](int descriptor, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, descriptor, &event) != 0)
      throw std::system_error(errno, std::generic_category(), "cannot wait for events");
  };
  // Edge-triggered: a ring that contains anything always counts as readable; only the kernel's wake-ups matter here.
  for (const int ring : rings.descriptors()) watch(ring, EPOLLIN | EPOLLET);
  ClockWatch clock;
  watch(clock.descriptor(), EPOLLIN);
  watch(signals.descriptor(), EPOLLIN);
  if (control) watch(control->descriptor(), EPOLLIN);
  if (child) {
    if (child->descriptor() >= 0) watch(child->descriptor(), EPOLLIN);
    child->release();
  }
  announce(selection, child ? child->pid() : 0, options.destination.name(), options.ready_fd);

  std::optional<budget::Share> share;
  std::optional<budget::Budget> budget;
  std::optional<budget::PolicyShare> policy;
  if (options.probes.connections.varies) {
    share.emplace(
        probes, destination,
        budget::Share::Recording{
            [&] { drain(rings, session, true); }, [&](Time at) { session.keyframe_again(at); },
            [&](Time at, const std::string& key, const std::string& value) { session.note(at, key, value); }});
    if (statistics)
      budget.emplace(
          options.budget, probes, *statistics, *share,
          [&](bool on) {
            if (finder) finder->rest(!on);
          },
          start);
    policy.emplace(*share, budget ? &*budget : nullptr);
  }

  StatusLine status;
  SizeLimit size_limit(options.max_size);
  Outcome outcome;
  Commands commands(session, probes, options.probes, destination, budget ? &*budget : nullptr,
                    policy ? &*policy : nullptr, start);
  Duration description_pause = kKeyframePause;
  Time next_tick = start + kTick, next_status = start + kStatusEvery, last_keyframe = start;
  Time now = start;
  while (outcome.reason.empty()) {
    epoll_event happened[4];
    const int ready = epoll_wait(epoll.get(), happened, 4, kPollMs);
    if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "cannot wait for events");
    drain(rings, session, false);
    // Only when there is a command: checking on every iteration cost the targets measurable time (bench/RESULTS.md).
    // And after the rings were read: what a snapshot is to show may have waited there.
    for (int i = 0; i < ready; i++) {
      if (control && happened[i].data.fd == control->descriptor()) commands.obey(*control);
      if (happened[i].data.fd == clock.descriptor() && clock.was_set()) session.note_clocks();
    }
    if (signals.snapshot_asked()) commands.snapshot_by_signal();
    now = monotonic_now();
    if (now >= next_tick) {
      next_tick = now + kTick;
      session.tick(now);
      if (options.max_size && size_limit.reached(writer.totals())) outcome.reason = "--max-size";
    }
    writer.tick(now);
    if (budget) budget->turn(now);
    if (now >= next_status) {
      next_status = now + kStatusEvery;
      session.count_skipped_runs(now);
      status.show(now - start, session.tally(), writer.totals().file_bytes);
      if (selection.closed() && !child && !session.any_process_left())
        outcome.reason = "the end of all recorded processes";
    }
    const Duration since_keyframe = now - last_keyframe;
    if (since_keyframe >= destination.keyframe_every() ||
        (since_keyframe >= kKeyframePause && destination.wants_keyframe()) ||
        (since_keyframe >= description_pause && session.misses_description())) {
      // What a keyframe does not describe, either, is not asked for at every turn.
      description_pause =
          session.misses_description() ? std::min(2 * description_pause, destination.keyframe_every()) : kKeyframePause;
      last_keyframe = now;
      session.keyframe_again(now);
    }
    if (commands.stop_asked()) outcome.reason = "tailcap stop";
    if (const int signal = signals.taken()) outcome.reason = name_of_signal(signal);
    if (child && child->exited()) outcome.reason = "the command's exit";
    if (options.duration && now - start >= *options.duration) outcome.reason = "--duration";
  }
  status.clear();
  control.reset();  // before the file gets its name: the next recorder may use it
  if (keeper) keeper->remove_control();

  session.tick(monotonic_now());
  if (finder) finder->stop();
  probes.detach();
  while (rings.pending() > 0) {
    const auto before = rings.pending();
    drain(rings, session, true);
    if (rings.pending() == before) break;  // a record that its producer never completed
  }
  session.closing_facts();
  now = monotonic_now();
  destination.finish(now);
  outcome.tally = session.tally();
  outcome.anybody = session.met_anybody();
  outcome.file_bytes = writer.totals().file_bytes;
  outcome.tally.lost = std::max(outcome.tally.lost, writer.totals().lost);
  outcome.elapsed = now - start;
  if (child) {
    outcome.command_ran = child->exited();
    if (!outcome.command_ran) child->end();
    outcome.command_status = child->status();
  }
  return outcome;
}

}  // namespace tailcap::capture
