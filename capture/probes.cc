#include "capture/probes.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>
#include <system_error>

#include "bpf/event.h"
#include "bpf/tailcap.skel.h"
#include "capture/cpu_clock.h"
#include "capture/kernel.h"
#include "capture/program_choice.h"
#include "capture/refusal.h"
#include "capture/rings.h"

namespace tailcap::capture {

using formats::HookTier;
using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

namespace {

constexpr std::string_view kFunctionHook = "uprobe";
constexpr std::string_view kClockHook = "perf_event";
constexpr std::string_view kCallHook = "tracepoint/";
constexpr int kUprobeMulti = 48;             // BPF_TRACE_UPROBE_MULTI, newer than the headers we build with
constexpr std::size_t kLogBytes = 1u << 20;  // the verifier's words on one program

struct BtfClose {
  void operator()(btf* b) const { btf__free(b); }
};
struct SkeletonClose {
  void operator()(tailcap_bpf* s) const { tailcap_bpf__destroy(s); }
};
struct LinkClose {
  void operator()(bpf_link* l) const { bpf_link__destroy(l); }
};

// libbpf reports by printing. What it says is kept for the message of the exception that follows.
std::string last_words;
std::mutex last_words_guard;

int keep_words(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char* line = nullptr;  // may be a whole verifier log
  if (vasprintf(&line, format, arguments) < 0) return 0;
  const std::lock_guard lock(last_words_guard);
  last_words += line;
  std::free(line);
  if (last_words.size() > 8192) last_words.erase(0, last_words.size() - 8192);
  return 0;
}

microseconds since(Clock::time_point start) { return std::chrono::duration_cast<microseconds>(Clock::now() - start); }

std::string hook_of(const bpf_program* program) {
  const std::string_view section = bpf_program__section_name(program);
  return std::string(section.starts_with("tp_btf/") ? section.substr(7) : section);
}

// For tests. A program of another type may not call what this one calls.
void spoil(bpf_program* program, Spoil how) {
  if (how == Spoil::refused)
    bpf_program__set_type(program, BPF_PROG_TYPE_SOCKET_FILTER);
  else
    bpf_program__set_autoload(program, false);
}

std::uint64_t cgroup_id(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot find the cgroup '" + path + "'");
  if (!in_unified_hierarchy(path))
    throw std::runtime_error("'" + path + "' is not a directory of the unified cgroup hierarchy (cgroup2). " +
                             "`findmnt -t cgroup2` says where that is mounted; choose a directory below it.");
  return status.st_ino;  // the directory's inode number is the cgroup's id
}

// How many entries a map that forgets the oldest surely keeps: before Linux 6.16 each CPU may set 128 free ones aside.
std::uint32_t entries_kept(const bpf_map* map) {
  constexpr std::uint32_t kSetAside = 128;
  const std::uint32_t entries = bpf_map__max_entries(map);
  const std::uint64_t aside =
      std::uint64_t{kSetAside} * static_cast<std::uint32_t>(std::max(libbpf_num_possible_cpus(), 1));
  return aside >= entries ? 0 : std::min(entries / 2, static_cast<std::uint32_t>(entries - aside));
}

// Who has this key in the map of the chosen is recorded.
void choose(bpf_map* map, const void* key) {
  const std::uint8_t yes = 1;
  if (bpf_map_update_elem(bpf_map__fd(map), key, &yes, BPF_ANY) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot tell the kernel programs whom to record");
}

}  // namespace

bool ProbeSettings::has(Group group) const { return std::find(groups.begin(), groups.end(), group) != groups.end(); }

TierChoice choose_tier(HookTier wanted_tier) {
  const KernelTypes types;
  const bool a = types.has_tracepoint("sock_send_length") && types.has_tracepoint("sock_recv_length");
  const bool c = types.has_tracepoint("sys_exit");
  if (wanted_tier == HookTier::a && !a)
    return {HookTier::unknown,
            "tier a was asked for, but this kernel has no sock_send_length tracepoint (it came with 6.3)"};
  if (wanted_tier == HookTier::c)
    return c ? TierChoice{HookTier::c, "asked for by --tier c"}
             : TierChoice{HookTier::unknown, "tier c was asked for, but this kernel has no sys_exit tracepoint"};
  if (a) return {HookTier::a, "the kernel has sock_send_length and sock_recv_length"};
  if (c) return {HookTier::c, "no sock_send_length tracepoint (it came with 6.3), and tier b is not built yet"};
  return {HookTier::unknown, "the kernel has neither sock_send_length nor sys_exit tracepoints"};
}

struct Probes::Impl {
  std::unique_ptr<tailcap_bpf, SkeletonClose> skeleton;
  std::vector<std::unique_ptr<bpf_link, LinkClose>> links;  // tracepoints
  FunctionLinks function_links;
  CpuClock clock;
  std::map<std::string, microseconds> attach_times;
  std::map<std::string, std::vector<char>> logs;
  TierChoice tier;
  ProbeSettings settings;
  std::vector<std::string> not_recorded;
  std::string log;
  microseconds open_time{}, load_time{};
  std::uint64_t ring_bytes = 0;
  bool stacks_at_once = true;

