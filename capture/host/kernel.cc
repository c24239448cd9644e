#include "capture/host/kernel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "capture/host/system_file.h"

namespace tailcap::capture {

struct KernelTypes::Impl {
  btf* types = nullptr;
  const btf_type* per_cpu = nullptr;  // the section with the variables that each CPU has; null: it is not described
  ~Impl() { btf__free(types); }

  // What a per-CPU variable is and where; null: there is none.
  const btf_var_secinfo* variable(const char* name) const {
    for (int i = 0; per_cpu && i < btf_vlen(per_cpu); i++) {
      const btf_var_secinfo& at = btf_var_secinfos(per_cpu)[i];
      const btf_type* type = btf__type_by_id(types, at.type);
      const char* is = type ? btf__name_by_offset(types, type->name_off) : nullptr;
      if (is && std::strcmp(is, name) == 0) return &at;
    }
    return nullptr;
  }
};

namespace {

// The offset of a member, in bytes, also of one in unnamed structs and unions inside; -1: there is none.
std::int64_t offset_in_parts(const btf* types, unsigned id, const char* member, int depth = 0) {
  const btf_type* type = btf__type_by_id(types, id);
  if (!type || !btf_is_composite(type) || depth > 4) return -1;
  for (int i = 0; i < btf_vlen(type); i++) {
    const btf_member& m = btf_members(type)[i];
    const char* name = btf__name_by_offset(types, m.name_off);
    const std::int64_t at = btf_member_bit_offset(type, static_cast<unsigned>(i)) / 8;
    if (name && std::strcmp(name, member) == 0) return at;
    if (name && *name) continue;
    const std::int64_t inside = offset_in_parts(types, m.type, member, depth + 1);
    if (inside >= 0) return at + inside;
  }
  return -1;
}

}  // namespace

KernelTypes::KernelTypes() : impl_(std::make_unique<Impl>()) {
  impl_->types = btf__load_vmlinux_btf();
  if (!impl_->types)
    throw std::runtime_error(
        "this kernel does not describe its types (/sys/kernel/btf/vmlinux: " + std::string(std::strerror(errno)) +
        "), without which nothing can be recorded. It needs CONFIG_DEBUG_INFO_BTF=y; the kernels of Debian 11 "
        "and later have it.");
  const int section = btf__find_by_name_kind(impl_->types, ".data..percpu", BTF_KIND_DATASEC);
  if (section > 0) impl_->per_cpu = btf__type_by_id(impl_->types, static_cast<unsigned>(section));
}

KernelTypes::~KernelTypes() = default;

int KernelTypes::tracepoint_arguments(const std::string& name) const {
  const btf* types = impl_->types;
  const int id = btf__find_by_name_kind(types, ("btf_trace_" + name).c_str(), BTF_KIND_TYPEDEF);
  if (id < 0) return -1;
  // typedef -> pointer -> function; its first parameter is the context
  const btf_type* type = btf__type_by_id(types, btf__type_by_id(types, static_cast<unsigned>(id))->type);
  if (!type || !btf_is_ptr(type)) return -1;
  type = btf__type_by_id(types, type->type);
  return type && btf_is_func_proto(type) ? btf_vlen(type) - 1 : -1;
}

bool KernelTypes::has_links_of_many_places() const { return has_struct("bpf_uprobe_multi_link"); }

bool KernelTypes::has_struct(const std::string& name) const {
  return btf__find_by_name_kind(impl_->types, name.c_str(), BTF_KIND_STRUCT) > 0;
}

bool KernelTypes::trusts_sockets_of_files() const {
  const btf* types = impl_->types;
  const int iterator = btf__find_by_name_kind(types, "bpf_iter_task_file", BTF_KIND_FUNC);
  const int socket = btf__find_by_name_kind(types, "socket", BTF_KIND_STRUCT);
  const std::int64_t sock = socket > 0 ? offset_in_parts(types, static_cast<unsigned>(socket), "sk") : -1;
  if (iterator <= 0 || sock < 0 || sock > INT16_MAX) return true;
  constexpr std::int16_t kFile = 24;  // in the context of the iterator
  const auto load = [](std::uint8_t to, std::uint8_t from, std::int16_t offset) {
    return bpf_insn{BPF_LDX | BPF_MEM | BPF_DW, to, from, offset, 0};
  };
  const auto call = [](std::int32_t helper) { return bpf_insn{BPF_JMP | BPF_CALL, 0, 0, 0, helper}; };
  const auto if_null_skip = [](std::uint8_t which, std::int16_t instructions) {
    return bpf_insn{BPF_JMP | BPF_JEQ | BPF_K, which, 0, instructions, 0};
  };
  const bpf_insn program[] = {load(BPF_REG_1, BPF_REG_1, kFile),
                              if_null_skip(BPF_REG_1, 5),
                              call(BPF_FUNC_sock_from_file),
                              if_null_skip(BPF_REG_0, 3),
                              load(BPF_REG_1, BPF_REG_0, static_cast<std::int16_t>(sock)),
                              if_null_skip(BPF_REG_1, 1),
                              call(BPF_FUNC_skc_to_tcp_sock),
                              {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
                              {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  LIBBPF_OPTS(bpf_prog_load_opts, how, .expected_attach_type = BPF_TRACE_ITER,
              .attach_btf_id = static_cast<std::uint32_t>(iterator));
  const int loaded = bpf_prog_load(BPF_PROG_TYPE_TRACING, "trust", "GPL", program, std::size(program), &how);
  if (loaded >= 0) close(loaded);
  return loaded != -EACCES;
}

// Functions that the verifier looks at once may be called with preemption disabled since it knows which may sleep.
bool KernelTypes::lets_programs_keep_the_cpu() const {
  const btf* types = impl_->types;
  const int subprogram = btf__find_by_name_kind(types, "bpf_subprog_info", BTF_KIND_STRUCT);
  return subprogram > 0 && offset_in_parts(types, static_cast<unsigned>(subprogram), "might_sleep") >= 0 &&
         btf__find_by_name_kind(types, "bpf_preempt_disable", BTF_KIND_FUNC) > 0;
}

// Tracepoints are guarded by read-copy-update that can sleep (SRCU), and not by disabled preemption.
bool KernelTypes::preempts_programs() const {
  return impl_->variable("tracepoint_srcu_srcu_data") && lets_programs_keep_the_cpu();
}

bool KernelTypes::has_helper(const std::string& name) const {
  const btf* types = impl_->types;
  const int id = btf__find_by_name_kind(types, "bpf_func_id", BTF_KIND_ENUM);
  if (id < 0) return false;
  const btf_type* type = btf__type_by_id(types, static_cast<unsigned>(id));
  const std::string wanted = "BPF_FUNC_" + name;
  for (int i = 0; i < btf_vlen(type); i++) {
    const char* helper = btf__name_by_offset(types, btf_enum(type)[i].name_off);
    if (helper && helper == wanted) return true;
  }
  return false;
}

std::map<std::uint32_t, std::string> KernelTypes::drop_reasons() const {
  constexpr std::string_view kPrefix = "SKB_DROP_REASON_";
  constexpr int kReasonIsThird = 3;
  const btf* types = impl_->types;
  const int id = btf__find_by_name_kind(types, "skb_drop_reason", BTF_KIND_ENUM);
  if (id < 0 || tracepoint_arguments("kfree_skb") < kReasonIsThird) return {};
  std::map<std::uint32_t, std::string> reasons;
  std::optional<std::uint32_t> unspecified;
  const btf_type* type = btf__type_by_id(types, static_cast<unsigned>(id));
  for (int i = 0; i < btf_vlen(type); i++) {
    const struct ::btf_enum& value = ::btf_enum(type)[i];
    const char* text = btf__name_by_offset(types, value.name_off);
    std::string_view name = text ? text : "";
    if (!name.starts_with(kPrefix)) continue;
    name.remove_prefix(kPrefix.size());
    const auto number = static_cast<std::uint32_t>(value.val);
    if (name == "NOT_SPECIFIED") unspecified = number;
    reasons[number] = name;
  }
  if (!unspecified) return {};
  // What is not dropped, or for no reason that is known, comes first.
  reasons.erase(reasons.begin(), reasons.upper_bound(*unspecified));
  return reasons;
}

std::int64_t KernelTypes::preempt_count_from_queue() const {
  const btf_var_secinfo *queue = impl_->variable("runqueues"), *count = impl_->variable("__preempt_count");
  std::int64_t inside = 0;
  if (!count) {
    count = impl_->variable("pcpu_hot");  // Linux 6.2 to 6.14
    const btf_type* hot = count ? btf__type_by_id(impl_->types, count->type) : nullptr;
    inside = hot ? offset_in_parts(impl_->types, hot->type, "preempt_count") : -1;
  }
  return queue && inside >= 0 ? std::int64_t{count->offset} + inside - std::int64_t{queue->offset} : 0;
}

bool KernelTypes::counts_disabled_interrupts() const { return impl_->variable("local_interrupt_disable_state"); }

std::string kernel_release() {
  utsname names{};
  return uname(&names) == 0 ? names.release : "";
}

bool counts_all_threads() {
  int major = 0, minor = 0;
  const std::string release = kernel_release();
  if (std::sscanf(release.c_str(), "%d.%d", &major, &minor) != 2) return false;
  return major != 6 || minor < 6 || minor > 9;
}

ProgramSet program_set(const KernelTypes& types) {
  const auto all = [&](std::initializer_list<const char*> helpers) {
    return std::all_of(helpers.begin(), helpers.end(), [&](const char* helper) { return types.has_helper(helper); });
  };
  if (all({"get_current_task_btf", "task_storage_get", "get_attach_cookie", "task_pt_regs", "loop",
           "user_ringbuf_drain"}))
    return ProgramSet::full;
#if defined(__x86_64__)
  if (all({"ringbuf_query", "probe_read_user", "seq_write"}) && types.has_struct("bpf_iter__task_file"))
    return ProgramSet::older;
#endif
  return ProgramSet::none;
}

ProgramSet program_set() {
  try {
    return program_set(KernelTypes());
  } catch (const std::runtime_error&) {
    return ProgramSet::full;
  }
}

std::string machine() {
  utsname names{};
  return uname(&names) == 0 ? names.machine : "";
}

std::string host_name() {
  utsname names{};
  return uname(&names) == 0 ? names.nodename : "";
}

std::string boot_id() {
  const std::string text = read_system_file("/proc/sys/kernel/random/boot_id", 256);
  return text.substr(0, text.find('\n'));
}

std::string cpu_model() {
  SystemLines lines("/proc/cpuinfo");
  std::string_view line;
  while (lines.next(line)) {
    if (!line.starts_with("model name")) continue;
    const auto at = line.find_first_not_of(": \t", std::min(line.find(':'), line.size()));
    return std::string(line.substr(std::min(at, line.size())));
  }
  return "";
}

std::string cpu_governor() {
  std::string found;
  std::error_code error;
  for (std::filesystem::directory_iterator policy("/sys/devices/system/cpu/cpufreq", error), end;
       !error && policy != end; policy.increment(error)) {
    std::string one = read_system_file(policy->path().string() + "/scaling_governor", 64);
    while (one.ends_with('\n')) one.pop_back();
    if (one.empty() || one == found) continue;
    if (!found.empty()) return "several";
    found = one;
  }
  return found;
}

bool has_trace_event(const std::string& name) {
  const std::string event = "tracing/events/" + name;
  return access(("/sys/kernel/" + event).c_str(), F_OK) == 0 ||
         access(("/sys/kernel/debug/" + event).c_str(), F_OK) == 0;
}

void require_initial_pid_namespace() {
  struct stat own {};
  constexpr ino_t kInitial = 0xEFFFFFFC;  // the kernel's constant for it (PROC_PID_INIT_INO)
  if (stat("/proc/self/ns/pid", &own) != 0 || own.st_ino == kInitial) return;
  throw std::runtime_error(
      "the recorder runs in a pid namespace of its own, as in a container: processes have other numbers here than in "
      "the kernel, which would record the wrong ones. Start it in the machine's: `docker run --pid=host`, "
      "`hostPID: true` in Kubernetes, or outside of the container");
}

bool in_unified_hierarchy(const std::string& path) {
  struct statfs status {};
  return statfs(path.c_str(), &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

std::string unified_mount() {
  SystemLines mounts("/proc/self/mounts", kMountsBytes);
  std::string_view line;
  while (mounts.next(line)) {
    const auto place = line.find(' '), type = line.find(' ', place + 1);
    if (type != line.npos && line.substr(type + 1).starts_with("cgroup2 "))
      return std::string(line.substr(place + 1, type - place - 1));
  }
  return "";
}

bool capable(int capability) {
  SystemLines status("/proc/self/status");
  std::string_view line;
  while (status.next(line)) {
    if (!line.starts_with("CapEff:\t")) continue;
    std::uint64_t set = 0;
    std::from_chars(line.data() + 8, line.data() + line.size(), set, 16);
    return set >> capability & 1;
  }
  return false;
}

}  // namespace tailcap::capture
