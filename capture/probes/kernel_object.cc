#include "capture/probes/kernel_object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <system_error>

#include "bpf/event.h"
#include "bpf/tailcap.skel.h"
#if defined(__x86_64__)
#include "bpf/tailcap_older.skel.h"
#endif
#include "capture/probes/program_choice.h"
#include "capture/probes/refusal.h"
#include "capture/probes/twins.h"
#include "capture/scan/function_places.h"

namespace tailcap::capture {

using formats::HookTier;
using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

namespace {

constexpr std::string_view kCallHook = "tracepoint/";
constexpr std::size_t kLogBytes = 1u << 20;  // the verifier's words on one program

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

// For tests. A program of another type may not call what this one calls.
void spoil(bpf_program* program, Spoil how) {
  if (how == Spoil::refused) bpf_program__set_type(program, BPF_PROG_TYPE_SOCKET_FILTER);
  if (how == Spoil::idle) bpf_program__set_autoload(program, false);
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

// The programs that read these take the arguments as newer kernels pass them.
bool suits(std::string_view program, const KernelTypes& types) {
  if (program == "stall_io_queued" || program == "stall_io_done" || program == "stall_request_done")
    return types.tracepoint_arguments("block_bio_queue") == 1;
  return true;
}

// How many entries a map that forgets the oldest surely keeps: before Linux 6.16 each CPU may set 128 free ones aside.
std::uint32_t entries_kept(const bpf_map* map) {
  constexpr std::uint32_t kSetAside = 128;
  const std::uint32_t entries = bpf_map__max_entries(map);
  const std::uint64_t aside =
      std::uint64_t{kSetAside} * static_cast<std::uint32_t>(std::max(libbpf_num_possible_cpus(), 1));
  return aside >= entries ? 0 : std::min(entries / 2, static_cast<std::uint32_t>(entries - aside));
}

}  // namespace

std::string hook_of(const bpf_program* program) {
  const std::string_view section = bpf_program__section_name(program);
  return std::string(section.starts_with("tp_btf/") ? section.substr(7) : section);
}

bool is_callable(std::string_view hook) { return hook == kCallableHook || hook == kOlderCallableHook; }

bool cleans(std::string_view program) { return program == "task_freed" || program == "socket_freed"; }

void LinkClose::operator()(bpf_link* link) const { bpf_link__destroy(link); }

void SkeletonClose::operator()(tailcap_bpf* opened) const { tailcap_bpf__destroy(opened); }

KernelObject::KernelObject(const ProbeSettings& asked, const KernelTypes& types) {
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  libbpf_set_print(keep_words);
  programs = asked.older ? ProgramSet::older : program_set(types);
  if (programs == ProgramSet::none)
    throw std::runtime_error("this kernel is " + kernel_release() + "; tailcap needs " + kOldestKernelName +
                             " or later");
  tier = choose_tier(asked.tier, types);
  if (!asked.tier_reason.empty()) tier.reason = asked.tier_reason;
  if (tier.tier == HookTier::unknown)
    throw std::runtime_error("recording is impossible here: " + tier.reason + ". `tailcap doctor` says more.");
  if (asked.has(Group::files) && !has_trace_event("syscalls"))
    throw std::runtime_error(
        "the group files needs the kernel's tracing file system with the events of its system calls "
        "(CONFIG_FTRACE_SYSCALLS). `mount -t tracefs tracefs /sys/kernel/tracing` mounts it.");
  settings = asked;
  drop_reasons = types.drop_reasons();
  if (programs == ProgramSet::older)
    leave_out_for_older();
  else if (!types.trusts_sockets_of_files())
    settings.lists_by_address = true;
  // Its interrupt is what tells a stack as a wait ends; arm64 has none. All stacks instead would cost more than was
  // asked for.
  if (settings.has(Group::stacks) && !settings.all_waits && !types.has_tracepoint("irq_work_entry")) {
    std::erase(settings.groups, Group::stacks);
    not_recorded.push_back(
        "waits have no stacks: this kernel has no irq_work_entry tracepoint, by which they are taken as waits end; "
        "--stacks takes them as waits begin");
  }
  load_what_can_be(types);
  begin_cleaning();
}

// What is at an address may be something else as soon as the kernel has freed it.
void KernelObject::begin_cleaning() {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj) {
    if (!cleans(bpf_program__name(program)) || !bpf_program__autoload(program)) continue;
    cleaning_.emplace_back(bpf_program__attach(program));
    if (!cleaning_.back())
      throw std::system_error(errno, std::generic_category(), "cannot attach to tracepoint " + hook_of(program));
  }
}

// What those programs cannot do is not asked of them.
void KernelObject::leave_out_for_older() {
  if (settings.connections.some())
    throw std::runtime_error(
        "a part of the connections, and a budget, need a kernel with the helpers of Linux 6.1; this one records all of "
        "them");
  std::string missing;
  const auto lacks = [&](const char* what) { missing += (missing.empty() ? "" : ", ") + std::string(what); };
  const auto without = [&](Group group, const char* what) {
    if (std::erase(settings.groups, group)) lacks(what);
  };
  without(Group::tls, "the plaintext of TLS");
  without(Group::go, "goroutines and handlers of Go");
  without(Group::allocations, "allocations");
  settings.tls_keys = settings.tls_auto = settings.deep = false;
  if (settings.has(Group::stacks) && !settings.all_waits) {
    without(Group::stacks, "stacks of waits (--stacks takes them as waits begin)");
  }
  if (settings.takes_stacks() && !settings.node) lacks("frames of scripts and of code without frame pointers");
  if (!missing.empty())
    not_recorded.push_back("this kernel lacks helpers of Linux 6.1 for kernel programs. Not recorded: " + missing);
}

void KernelObject::open() {
  skeleton.reset(static_cast<tailcap_bpf*>(std::calloc(1, sizeof(tailcap_bpf))));
  int error = skeleton ? tailcap_bpf__create_skeleton(skeleton.get()) : -ENOMEM;
#if defined(__x86_64__)
  // The same programs, maps and variables, compiled in another way, and some more maps and programs.
  if (!error && programs == ProgramSet::older)
    skeleton->skeleton->data = tailcap_older_bpf__elf_bytes(&skeleton->skeleton->data_sz);
  using Older = tailcap_older_bpf;
  static_assert(sizeof(Older::tailcap_older_bpf__rodata) == sizeof(tailcap_bpf::tailcap_bpf__rodata) &&
                sizeof(Older::tailcap_older_bpf__bss) == sizeof(tailcap_bpf::tailcap_bpf__bss));
#endif
  if (!error) error = bpf_object__open_skeleton(skeleton->skeleton, nullptr);
  if (error) throw std::runtime_error("cannot open the kernel programs in this binary: " + last_words);
}

bool KernelObject::is_skipped(std::string_view program) const {
  return std::any_of(settings.spoiled.begin(), settings.spoiled.end(),
                     [&](const auto& one) { return one.first == program && one.second == Spoil::skipped; });
}

const char* KernelObject::sha256() const {
#if defined(__x86_64__)
  if (programs == ProgramSet::older) return TAILCAP_OLDER_OBJECT_SHA256;
#endif
  return TAILCAP_OBJECT_SHA256;
}

void KernelObject::configure(const KernelTypes& types) {
  auto& constants = *skeleton->rodata;
  const auto& selection = settings.selection;
  constants.self_tgid = static_cast<std::uint32_t>(getpid());
  std::copy(settings.own_processes.begin(), settings.own_processes.end(), constants.own_tgids);
  constants.payload_limit = settings.payload_limit;
  rings = ring_sizes(settings.rings, settings.ring_bytes);
  bpf_map__set_max_entries(skeleton->maps.ring, static_cast<std::uint32_t>(rings.bytes));
  constants.ring_mask = rings.count - 1;
  constants.ring_spills = rings.spill_bytes > 0;
  if (rings.spill_bytes) bpf_map__set_max_entries(skeleton->maps.spill, static_cast<std::uint32_t>(rings.spill_bytes));
  // Wake the reader at 1 MiB, or at half of a smaller ring.
  constants.ring_wake = std::min<std::uint64_t>(1u << 20, rings.bytes / 2);
  constants.target_all = selection.all;
  constants.target_comms_used = !selection.comms.empty();
  skeleton->bss->target_cgroup = selection.cgroup.empty() ? 0 : cgroup_id(selection.cgroup);
  assert(selection.ports.size() <= PORTS_MAX);
  constants.port_count = static_cast<std::uint32_t>(selection.ports.size());
  std::copy(selection.ports.begin(), selection.ports.end(), constants.ports);
  constants.tell_stalls = settings.has(Group::stalls);
  constants.tell_held = settings.has(Group::stalls) && settings.has(Group::arrivals);
  constants.slow_file = settings.has(Group::files) && settings.has(Group::offcpu)
                            ? static_cast<std::uint64_t>(std::max<std::int64_t>(settings.slow_file.count(), 1))
                            : 0;
  constants.slow_io = static_cast<std::uint64_t>(settings.slow_io.count());
  // No memory for what is not asked for: the kernel takes it, and writes to all of it, before the first event.
  if (tier.tier != HookTier::c) bpf_map__set_max_entries(skeleton->maps.sockets_by_address, 1);
  if (!constants.slow_file) bpf_map__set_max_entries(skeleton->maps.slow_files, 1);
  if (!settings.node) bpf_map__set_max_entries(skeleton->maps.begun_ios, 1);
  if (!settings.lists_by_address) {
    bpf_map__set_max_entries(skeleton->maps.noted_sockets, 1);
    bpf_map__set_max_entries(skeleton->maps.noted_namespaces, 1);
  }
  // All CPUs or none: of a part of them the account would be wrong.
  const auto cpus = static_cast<std::uint32_t>(std::max(libbpf_num_possible_cpus(), 1));
  if (settings.has(Group::offcpu) && cpus <= CPU_TABLES_MAX) bpf_map__set_max_entries(skeleton->maps.cpu_tables, cpus);
  if (settings.connections.some()) {
    constants.sampling_varies = settings.connections.varies;
    // The number of all connections has 33 bits; then the constant is 0.
    constants.sampling_limit =
        settings.connections.varies ? 1 : static_cast<std::uint32_t>(bpf::sampling_limit_for(settings.connections.of));
    skeleton->bss->sampling_below = bpf::sampling_limit_for(settings.connections.of);
    constants.sampling_seed = settings.connections.seed;
    constants.sampling_tls = settings.has(Group::tls) && settings.has(Group::io);
  }
  constants.tls_by_keys = settings.has(Group::tls) && settings.tls_keys;
  constants.tls_auto = constants.tls_by_keys && settings.tls_auto;
  if (!constants.tls_auto) {
    bpf_map__set_max_entries(skeleton->maps.tls_to_probes, 1);
    bpf_map__set_max_entries(skeleton->maps.go_shaking, 1);
  }
  if (!constants.tls_by_keys) bpf_map__set_max_entries(skeleton->maps.tls_heads, 1);
  constants.stacks_chosen = settings.has(Group::stacks);
  skeleton->bss->take_stacks = settings.stacks_at_once;
  constants.long_wait = settings.all_waits ? 0 : static_cast<std::uint64_t>(settings.long_wait.count());
  // Memory that is only taken where it is used.
  if (!settings.has(Group::stacks) || !settings.all_waits) bpf_map__set_max_entries(skeleton->maps.left_stacks, 1);
  if (!settings.takes_stacks()) {
    bpf_map__set_max_entries(skeleton->maps.unwind_parts, 1);
    bpf_map__set_max_entries(skeleton->maps.unwind_processes, 1);
    bpf_map__set_max_entries(skeleton->maps.script_processes, 1);
    bpf_map__set_max_entries(skeleton->maps.script_codes, 1);
  }
  if (!settings.has(Group::allocations)) {
    bpf_map__set_max_entries(skeleton->maps.go_allocated, 1);
    bpf_map__set_max_entries(skeleton->maps.malloc_allocated, 1);
  }
  for (const auto& [name, entries] : settings.map_entries)
    bpf_map__set_max_entries(bpf_object__find_map_by_name(skeleton->obj, name.c_str()), entries);
  constants.sessions_kept = entries_kept(skeleton->maps.tls_sessions);
  constants.addresses_kept = entries_kept(skeleton->maps.sockets_by_address);
  constants.oom_tells_task = types.tracepoint_arguments("mark_victim") >= 2;
  constants.drop_reasons_from = drop_reasons.empty() ? 0 : drop_reasons.begin()->first;
  for (const auto& [number, name] : drop_reasons)
    if (name == "QUEUE_PURGE") constants.drop_reason_closing = number;
  constants.preempt_count_at = types.preempt_count_from_queue();
  constants.counts_disabled_interrupts = types.counts_disabled_interrupts();
  constants.may_be_preempted = settings.preempted || types.preempts_programs();
  constants.switch_tells_state = types.tracepoint_arguments("sched_switch") >= 4;
}

void KernelObject::choose_programs(const KernelTypes& types) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj) {
    const std::string name = bpf_program__name(program);
    const std::string hook = hook_of(program);
    const bool exists =
        hook.starts_with("iter/") || hook == kFunctionHook || hook == kClockHook || is_callable(hook) ||
        (hook.starts_with(kCallHook) ? has_trace_event(hook.substr(kCallHook.size())) : types.has_tracepoint(hook));
    const bool known = program != skeleton->progs.packet_dropped || !drop_reasons.empty();
    bpf_program__set_autoload(program,
                              exists && known && wanted(name, settings, tier.tier) && suits(name, types) &&
                                  (!twins::is_for_preempted(*skeleton, program) || skeleton->rodata->may_be_preempted));
    for (const auto& [spoiled, how] : settings.spoiled) {
      if (name == spoiled) spoil(program, how);
    }
    if (hook == kFunctionHook && types.has_links_of_many_places())
      bpf_program__set_expected_attach_type(program, static_cast<bpf_attach_type>(kUprobeMulti));
    // Without a buffer of ours libbpf tries again with its own where the kernel refuses a program, and reports that.
    if (!settings.verifier_log && !settings.timings) continue;
    auto& buffer = logs[name];
    buffer.resize(settings.verifier_log ? kLogBytes : 65536);
    bpf_program__set_log_buf(program, buffer.data(), buffer.size());
    // Where a program is rejected libbpf loads it again for the log of that. A log of one that passes can be longer
    // than the buffer, for which kernels before 6.4 reject it.
    if (!settings.verifier_log) bpf_program__set_log_level(program, 4);
  }
}

// An errno; 0: all is loaded.
int KernelObject::load(const KernelTypes& types) {
  const auto start = Clock::now();
  last_words.clear();
  logs.clear();
  open();
  configure(types);
  choose_programs(types);
  open_time = since(start);
  const auto opened = Clock::now();
  const int error = -tailcap_bpf__load(skeleton.get());
  load_time = since(opened);
  if (!error) twins::lead(*skeleton);
  for (const auto& [name, buffer] : logs) {
    if (settings.verifier_log && buffer[0]) log += "== " + name + "\n" + buffer.data() + "\n";
  }
  return error;
}

// An object with a refused program cannot be loaded again: each time it is opened anew, without that program.
void KernelObject::load_what_can_be(const KernelTypes& types) {
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

}  // namespace tailcap::capture
