#include "capture/record/call_filter.h"

#include <linux/bpf.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include "capture/scan/system_call_filter.h"

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
    SYS_openat,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_statfs,
    SYS_fstatfs,
    SYS_readlinkat,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_getdents64,
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_flock,
    SYS_renameat,
    SYS_renameat2,
    SYS_unlinkat,
    SYS_fchmod,
    SYS_ioctl,
    SYS_memfd_create,
    SYS_pipe2,
    SYS_getcwd,
    SYS_umask,
    // waiting
    SYS_ppoll,
    SYS_epoll_create1,
    SYS_epoll_ctl,
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
    SYS_sched_getattr,  // of the recorder's own threads
    SYS_sched_setattr,
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

#ifdef SYS_open
// What arm64 never had: it has the calls that came after them.
constexpr auto kOlder = std::to_array<long>({
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_readlink,
    SYS_access,
    SYS_rename,
    SYS_unlink,
    SYS_poll,
    SYS_epoll_wait,
    SYS_time,
});
#else
constexpr std::array<long, 0> kOlder{};
#endif

// Commands of bpf() that use programs and maps, not those that make them.
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

}  // namespace

bool filter_calls(int command) {
  if (kInstrumented) return true;
  scan::SystemCallFilter filter;
  for (const long call : kAlways) filter.allow(call);
  for (const long call : kOlder) filter.allow(call);
  filter.allow_where(SYS_bpf, 0, kCommands);
  filter.allow_where(SYS_socket, 0, std::array{AF_NETLINK});  // the list of network interfaces
  filter.allow_where(SYS_kill, 0, std::array{getpid(), command != 0 ? command : getpid()});
  filter.allow_where(SYS_tgkill, 0, std::array{getpid()});
  filter.allow_bits(SYS_mmap, 2, PROT_EXEC, false);
  filter.allow_bits(SYS_mprotect, 2, PROT_EXEC, false);
  filter.allow_bits(SYS_clone, 0, CLONE_THREAD, true);
  filter.fail(SYS_clone3, ENOSYS);  // its flags are in memory: libc uses clone() instead
  if (filter.install(SECCOMP_FILTER_FLAG_TSYNC)) return true;
  if (errno == ENOSYS || errno == EINVAL) return false;
  throw std::system_error(errno, std::generic_category(), "cannot restrict the calls of the recorder");
}

}  // namespace tailcap::capture