  void configure(const KernelTypes& types);
  void choose_programs(const KernelTypes& types);
  int load(const KernelTypes& types);
  void load_what_can_be(const KernelTypes& types);
  std::vector<std::byte> iterate(bpf_program* program);
};

void Probes::Impl::configure(const KernelTypes& types) {
  auto& constants = *skeleton->rodata;
  const auto& selection = settings.selection;
  constants.self_tgid = static_cast<std::uint32_t>(getpid());
  std::copy(settings.own_processes.begin(), settings.own_processes.end(), constants.own_tgids);
  constants.payload_limit = settings.payload_limit;
  const std::uint32_t rings = rings_for(settings.rings, settings.ring_bytes);
  ring_bytes = settings.ring_bytes / rings;
  bpf_map__set_max_entries(skeleton->maps.ring, static_cast<std::uint32_t>(ring_bytes));
  constants.ring_mask = rings - 1;
  // Wake the reader at 1 MiB, or at half of a smaller ring.
  constants.ring_wake = std::min<std::uint64_t>(1u << 20, ring_bytes / 2);
  constants.target_all = selection.all;
  constants.target_comms_used = !selection.comms.empty();
  constants.target_cgroup = selection.cgroup.empty() ? 0 : cgroup_id(selection.cgroup);
  assert(selection.ports.size() <= PORTS_MAX);
  constants.port_count = static_cast<std::uint32_t>(selection.ports.size());
  std::copy(selection.ports.begin(), selection.ports.end(), constants.ports);
  constants.tell_stalls = settings.has(Group::stalls);
  constants.slow_file = settings.has(Group::files) && settings.has(Group::offcpu)
                            ? static_cast<std::uint64_t>(std::max<std::int64_t>(settings.slow_file.count(), 1))
                            : 0;
  constants.slow_io = static_cast<std::uint64_t>(settings.slow_io.count());
  // No memory for what is not asked for.
  if (!constants.slow_file) bpf_map__set_max_entries(skeleton->maps.slow_files, 1);
  if (!settings.node) bpf_map__set_max_entries(skeleton->maps.begun_ios, 1);
  constants.stacks_chosen = settings.has(Group::stacks);
  skeleton->bss->take_stacks = stacks_at_once = settings.stacks_at_once;
  // Memory that is only taken where it is used.
  if (!settings.has(Group::stacks)) bpf_map__set_max_entries(skeleton->maps.left_stacks, 1);
  if (!settings.has(Group::allocations)) bpf_map__set_max_entries(skeleton->maps.go_allocated, 1);
  for (const auto& [name, entries] : settings.map_entries)
    bpf_map__set_max_entries(bpf_object__find_map_by_name(skeleton->obj, name.c_str()), entries);
  constants.sessions_kept = entries_kept(skeleton->maps.tls_sessions);
  constants.addresses_kept = entries_kept(skeleton->maps.sockets_by_address);
  constants.oom_tells_task = types.tracepoint_arguments("mark_victim") >= 2;
  constants.switch_tells_state = types.tracepoint_arguments("sched_switch") >= 4;
}

void Probes::Impl::choose_programs(const KernelTypes& types) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj) {
    const std::string name = bpf_program__name(program);
    const std::string hook = hook_of(program);
    const bool exists =
        hook.starts_with("iter/") || hook == kFunctionHook || hook == kClockHook ||
        (hook.starts_with(kCallHook) ? has_trace_event(hook.substr(kCallHook.size())) : types.has_tracepoint(hook));
    bpf_program__set_autoload(program, exists && wanted(name, settings, tier.tier));
    for (const auto& [spoiled, how] : settings.spoiled) {
      if (name == spoiled) spoil(program, how);
    }
    if (hook == kFunctionHook && types.has_links_of_many_places())
      bpf_program__set_expected_attach_type(program, static_cast<bpf_attach_type>(kUprobeMulti));
    // Without a buffer of ours libbpf tries again with its own where a program is refused, and reports that.
    if (!settings.verifier_log && !settings.timings) continue;
    auto& buffer = logs[name];
    buffer.resize(settings.verifier_log ? kLogBytes : 65536);
    bpf_program__set_log_buf(program, buffer.data(), buffer.size());
    bpf_program__set_log_level(program, settings.verifier_log ? 1 | 4 : 4);
  }
}

