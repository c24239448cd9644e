#include "capture/record/recorder.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "capture/budget/budget.h"
#include "capture/budget/policy_share.h"
#include "capture/budget/share.h"
#include "capture/budget/statistics_switch.h"
#include "capture/control/control.h"
#include "capture/control/folder_keeper.h"
#include "capture/decrypt/decryptor.h"
#include "capture/host/clock_watch.h"
#include "capture/host/clocks.h"
#include "capture/host/courtesy.h"
#include "capture/host/descriptor.h"
#include "capture/host/kernel.h"
#include "capture/host/privileges.h"
#include "capture/host/system_file.h"
#include "capture/output/destination.h"
#include "capture/output/size_limit.h"
#include "capture/probes/finder.h"
#include "capture/probes/self_test.h"
#include "capture/record/call_filter.h"
#include "capture/record/child.h"
#include "capture/record/commands.h"
#include "capture/record/named_processes.h"
#include "capture/record/preamble.h"
#include "capture/record/session.h"
#include "capture/record/signals.h"
#include "capture/rings/rings.h"
#include "capture/scan/proc.h"
#include "capture/scan/processes.h"
#include "capture/targets/running.h"
#include "ground/recorder_notes.h"
#include "ground/scheduling.h"

namespace tailcap::capture {

using namespace std::chrono_literals;
using formats::Duration;
using formats::Time;

namespace {

// Where this part of one ring waits, the recorder puts off what can wait; where it does of all, it goes first.
constexpr std::uint64_t kPartFull = 8;
constexpr int kPollMs = 50;        // with kBlockAge: a killed recorder loses less than 250 ms
constexpr Duration kTick = 100ms;  // the resolution in time of losses
constexpr Duration kStatusEvery = 1s;
constexpr Duration kKeyframePause = 1s;               // between keyframes, however full a file is
constexpr std::chrono::milliseconds kLookFirst = 5s;  // at most; libraries of TLS take 0.1 s, a large program 2 s

void refuse_existing(const Options& options) {
  if (options.destination.to_stream()) return;
  if (!options.destination.force && std::filesystem::exists(options.destination.output))
    throw std::runtime_error("'" + options.destination.output +
                             "' exists. Choose another name with -o, or --force to overwrite it.");
}

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

// One recording: a member function for each of its phases, in this order. Members end in the reverse of the order in
// which they are declared: what is recorded by goes before what is recorded into, and that before its folder.
class Recording {
 public:
  explicit Recording(const Options& given) : options_(checked(given)) {
    if (options_.budget > 0) statistics_.emplace();
    options_.probes.own_processes = {processes_.pids()[0], processes_.pids()[1], statistics_ ? statistics_->pid() : 0};
  }

  Outcome run() {
    choose_targets();
    start_command();
    ground::become_batch_task();  // after the command was started, which is none
    load_probes();
    begin_file();
    begin_session();
    attach();
    restrict_rights();
    describe_beginning();
    wait_for_events();
    vary_sample();
    loop();
    stop();
    return result();
  }

 private:
  // What can be refused before anything is made.
  static Options checked(const Options& given) {
    Options options = given;
    refuse_existing(options);
    require_initial_pid_namespace();
    find_processes(options.probes.selection.pids);
    return options;
  }

  const Selection& selection() const { return options_.probes.selection; }
  std::uint32_t command_pid() const { return child_ ? child_->pid() : 0; }
  formats::Writer& writer() { return destination_->writer(); }
  Patience::Limits limits() const {
    const RingSizes sizes = probes_->rings().sizes;
    return {sizes.bytes / 2, (sizes.count * sizes.bytes + sizes.spill_bytes) / kPartFull};
  }

  void choose_targets() {
    Selection& selection = options_.probes.selection;
    if (!selection.named() && selection.comms.empty()) return;
    const auto all = targets::running(processes_);
    for (const auto& doubt : targets::doubts_of_names(selection, all)) warn(doubt);
    targets::choose(selection, all, unified_mount());
  }

  // The command waits until it is recorded.
  void start_command() {
    signals_.emplace();
    if (options_.ready_fd >= 0) fcntl(options_.ready_fd, F_SETFD, FD_CLOEXEC);
    if (!selection().command.empty())
      child_.emplace(selection().command,
                     options_.user.empty() ? std::nullopt : std::optional(find_account(options_.user)),
                     options_.destination.to_stream());
    if (options_.destination.to_stream() || !FolderKeeper::needed_for(options_.destination.output)) return;
    if (options_.destination.in_memory() || options_.destination.rotate > 0)
      throw std::runtime_error("the folder of '" + options_.destination.output +
                               "' belongs to another user: --last and --rotate need one that you own");
    keeper_.emplace(options_.destination.output);
  }

  void load_probes() {
    ProvenProbes proven = proven_probes(options_.probes);
    probes_ = std::move(proven.probes);
    for (const auto& sentence : proven.sentences) warn(sentence);
    options_.probes = probes_->settings();
    if (child_) probes_->add_target(child_->pid());
  }

