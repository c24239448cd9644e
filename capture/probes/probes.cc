#include "capture/probes/probes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <system_error>

#include "bpf/event.h"
#include "bpf/tailcap.skel.h"
#include "capture/host/cpu_clock.h"
#include "capture/host/kernel.h"
#include "capture/iterators/iterator.h"
#include "capture/iterators/sockets.h"
#include "capture/iterators/untarget.h"
#include "capture/probes/cpu_tables.h"
#include "capture/probes/kernel_object.h"
#include "capture/probes/twins.h"

namespace tailcap::capture {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

namespace {

// Adds the key to the map of selected targets.
void choose(bpf_map* map, const void* key) {
  const std::uint8_t yes = 1;
  if (bpf_map_update_elem(bpf_map__fd(map), key, &yes, BPF_ANY) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot pass the targets to the kernel programs");
}

}  // namespace

bool ProbeSettings::has(Group group) const { return std::find(groups.begin(), groups.end(), group) != groups.end(); }

struct Probes::Impl {
  Impl(const ProbeSettings& settings, const KernelTypes& types) : object(settings, types) {}

  KernelObject object;
  std::vector<std::pair<bpf_program*, std::unique_ptr<bpf_link, LinkClose>>> links;  // tracepoints
  bool waits_paused = false;
  FunctionLinks function_links;
  CpuClock clock;
  iterators::Sockets sockets;
  iterators::Untarget untarget;
  CpuTables cpu_tables;
  std::map<std::string, microseconds> attach_times;