// An errno; 0: all is loaded.
int Probes::Impl::load(const KernelTypes& types) {
  const auto start = Clock::now();
  last_words.clear();
  logs.clear();
  skeleton.reset(tailcap_bpf__open());
  if (!skeleton) throw std::runtime_error("cannot open the kernel programs in this binary: " + last_words);
  configure(types);
  choose_programs(types);
  open_time = since(start);
  const auto opened = Clock::now();
  const int error = -tailcap_bpf__load(skeleton.get());
  load_time = since(opened);
  for (const auto& [name, buffer] : logs) {
    if (settings.verifier_log && buffer[0]) log += "== " + name + "\n" + buffer.data() + "\n";
  }
  return error;
}

// An object whose program was refused cannot be loaded again: each time it is opened anew, without that program.
void Probes::Impl::load_what_can_be(const KernelTypes& types) {
  for (;;) {
    const int error = load(types);
    if (!error) return;
    if (error == EPERM)
      throw std::runtime_error(
          "the kernel refused to load the programs (" + std::string(std::strerror(error)) +
          "): run as root, or with CAP_BPF and CAP_PERFMON. `tailcap doctor` says what is missing.");
    const std::string program = refused_program(last_words);
    if (program.empty())
      throw std::runtime_error("the kernel refused to load the programs: " + std::string(std::strerror(error)) + "\n" +
                               last_words + log);
    not_recorded.push_back(do_without(program, error, tier.tier, settings));
    if (not_recorded.back().empty())
      throw std::runtime_error(nothing_without(program, error) + (log.empty() ? "." : ".\n" + log));
  }
}

Probes::Probes(const ProbeSettings& settings) : impl_(std::make_unique<Impl>()) {
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  libbpf_set_print(keep_words);
  if (kernel_is_too_old())
    throw std::runtime_error("this kernel is " + kernel_release() + "; tailcap needs " + kOldestKernelName +
                             " or later");
  impl_->tier = choose_tier(settings.tier);
  if (!settings.tier_reason.empty()) impl_->tier.reason = settings.tier_reason;
  if (impl_->tier.tier == HookTier::unknown)
    throw std::runtime_error("recording is impossible here: " + impl_->tier.reason + ". `tailcap doctor` says more.");
  if (settings.has(Group::files) && !has_trace_event("syscalls"))
    throw std::runtime_error(
        "the group files needs the kernel's tracing file system with the events of its system calls "
        "(CONFIG_FTRACE_SYSCALLS). `mount -t tracefs tracefs /sys/kernel/tracing` mounts it.");
  const KernelTypes types;
  impl_->settings = settings;
  impl_->load_what_can_be(types);
  const auto& programs = impl_->skeleton->progs;
  const auto loaded = [](const bpf_program* program) {
    return bpf_program__autoload(program) ? bpf_program__fd(program) : -1;
  };
  impl_->function_links.use(
      {loaded(programs.tls_enter), loaded(programs.tls_return), loaded(programs.tls_event), loaded(programs.go_enter),
       loaded(programs.tls_return), loaded(programs.go_event), loaded(programs.runtime_event),
       loaded(programs.channel_event), loaded(programs.allocation)},
      types.has_links_of_many_places());
  for (const auto pid : settings.selection.pids) add_target(pid);
  for (const auto& comm : settings.selection.comms) {
    char key[COMM_SIZE] = {};
    std::strncpy(key, comm.c_str(), sizeof key - 1);  // the kernel cuts names in the same place
    choose(impl_->skeleton->maps.target_comms, key);
  }
}

Probes::~Probes() = default;

void Probes::add_target(std::uint32_t pid) { choose(impl_->skeleton->maps.target_pids, &pid); }