  void begin_file() {
    {
      const Signals::Deferred deferred;
      destination_.emplace(options_.destination, preamble_of(options_, *probes_));
      signals_->remove_if_interrupted(destination_->partial_file());
    }
    if (keeper_) writer().let_name([&](bool replace) { return keeper_->give_name(replace); });
  }

  void begin_session() {
    rings_.emplace(probes_->rings());
    const Finder::Interests interests{options_.probes.has(Group::tls) && selection().processes(),
                                      options_.probes.tls_keys,
                                      options_.probes.tls_auto,
                                      options_.probes.has(Group::go),
                                      options_.probes.deep,
                                      options_.probes.has(Group::allocations),
                                      options_.budget > 0,
                                      options_.no_probe};
    if (interests.any()) look_first(finder_.emplace(*probes_, processes_, interests), selection());
    // Events come faster than they are read.
    const auto hurry = [this] { return rings_->held() > probes_->rings().sizes.bytes / kPartFull; };
    if (options_.probes.takes_stacks()) {
      std::ifstream symbols("/proc/kallsyms");
      samples_.emplace(stacks::KernelNames(symbols), processes_,
                       stacks::StackMaps{{probes_->unwind_parts_descriptor(), probes_->unwind_processes_descriptor()},
                                         probes_->script_processes_descriptor()},
                       hurry);
    }
    session_.emplace(*probes_, writer(), processes_, options_.keep, names_of(options_, command_pid()),
                     finder_ ? &*finder_ : nullptr, samples_ ? &*samples_ : nullptr, hurry,
                     destination_->drops_beginning());
  }

  void attach() {
    const std::size_t known = probes_->not_recorded().size();
    probes_->attach();
    for (std::size_t i = known; i < probes_->not_recorded().size(); ++i) warn(probes_->not_recorded()[i]);
    if (!options_.destination.to_stream()) listen_beside(control_, options_.destination.output);
    signals_->recording();
  }

  void restrict_rights() {
    if (options_.probes.tls_keys && !decrypt::Decryptor::lock_memory())
      warn("memory cannot be locked: keys of TLS could be written to a swap device");
    if (destination_->in_memory()) signals_->take_snapshots();
    courtesy_.emplace(
        gettid(), [this] { return rings_->held(); }, limits());
    probes_->mark_targets();
    session_->find_links();
    give_up_privileges(!options_.user.empty());
    // With a pack, another program follows in this process.
    if (options_.pack.empty() && !filter_calls(command_pid()))
      warn("this kernel cannot filter system calls: the recorder runs without that protection");
  }

  void describe_beginning() {
    // Asked before the keyframe: a process that ends after it was recorded.
    const bool ended = !child_ && std::none_of(selection().pids.begin(), selection().pids.end(), process_exists);
    start_ = monotonic_now();
    session_->keyframe(start_);
    if (options_.probes.has(Group::stalls)) session_->note(start_, formats::kFullSendsNote, "1");
    if (selection().closed() && (ended || !session_->met_anybody()))
      nobody_to_record(selection(), destination_->partial_file(), keeper_);
  }

  void watch(int descriptor, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    if (epoll_ctl(epoll_->get(), EPOLL_CTL_ADD, descriptor, &event) != 0)
      throw std::system_error(errno, std::generic_category(), "cannot wait for events");
  }

  void wait_for_events() {
    epoll_.emplace(epoll_create1(EPOLL_CLOEXEC), "cannot wait for events");
    // Edge-triggered: a ring that contains anything always counts as readable; only the kernel's wake-ups matter here.
    for (const int ring : rings_->descriptors()) watch(ring, EPOLLIN | EPOLLET);
    clock_.emplace();
    watch(clock_->descriptor(), EPOLLIN);
    watch(signals_->descriptor(), EPOLLIN);
    if (control_) watch(control_->descriptor(), EPOLLIN);
    if (child_) {
      if (child_->descriptor() >= 0) watch(child_->descriptor(), EPOLLIN);
      child_->release();
    }
    announce(selection(), command_pid(), options_.destination.name(), options_.ready_fd);
  }

  void vary_sample() {
    if (!options_.probes.connections.varies) return;
    share_.emplace(
        *probes_, *destination_,
        budget::Share::Recording{
            [&] { drain(*rings_, *session_, true); }, [&](Time at) { session_->keyframe_again(at); },
            [&](Time at, const std::string& key, const std::string& value) { session_->note(at, key, value); }});
    if (statistics_)
      budget_.emplace(
          options_.budget, *probes_, *statistics_, *share_,
          [&](bool on) {
            if (finder_) finder_->rest(!on);
          },
          start_);
    policy_.emplace(*share_, budget_ ? &*budget_ : nullptr);
  }

  void loop() {
    commands_.emplace(*session_, *probes_, options_.probes, *destination_, budget_ ? &*budget_ : nullptr,
                      policy_ ? &*policy_ : nullptr,
                      Reload(options_, *probes_, *session_, finder_ ? &*finder_ : nullptr, processes_), start_);
    next_tick_ = start_ + kTick;
    next_status_ = start_ + kStatusEvery;
    last_keyframe_ = start_;
    if (options_.budget == 0) courtesy_->begin();  // what it costs by itself would count against a budget
    while (outcome_.reason.empty()) {
      take_records();
      const Time now = monotonic_now();
      if (now >= next_tick_) tick(now);
      writer().tick(now);
      if (budget_) budget_->turn(now);
      if (now >= next_status_) show_status(now);
      describe_again(now);
      end_where_asked(now);
      courtesy_->turn();
    }
    courtesy_.reset();
    status_.clear();
  }

