// The features of the running kernel: its types, tracepoints, mounts, and what this process may do.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace tailcap::capture {

// The kernel's BTF. Throws std::runtime_error if it has none.
class KernelTypes {
 public:
  KernelTypes();
  ~KernelTypes();
  bool has_tracepoint(const std::string& name) const { return tracepoint_arguments(name) >= 0; }
  int tracepoint_arguments(const std::string& name) const;  // -1: no such tracepoint
  bool has_links_of_many_places() const;                    // one link for many uprobes: since 6.6
  bool has_helper(const std::string& name) const;           // of kernel programs, such as "loop"
  bool has_struct(const std::string& name) const;
  // Programs may use the socket that a task's file leads to: the verifier trusts the pointer. Tried, with CAP_BPF and
  // CAP_PERFMON; true without them.
  bool trusts_sockets_of_files() const;
  // It may take the CPU from a thread in the middle of a program at a tracepoint, and lets programs prevent that.
  bool preempts_programs() const;
  bool lets_programs_keep_the_cpu() const;
  // The kernel's reasons to drop a packet, by number and without SKB_DROP_REASON_; empty: its tracepoint tells none.
  std::map<std::uint32_t, std::string> drop_reasons() const;
  // From a CPU's run queue to its count of interrupts and disabled preemption, both per-CPU data; 0: not known.
  std::int64_t preempt_count_from_queue() const;
  bool counts_disabled_interrupts() const;  // … how often they are disabled, too: other bits stand for interrupts

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Which of the compiled kernel programs a kernel can run, by the helpers that it has.
enum class ProgramSet {
  none,
  older,  // without state in the kernel's own storage, and without probes in programs: bpf/core/older.bpf.h
  full,
};
ProgramSet program_set(const KernelTypes& types);
ProgramSet program_set();  // full where the kernel does not describe its types

// The oldest kernel on which tailcap is tested and records: docs/KERNELS.md.
inline constexpr const char* kOldestKernelName = "5.10";
std::string kernel_release();
// Whether a link of many uprobes in one process runs its program in all threads: not in Linux 6.6 to 6.9.
bool counts_all_threads();
std::string machine();
std::string host_name();
std::string boot_id();
// "AMD EPYC 7B13", of the first CPU; empty: not known.
std::string cpu_model();
// Who chooses the frequency of the CPUs, such as "performance"; "several"; empty: not known, as in most guests.
std::string cpu_governor();

// An event or folder in the kernel's tracing file system, such as "syscalls/sys_enter_openat". False also if that is
// not mounted.
bool has_trace_event(const std::string& name);

// The kernel's programs see the numbers that processes have in the machine's own pid namespace. Throws
// std::runtime_error where this process is in another one.
void require_initial_pid_namespace();

bool in_unified_hierarchy(const std::string& path);
// The mount point of the unified hierarchy; empty: not mounted.
std::string unified_mount();

// One of the kernel's capability numbers (linux/capability.h) in this process's effective set.
bool capable(int capability);

}  // namespace tailcap::capture