void Probes::tell_go_file(std::uint16_t number, const go::Layout& layout) {
  static_assert(kGoFiles + 1 == GO_FILES_MAX);
  assert(number >= 1 && number <= kGoFiles);
  bpf::go_layout value{};
  value.slot = layout.slot;
  value.number = layout.number;
  value.thread = layout.thread;
  value.current = layout.current;
  value.c_code = layout.c_code;
  value.saved = layout.saved, value.saved_frame = layout.saved_frame;
  if (layout.parent > layout.number && layout.parent - layout.number <= 8 * GO_PARENT_MAX)
    value.parent = static_cast<std::uint8_t>((layout.parent - layout.number) / 8);
  const std::uint32_t key = number;
  if (bpf_map_update_elem(bpf_map__fd(impl_->skeleton->maps.go_files), &key, &value, BPF_ANY) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot tell the kernel programs of a Go program");
}

void Probes::tell_go_process(std::uint32_t pid, std::uint16_t file) {
  const bpf::go_process value{0, file, 0};
  // Refused where it is known, or the process is gone; then its goroutines stay unknown, which every event says.
  if (bpf_map_update_elem(bpf_map__fd(impl_->skeleton->maps.go_processes), &pid, &value, BPF_NOEXIST) == 0)
    std::atomic_ref(impl_->skeleton->bss->go_epoch).fetch_add(1);
}

std::uint64_t Probes::go_hits(std::uint16_t file, bool handlers) const {
  assert(file <= kGoFiles);
  auto& hits = impl_->skeleton->bss->go_hits[static_cast<std::size_t>(file) * GO_COUNTED + (handlers ? 1 : 0)];
  return std::atomic_ref(hits).load(std::memory_order_relaxed);
}

void Probes::make_target(int process) {
  const bpf_map* tasks = impl_->skeleton->maps.tasks;
  const std::vector<std::byte> state(bpf_map__value_size(tasks));
  if (bpf_map_update_elem(bpf_map__fd(tasks), &process, state.data(), BPF_NOEXIST) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot tell the kernel programs whom to record");
}

void Probes::attach() { attach({}); }

void Probes::attach(std::span<const std::string_view> names) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, impl_->skeleton->obj) {
    const std::string name = bpf_program__name(program);
    if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end()) continue;
    if (!bpf_program__autoload(program) || hook_of(program).starts_with("iter/") || hook_of(program) == kFunctionHook)
      continue;
    const auto start = Clock::now();
    if (hook_of(program) == kClockHook) {
      impl_->clock.start(bpf_program__fd(program), impl_->settings.sample_rate);
      if (!impl_->stacks_at_once) impl_->clock.run(false);
      impl_->attach_times[name] = since(start);
      continue;
    }
    bpf_link* link = bpf_program__attach(program);
    if (!link)
      throw std::system_error(errno, std::generic_category(),
                              "cannot attach " + name + " to tracepoint " + hook_of(program));
    impl_->links.emplace_back(link);
    impl_->attach_times[name] = since(start);
  }
}

std::string Probes::attach_functions(scan::TargetFiles& files, const scan::TargetFile& file,
                                     const std::vector<FunctionProbe>& places, std::uint32_t group, bool anew) {
  return impl_->function_links.attach(files, file, places, group, anew);
}

void Probes::detach_functions(std::uint32_t group) { impl_->function_links.detach(group); }
int Probes::unrecorded_descriptor() const { return bpf_map__fd(impl_->skeleton->maps.unrecorded); }
void Probes::avoid_calls() { impl_->function_links.avoid_calls(); }

std::uint64_t Probes::others_hits(std::uint32_t file) const {
  assert(file < OTHERS_FILES_MAX);
  return std::atomic_ref(impl_->skeleton->bss->others_hits[file]).load(std::memory_order_relaxed);
}

int Probes::allocations_descriptor() const { return bpf_map__fd(impl_->skeleton->maps.go_allocated); }

void Probes::switch_stacks(bool on) {
  std::atomic_ref(impl_->skeleton->bss->take_stacks).store(on);
  impl_->clock.run(on);
}

bool Probes::detaches_at_once() const { return impl_->function_links.many(); }

void Probes::detach_tracepoints() { impl_->links.clear(); }

void Probes::detach() {
  impl_->clock.stop();
  detach_tracepoints();
  impl_->function_links.detach();
}