  void take_records() {
    epoll_event happened[4];
    const int ready = epoll_wait(epoll_->get(), happened, 4, kPollMs);
    if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "cannot wait for events");
    drain(*rings_, *session_, false);
    // Only when there is a command: checking on every iteration cost the targets measurable time (bench/RESULTS.md).
    // And after the rings were read: what a snapshot is to show may have waited there.
    for (int i = 0; i < ready; i++) {
      if (control_ && happened[i].data.fd == control_->descriptor()) commands_->obey(*control_);
      if (happened[i].data.fd == clock_->descriptor() && clock_->was_set()) session_->note_clocks();
    }
    if (signals_->snapshot_asked()) commands_->snapshot_by_signal();
  }

  void tick(Time now) {
    next_tick_ = now + kTick;
    session_->tick(now);
    if (options_.max_size && size_limit_.reached(writer().totals())) outcome_.reason = "--max-size";
  }

  void show_status(Time now) {
    next_status_ = now + kStatusEvery;
    session_->count_skipped_runs(now);
    status_.show(now - start_, session_->tally(), writer().totals().file_bytes);
    if (selection().closed() && !child_ && !session_->any_process_left())
      outcome_.reason = "the end of all recorded processes";
  }

  void describe_again(Time now) {
    const Duration since_keyframe = now - last_keyframe_;
    if (since_keyframe < destination_->keyframe_every() &&
        !(since_keyframe >= kKeyframePause && destination_->wants_keyframe()) &&
        !(since_keyframe >= description_pause_ && session_->misses_description()))
      return;
    // What a keyframe does not describe, either, is not asked for at every turn.
    description_pause_ = session_->misses_description()
                             ? std::min(2 * description_pause_, destination_->keyframe_every())
                             : kKeyframePause;
    last_keyframe_ = now;
    session_->keyframe_again(now);
  }

  void end_where_asked(Time now) {
    if (commands_->stop_asked()) outcome_.reason = "tailcap stop";
    if (const int signal = signals_->taken()) outcome_.reason = name_of_signal(signal);
    if (child_ && child_->exited()) outcome_.reason = "the command's exit";
    if (options_.duration && now - start_ >= *options_.duration) outcome_.reason = "--duration";
  }

  void stop() {
    control_.reset();  // before the file gets its name: the next recorder may use it
    if (keeper_) keeper_->remove_control();
    session_->tick(monotonic_now());
    if (finder_) finder_->stop();
    drain(*rings_, *session_, true);
    session_->stops();
    probes_->detach();
    while (rings_->pending() > 0) {
      const auto before = rings_->pending();
      drain(*rings_, *session_, true);
      if (rings_->pending() == before) break;  // a record that its producer never completed
    }
    session_->closing_facts();
    const Time now = monotonic_now();
    destination_->finish(now);
    outcome_.elapsed = now - start_;
    if (options_.pack.empty()) signals_->file_is_whole();
  }

  Outcome result() {
    outcome_.tally = session_->tally();
    outcome_.anybody = session_->met_anybody();
    outcome_.file_bytes = writer().totals().file_bytes;
    outcome_.tally.lost = std::max(outcome_.tally.lost, writer().totals().lost);
    if (child_) {
      outcome_.command_ran = child_->exited();
      if (!outcome_.command_ran) child_->end();
      outcome_.command_status = child_->status();
    }
    return std::move(outcome_);
  }

  Options options_;
  // Forked before there is anything that the processes that read files should not have.
  const scan::Processes processes_;
  std::optional<budget::StatisticsSwitch> statistics_;
  std::optional<Signals> signals_;
  std::optional<Child> child_;
  std::optional<FolderKeeper> keeper_;  // outlives the control socket and the writer
  std::unique_ptr<Probes> probes_;
  std::optional<Destination> destination_;
  std::optional<Rings> rings_;
  std::optional<Finder> finder_;
  std::optional<stacks::Samples> samples_;
  std::optional<Session> session_;
  std::optional<Control> control_;
  std::optional<Courtesy> courtesy_;
  std::optional<Descriptor> epoll_;
  std::optional<ClockWatch> clock_;
  std::optional<budget::Share> share_;
  std::optional<budget::Budget> budget_;
  std::optional<budget::PolicyShare> policy_;
  std::optional<Commands> commands_;
  StatusLine status_;
  SizeLimit size_limit_{options_.max_size};
  Time start_{}, next_tick_{}, next_status_{}, last_keyframe_{};
  Duration description_pause_ = kKeyframePause;
  Outcome outcome_;
};

}  // namespace

Outcome record(const Options& options) { return Recording(options).run(); }

}  // namespace tailcap::capture