  void mark_tested(std::uint32_t pid);
  bool attach_again(std::initializer_list<bpf_program*> programs, bool on);
  bool records_waits(const bpf_program* program) const {
    return program == object.skeleton->progs.switch_task || program == object.skeleton->progs.wake_up;
  }
};

Probes::Probes(const ProbeSettings& settings) {
  const KernelTypes types;
  impl_ = std::make_unique<Impl>(settings, types);
  const auto& programs = impl_->object.skeleton->progs;
  const auto loaded = [](const bpf_program* program) {
    return bpf_program__autoload(program) ? bpf_program__fd(program) : -1;
  };
  impl_->function_links.use(
      {loaded(programs.tls_enter), loaded(programs.tls_return), loaded(programs.tls_event), loaded(programs.go_enter),
       loaded(programs.tls_return), loaded(programs.go_event), loaded(programs.runtime_event),
       loaded(programs.channel_event), loaded(programs.allocation), loaded(programs.malloc_call),
       loaded(programs.tls_secret), loaded(programs.go_secret)},
      types.has_links_of_many_places());
  const bpf_map* tables = impl_->object.skeleton->maps.cpu_tables;
  const bool every_cpu = bpf_map__max_entries(tables) == static_cast<std::uint32_t>(libbpf_num_possible_cpus());
  if (loaded(programs.switch_task) >= 0 && every_cpu)
    impl_->cpu_tables.use(bpf_map__fd(tables), bpf_map__max_entries(tables), loaded(programs.read_cpu_clocks));
  impl_->sockets.use(*impl_->object.skeleton, settings.connections.some());
  if (!settings.selection.all && !numbers_sockets() && tier().tier != formats::HookTier::c)
    impl_->untarget.use(impl_->object.skeleton->maps.target_pids, programs.untarget_tasks,
                        impl_->object.skeleton->bss->target_cgroup, impl_->sockets);
  for (const auto pid : settings.selection.pids) add_target(pid);
  for (const auto& comm : settings.selection.comms) {
    char key[COMM_SIZE] = {};
    std::strncpy(key, comm.c_str(), sizeof key - 1);  // the kernel cuts names in the same place
    choose(impl_->object.skeleton->maps.target_comms, key);
  }
}

Probes::~Probes() = default;

void Probes::add_target(std::uint32_t pid) { choose(impl_->object.skeleton->maps.target_pids, &pid); }
iterators::Untarget& Probes::untarget() { return impl_->untarget; }

void Probes::tell_go_file(std::uint16_t number, const go::Layout& layout) {
  static_assert(kGoFiles + 1 == GO_FILES_MAX);
  assert(number >= 1 && number <= kGoFiles);
  bpf::go_layout value{};
  value.slot = layout.slot;
  value.number = layout.number;
  value.thread = layout.thread;
  value.current = layout.current;
  value.c_code = layout.c_code;
  value.saved = layout.saved;
  value.saved_frame = layout.saved_frame;
  if (layout.parent > layout.number && layout.parent - layout.number <= 8 * GO_PARENT_MAX)
    value.parent = static_cast<std::uint8_t>((layout.parent - layout.number) / 8);
  if (!impl_->object.settings.deep) {
    value.processor = layout.processor;
    value.former = layout.former;
    value.batch = layout.batch;
    value.generation = layout.generation;
  }
  const std::uint32_t key = number;
  if (bpf_map_update_elem(bpf_map__fd(impl_->object.skeleton->maps.go_files), &key, &value, BPF_ANY) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot tell the kernel programs of a Go program");
}

void Probes::tell_go_process(std::uint32_t pid, std::uint16_t file) {
  const bpf::go_process value{0, file, 0};
  // Fails if the process is known or has ended; then its goroutines stay unknown, which every event shows.
  if (bpf_map_update_elem(bpf_map__fd(impl_->object.skeleton->maps.go_processes), &pid, &value, BPF_NOEXIST) == 0)
    std::atomic_ref(impl_->object.skeleton->bss->go_epoch).fetch_add(1);
}

Probes::GoHits Probes::go_hits(std::uint16_t file) const {
  assert(file <= kGoFiles);
  const auto count = [&](std::size_t which) {
    auto& hits = impl_->object.skeleton->bss->go_hits[static_cast<std::size_t>(file) * GO_COUNTED + which];
    return std::atomic_ref(hits).load(std::memory_order_relaxed);
  };
  return {count(GO_COUNT_MADE), count(GO_COUNT_HANDLED), count(GO_COUNT_STREAMS), count(GO_COUNT_ASKED),
          count(GO_COUNT_UNPROVEN)};
}

void Probes::heads_suffice(std::uint64_t socket) {
  const std::uint8_t yes = 1;
  // Fails without harm: more than is needed is kept.
  bpf_map_update_elem(bpf_map__fd(impl_->object.skeleton->maps.tls_heads), &socket, &yes, BPF_ANY);
}

void Probes::leave_to_probes(std::uint64_t session) {
  const std::uint8_t yes = 1;
  // Fails without harm: its plaintext is lost, and counted.
  bpf_map_update_elem(bpf_map__fd(impl_->object.skeleton->maps.tls_to_probes), &session, &yes, BPF_ANY);
}

void Probes::begin_data_probes(std::uint32_t file) {
  assert(file < OTHERS_FILES_MAX);
  std::atomic_ref(impl_->object.skeleton->bss->tls_data_epochs[file]).fetch_add(1);
}

void Probes::tell_data_probes(std::uint32_t file, bool there) {
  assert(file < OTHERS_FILES_MAX);
  std::atomic_ref(impl_->object.skeleton->bss->tls_data_probes[file]).store(there);
}

bool Probes::numbers_sockets() const { return impl_->object.programs == ProgramSet::older; }

void Probes::make_target(std::uint32_t pid, int process) {
  if (impl_->object.programs == ProgramSet::older) return impl_->mark_tested(pid);
  const bpf_map* tasks = impl_->object.skeleton->maps.tasks;
  const std::vector<std::byte> state(bpf_map__value_size(tasks));
  if (bpf_map_update_elem(bpf_map__fd(tasks), &process, state.data(), BPF_NOEXIST) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot pass the targets to the kernel programs");
}

// The table of targets is by addresses, which only the kernel knows.
void Probes::Impl::mark_tested(std::uint32_t pid) {
  const std::uint8_t tested = TESTED;
  const int pids = bpf_map__fd(object.skeleton->maps.target_pids);
  if (bpf_map_update_elem(pids, &pid, &tested, BPF_ANY) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot pass the targets to the kernel programs");
  object.skeleton->bss->marking = MARKING_TESTED;
  iterate(object.skeleton->progs.list_tasks);
  object.skeleton->bss->marking = MARKING_NONE;
  bpf_map_delete_elem(pids, &pid);
}

void Probes::attach() { attach({}); }

void Probes::attach(std::span<const std::string_view> names) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, impl_->object.skeleton->obj) {
    const std::string name = bpf_program__name(program);
    if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end()) continue;
    if (!bpf_program__autoload(program) || hook_of(program).starts_with("iter/") || hook_of(program) == kFunctionHook ||
        is_callable(hook_of(program)) || cleans(name) || impl_->object.is_skipped(name))
      continue;
    const auto start = Clock::now();
    if (hook_of(program) == kClockHook) {
      try {
        impl_->clock.start(bpf_program__fd(program), impl_->object.settings.sample_rate);
      } catch (const std::system_error& e) {
        if (impl_->object.settings.samples_asked) throw;
        impl_->clock.stop();
        impl_->object.not_recorded.push_back("no samples of what threads do on the CPUs: " + std::string(e.what()));
      }
      if (!impl_->object.settings.stacks_at_once) impl_->clock.run(false);
      impl_->attach_times[name] = since(start);
      continue;
    }
    bpf_link* link = bpf_program__attach(program);
    if (!link)
      throw std::system_error(errno, std::generic_category(),
                              "cannot attach " + name + " to tracepoint " + hook_of(program));
    impl_->links.emplace_back(program, link);
    impl_->attach_times[name] = since(start);
  }
}

std::string Probes::attach_functions(scan::TargetFiles& files, const scan::TargetFile& file,
                                     const std::vector<FunctionProbe>& places, std::uint32_t group, bool anew,
                                     std::uint32_t pid) {
  return impl_->function_links.attach(files, file, places, group, anew, pid);
}

void Probes::detach_functions(std::uint32_t group) { impl_->function_links.detach(group); }
void Probes::functions_may_rest_from(std::uint32_t group) { impl_->function_links.may_rest_from(group); }

std::vector<FunctionLinks::Refused> Probes::rest_functions(scan::TargetFiles& files, bool on) {
  // What sessions moved meanwhile is not known.
  if (!on) std::atomic_ref(impl_->object.skeleton->bss->plaintext_epoch).fetch_add(1);
  return impl_->function_links.rest(files, on);
}

int Probes::unrecorded_descriptor() const { return bpf_map__fd(impl_->object.skeleton->maps.unrecorded); }
std::array<int, 2> Probes::drops_descriptors() const {
  const auto& m = impl_->object.skeleton->maps;
  return {bpf_map__fd(m.drops), bpf_map__fd(m.further_drops)};
}
const std::map<std::uint32_t, std::string>& Probes::drop_reasons() const { return impl_->object.drop_reasons; }
int Probes::wakers_descriptor() const { return bpf_map__fd(impl_->object.skeleton->maps.wakers); }
void Probes::avoid_calls() { impl_->function_links.avoid_calls(); }

std::uint64_t Probes::others_hits(std::uint32_t file) const {
  assert(file < OTHERS_FILES_MAX);
  return std::atomic_ref(impl_->object.skeleton->bss->others_hits[file]).load(std::memory_order_relaxed);
}

std::span<const bpf::cpu_table> Probes::cpu_tables() const {
  return impl_->waits_paused ? std::span<const bpf::cpu_table>{} : impl_->cpu_tables.read();
}
std::uint64_t Probes::long_waits() const {
  return std::atomic_ref(impl_->object.skeleton->bss->long_waits).load(std::memory_order_relaxed);
}
int Probes::unwind_parts_descriptor() const { return bpf_map__fd(impl_->object.skeleton->maps.unwind_parts); }
int Probes::unwind_processes_descriptor() const { return bpf_map__fd(impl_->object.skeleton->maps.unwind_processes); }
int Probes::script_processes_descriptor() const { return bpf_map__fd(impl_->object.skeleton->maps.script_processes); }
int Probes::go_calls_descriptor() const { return bpf_map__fd(impl_->object.skeleton->maps.go_goroutines); }
std::array<int, 2> Probes::allocations_descriptors() const {
  const auto& m = impl_->object.skeleton->maps;
  return {bpf_map__fd(m.go_allocated), bpf_map__fd(m.malloc_allocated)};
}

void Probes::switch_stacks(bool on) {
  std::atomic_ref(impl_->object.skeleton->bss->take_stacks).store(on);
  impl_->clock.run(on);
}

bool Probes::detaches_at_once() const { return impl_->function_links.many(); }

// A twin works where its program did not run: it goes first.
void Probes::detach_tracepoints() {
  while (!impl_->links.empty()) impl_->links.pop_back();
}

void Probes::detach() {
  impl_->clock.stop();
  detach_tracepoints();
  impl_->function_links.detach();
}

void Probes::mark_targets() {
  marked_ = true;
  auto& object = impl_->object;
  object.skeleton->bss->marking = MARKING_CHOSEN;
  iterate(object.skeleton->progs.list_tasks);
  const auto& selection = object.settings.selection;
  if (selection.processes() && !selection.all && !object.settings.node) {
    // The targets' sockets, then those who hold them, then all their threads.
    (void)list_sockets();
    (void)list_sockets();
    iterate(object.skeleton->progs.list_tasks);
  }
  object.skeleton->bss->marking = MARKING_NONE;
  impl_->sockets.stay(!object.settings.node, object.not_recorded);
}

std::vector<std::byte> Probes::list_tasks() { return iterate(impl_->object.skeleton->progs.list_tasks); }
std::vector<std::byte> Probes::list_sockets() { return impl_->sockets.list(); }
std::vector<std::byte> Probes::list_holders() { return iterate(impl_->object.skeleton->progs.list_holders); }
std::vector<std::byte> Probes::list_waits() {
  return impl_->waits_paused ? std::vector<std::byte>{} : iterate(impl_->object.skeleton->progs.list_waits);
}
std::vector<std::byte> Probes::list_waiting() { return iterate(impl_->object.skeleton->progs.list_waiting); }

RingMaps Probes::rings() const {
  const auto& maps = impl_->object.skeleton->maps;
  return {bpf_map__fd(maps.ring), bpf_map__fd(maps.rings), bpf_map__fd(maps.spill), impl_->object.rings};
}
const TierChoice& Probes::tier() const { return impl_->object.tier; }
const ProbeSettings& Probes::settings() const { return impl_->object.settings; }
const std::vector<std::string>& Probes::not_recorded() const { return impl_->object.not_recorded; }
microseconds Probes::open_time() const { return impl_->object.open_time; }
microseconds Probes::load_time() const { return impl_->object.load_time; }
const std::string& Probes::verifier_log() const { return impl_->object.log; }

std::vector<KernelLoss> Probes::losses() const {
  std::vector<KernelLoss> losses;
  for (std::uint32_t i = 0; i < LOSS_COUNTERS; i++) {
    const auto count = std::atomic_ref(impl_->object.skeleton->bss->losses[i]).load(std::memory_order_relaxed);
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
  preamble.notes.emplace_back("tailcap.object.sha256", impl_->object.sha256());
  preamble.notes.emplace_back("tailcap.program.tags", tags);
  for (const auto& sentence : not_recorded()) preamble.notes.emplace_back("tailcap.refused", sentence);
}

void Probes::forget_losses() {
  for (auto& loss : impl_->object.skeleton->bss->losses) std::atomic_ref(loss).store(0, std::memory_order_relaxed);
}

Probes::Sampled Probes::sampled() const {
  const auto& counts = impl_->object.skeleton->bss->sampling_counts;
  const auto count = [&](std::size_t i) {
    return std::atomic_ref(const_cast<__u64&>(counts[i])).load(std::memory_order_relaxed);
  };
  return {count(0), count(1)};
}

void Probes::sample_connections(bool on) {
  auto& bss = *impl_->object.skeleton->bss;
  std::atomic_ref(bss.sampling_rests).store(!on);
  if (!on) return;
  for (auto& count : bss.sampling_counts) std::atomic_ref(count).store(0);
}

void Probes::set_share(std::uint32_t of) {
  auto& bss = *impl_->object.skeleton->bss;
  std::atomic_ref(bss.sampling_below).store(bpf::sampling_limit_for(of));
  std::atomic_ref(bss.sampling_epoch).fetch_add(1);
}

// Or only detaches them. False: the kernel refuses one of them; then none is attached.
bool Probes::Impl::attach_again(std::initializer_list<bpf_program*> programs, bool on) {
  std::erase_if(links, [&](const auto& link) {
    return std::find(programs.begin(), programs.end(), link.first) != programs.end();
  });
  for (bpf_program* program : programs) {
    if (!on || !bpf_program__autoload(program)) continue;
    bpf_link* link = bpf_program__attach(program);
    if (!link) return attach_again(programs, false) && false;
    links.emplace_back(program, link);
  }
  return true;
}

bool Probes::record_waits(bool on) {
  const auto& programs = impl_->object.skeleton->progs;
  impl_->waits_paused = true;
  if (on) std::atomic_ref(impl_->object.skeleton->bss->waits_epoch).fetch_add(1);
  if (!impl_->attach_again({programs.wake_up, programs.switch_task}, on)) return false;
  impl_->waits_paused = !on;
  return true;
}

bool Probes::record_bytes(bool on) {
  const auto& programs = impl_->object.skeleton->progs;
  if (on) std::atomic_ref(impl_->object.skeleton->bss->held_epoch).fetch_add(1);
  // The kernel runs a twin after its program if it was attached after it.
  return impl_->attach_again(
      {programs.io_send, programs.io_send_nested, programs.io_receive, programs.io_receive_nested, programs.call_done,
       programs.call_done_nested, programs.arrival, programs.arrival_nested},
      on);
}

Probes::RunTime Probes::run_time() const {
  RunTime sum;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, impl_->object.skeleton->obj) {
    if (!bpf_program__autoload(program)) continue;
    bpf_prog_info info{};
    std::uint32_t size = sizeof info;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) != 0) continue;
    sum.time += info.run_time_ns;
    if (impl_->records_waits(program))
      sum.waits += info.run_time_ns;
    else
      sum.others += info.run_cnt;
    if (bpf_program__section_name(program) == kFunctionHook) sum.function_hits += info.run_cnt;
  }
  return sum;
}

std::vector<ProgramReport> Probes::programs() const {
  std::vector<ProgramReport> reports;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, impl_->object.skeleton->obj) {
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
      report.missed = twins::missed(*impl_->object.skeleton, program, info.recursion_misses);
      report.instructions = info.verified_insns;
    }
    const auto log = impl_->object.logs.find(report.name);
    if (const char* text =
            log == impl_->object.logs.end() ? nullptr : std::strstr(log->second.data(), "verification time "))
      report.verification = microseconds(std::strtoul(text + 18, nullptr, 10));
    if (const auto found = impl_->attach_times.find(report.name); found != impl_->attach_times.end())
      report.attach = found->second;
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace tailcap::capture