std::vector<std::byte> Probes::Impl::iterate(bpf_program* program) {
  const std::unique_ptr<bpf_link, LinkClose> link(bpf_program__attach_iter(program, nullptr));
  const std::string name = bpf_program__name(program);
  if (!link) throw std::system_error(errno, std::generic_category(), "cannot attach the iterator " + name);
  const int descriptor = bpf_iter_create(bpf_link__fd(link.get()));
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "cannot start the iterator " + name);
  std::vector<std::byte> bytes;
  for (;;) {
    const std::size_t used = bytes.size();
    bytes.resize(used + 65536);
    const ssize_t got = read(descriptor, bytes.data() + used, 65536);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
      bytes.resize(used);
      continue;
    }
    bytes.resize(used + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got > 0) continue;
    const int error = errno;
    close(descriptor);
    if (got < 0) throw std::system_error(error, std::generic_category(), "cannot read the iterator " + name);
    return bytes;
  }
}

void Probes::mark_targets() {
  impl_->skeleton->bss->marking = true;
  impl_->iterate(impl_->skeleton->progs.list_tasks);
  impl_->skeleton->bss->marking = false;
}

std::vector<std::byte> Probes::list_tasks() { return impl_->iterate(impl_->skeleton->progs.list_tasks); }
std::vector<std::byte> Probes::list_sockets() { return impl_->iterate(impl_->skeleton->progs.list_sockets); }

int Probes::first_ring() const { return bpf_map__fd(impl_->skeleton->maps.ring); }
int Probes::rings_map() const { return bpf_map__fd(impl_->skeleton->maps.rings); }
std::uint32_t Probes::ring_count() const { return impl_->skeleton->rodata->ring_mask + 1; }
std::uint64_t Probes::ring_bytes() const { return impl_->ring_bytes; }
const TierChoice& Probes::tier() const { return impl_->tier; }
const ProbeSettings& Probes::settings() const { return impl_->settings; }
const std::vector<std::string>& Probes::not_recorded() const { return impl_->not_recorded; }
microseconds Probes::open_time() const { return impl_->open_time; }
microseconds Probes::load_time() const { return impl_->load_time; }
const std::string& Probes::verifier_log() const { return impl_->log; }

std::vector<KernelLoss> Probes::losses() const {
  std::vector<KernelLoss> losses;
  for (std::uint32_t i = 0; i < LOSS_COUNTERS; i++) {
    const auto count = std::atomic_ref(impl_->skeleton->bss->losses[i]).load(std::memory_order_relaxed);
    if (count) losses.push_back(KernelLoss{i / RECORD_KINDS, i % RECORD_KINDS, count});
  }
  return losses;
}

void Probes::describe(formats::Preamble& preamble) const {
  preamble.tier = tier().tier;
  preamble.tier_reason = tier().reason;
  std::string tags;
  for (const auto& program : programs()) {
    preamble.programs.push_back(program.name);
    tags += (tags.empty() ? "" : " ") + program.name + "=" + program.tag;
  }
  preamble.notes.emplace_back("tailcap.object.sha256", TAILCAP_OBJECT_SHA256);
  preamble.notes.emplace_back("tailcap.program.tags", tags);
  for (const auto& sentence : not_recorded()) preamble.notes.emplace_back("tailcap.refused", sentence);
}

void Probes::forget_losses() {
  for (auto& loss : impl_->skeleton->bss->losses) std::atomic_ref(loss).store(0, std::memory_order_relaxed);
}

std::vector<ProgramReport> Probes::programs() const {
  std::vector<ProgramReport> reports;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, impl_->skeleton->obj) {
    if (!bpf_program__autoload(program)) continue;
    ProgramReport report;
    report.name = bpf_program__name(program);
    report.hook = hook_of(program);
    bpf_prog_info info{};
    std::uint32_t size = sizeof info;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0) {
      char digits[3];
      for (auto byte : info.tag) {
        std::snprintf(digits, sizeof digits, "%02x", byte);
        report.tag += digits;
      }
      report.runs = info.run_cnt;
      report.time = std::chrono::nanoseconds(info.run_time_ns);
      report.missed = info.recursion_misses;
      report.instructions = info.verified_insns;
    }
    const auto log = impl_->logs.find(report.name);
    if (const char* text = log == impl_->logs.end() ? nullptr : std::strstr(log->second.data(), "verification time "))
      report.verification = microseconds(std::strtoul(text + 18, nullptr, 10));
    if (const auto found = impl_->attach_times.find(report.name); found != impl_->attach_times.end())
      report.attach = found->second;
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace tailcap::capture
