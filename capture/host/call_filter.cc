#include "capture/host/call_filter.h"

#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

namespace tailcap::capture {

namespace {

// By number, not by libc's names, as in scan/sandbox.cc.
constexpr auto kAlways = std::to_array<long>({
    // files
    SYS_read,
    SYS_readv,
    SYS_pread64,
    SYS_preadv,
    SYS_write,
    SYS_writev,
    SYS_pwrite64,
    SYS_pwritev,
    SYS_lseek,
    SYS_close,
    SYS_close_range,
    SYS_fcntl,
    SYS_dup,
    SYS_open,
    SYS_openat,
    SYS_fstat,
    SYS_stat,
    SYS_lstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_statfs,
    SYS_fstatfs,
    SYS_readlink,
    SYS_readlinkat,
    SYS_access,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_getdents64,
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_flock,
    SYS_rename,
    SYS_renameat,
    SYS_renameat2,
    SYS_unlink,
    SYS_unlinkat,
    SYS_fchmod,
    SYS_ioctl,
    SYS_memfd_create,
    SYS_pipe2,
    SYS_getcwd,
    SYS_umask,
    // waiting
    SYS_poll,
    SYS_ppoll,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_wait,
    SYS_epoll_pwait,
    SYS_eventfd2,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_wait4,
    SYS_waitid,
    SYS_pidfd_open,
    SYS_restart_syscall,
    // memory and threads
    SYS_brk,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_mlock,
    SYS_munlock,
    SYS_futex,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_membarrier,
    SYS_exit,
    SYS_exit_group,
    // signals and itself
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_getpid,
    SYS_gettid,
    SYS_getppid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getrusage,
    SYS_prlimit64,
    SYS_prctl,
    SYS_capget,
    SYS_getrandom,
    SYS_clock_gettime,
    SYS_gettimeofday,
    SYS_time,
    SYS_times,
    SYS_uname,
    SYS_sysinfo,
    // the control socket, and what the processes that read files are asked
    SYS_accept4,
    SYS_socketpair,
    SYS_bind,
    SYS_getsockname,
    SYS_getpeername,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_sendto,
    SYS_sendmsg,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_shutdown,
    // probes
    SYS_perf_event_open,
});

// Of bpf(): what uses programs and maps, not what makes them.
constexpr auto kCommands = std::to_array<std::uint32_t>({
    BPF_MAP_LOOKUP_ELEM,
    BPF_MAP_UPDATE_ELEM,
    BPF_MAP_DELETE_ELEM,
    BPF_MAP_GET_NEXT_KEY,
    BPF_MAP_LOOKUP_BATCH,
    BPF_MAP_UPDATE_BATCH,
    BPF_MAP_DELETE_BATCH,
    BPF_MAP_LOOKUP_AND_DELETE_BATCH,
    BPF_MAP_LOOKUP_AND_DELETE_ELEM,
    BPF_PROG_TEST_RUN,
    BPF_OBJ_GET_INFO_BY_FD,
    BPF_RAW_TRACEPOINT_OPEN,
    BPF_LINK_CREATE,
    BPF_LINK_UPDATE,
    BPF_LINK_DETACH,
    BPF_ITER_CREATE,
    BPF_ENABLE_STATS,
    BPF_PROG_GET_NEXT_ID,
    BPF_PROG_GET_FD_BY_ID,
    BPF_TASK_FD_QUERY,
});

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kInstrumented = true;  // makes additional calls
#else
constexpr bool kInstrumented = false;
#endif

class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    give(SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
  }
  void allow(long call) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1);
    give(SECCOMP_RET_ALLOW);
  }
  void fail(long call, int error) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1);
    give(SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error));
  }
  // Where an argument, as 32 bits, is one of `values`.
  template <class Values>
  void allow_where(long call, unsigned argument, const Values& values) {
    const auto some = static_cast<std::uint8_t>(2 * values.size() + 2);
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, some);
    load_argument(argument);
    for (const auto value : values) {
      add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(value), 0, 1);
      give(SECCOMP_RET_ALLOW);
    }
    give(kRefused);
  }
  // Where an argument has these bits, or has none of them.
  void allow_bits(long call, unsigned argument, std::uint32_t bits, bool set) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 4);
    load_argument(argument);
    add(BPF_JMP | BPF_JSET | BPF_K, bits, set ? 0 : 1, set ? 1 : 0);
    give(SECCOMP_RET_ALLOW);
    give(kRefused);
  }
  bool install() {
    give(kRefused);
    const sock_fprog all{static_cast<unsigned short>(program_.size()), program_.data()};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &all) == 0;
  }

 private:
  static constexpr std::uint32_t kRefused = SECCOMP_RET_ERRNO | EPERM;

  void add(unsigned code, std::uint32_t value, std::uint8_t yes = 0, std::uint8_t no = 0) {
    program_.push_back({static_cast<std::uint16_t>(code), yes, no, value});
  }
  void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
  void load_argument(unsigned n) { load(offsetof(seccomp_data, args) + n * sizeof(std::uint64_t)); }
  void give(std::uint32_t verdict) { add(BPF_RET | BPF_K, verdict); }

  std::vector<sock_filter> program_;
};

}  // namespace

bool filter_calls(int command) {
  if (kInstrumented) return true;
  Filter filter;
  for (const long call : kAlways) filter.allow(call);
  filter.allow_where(SYS_bpf, 0, kCommands);
  filter.allow_where(SYS_socket, 0, std::array{AF_NETLINK});  // the list of network interfaces
  filter.allow_where(SYS_kill, 0, std::array{getpid(), command != 0 ? command : getpid()});
  filter.allow_where(SYS_tgkill, 0, std::array{getpid()});
  filter.allow_bits(SYS_mmap, 2, PROT_EXEC, false);
  filter.allow_bits(SYS_mprotect, 2, PROT_EXEC, false);
  filter.allow_bits(SYS_clone, 0, CLONE_THREAD, true);
  filter.fail(SYS_clone3, ENOSYS);  // its flags are in memory: libc uses clone() instead
  if (filter.install()) return true;
  if (errno == ENOSYS || errno == EINVAL) return false;
  throw std::system_error(errno, std::generic_category(), "cannot restrict the calls of the recorder");
}

}  // namespace tailcap::capture
