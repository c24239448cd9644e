#include "capture/scan/sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "capture/scan/function_places.h"
#include "capture/scan/system_call_filter.h"

namespace tailcap::capture::scan {

namespace {

// "tail": between the ranges that distributions, containers and systemd use. Processes with the same identity may
// signal each other, so it is not the user `nobody`, which other programs use.
constexpr unsigned kIdentity = 0x7461696c;
constexpr rlim_t kMemory = 512u << 20;  // addresses, including the program's own 60 MiB
constexpr rlim_t kSeconds = 6;          // of CPU time; the largest programs take two
constexpr rlim_t kAnswer = 160u << 20;  // bytes that it may write to a file: the memfd for its answer
constexpr rlim_t kDescriptors = 16;
constexpr rlim_t kChildren = 64;  // of that identity

bool set_limit(__rlimit_resource which, rlim_t most) {
  const rlimit limit{most, most};
  return setrlimit(which, &limit) == 0;
}

bool set_capabilities(std::uint64_t kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> now{}, wanted{};
  if (syscall(SYS_capget, &header, now.data()) != 0) return false;
  for (std::size_t i = 0; i < wanted.size(); i++) {
    const auto bits = static_cast<std::uint32_t>(kept >> (32 * i));
    wanted[i].permitted = now[i].permitted & bits;
    wanted[i].effective = wanted[i].permitted;
  }
  (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (int capability = 0; capability < 64; capability++) {
    if (!(kept >> capability & 1))
      (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);  // needs a capability itself; no_new_privs has the same effect
  }
  return syscall(SYS_capset, &header, wanted.data()) == 0;
}

bool keep_only(std::uint64_t capabilities) {
  return set_capabilities(capabilities) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && set_limit(RLIMIT_CORE, 0);
}

// By number, not by libc's names: what libc 2.36 calls fstat is newfstatat.
constexpr std::array kAllowed = {SYS_dup,       SYS_read,          SYS_pread64, SYS_write,      SYS_recvmsg,
                                 SYS_sendmsg,   SYS_lseek,         SYS_close,   SYS_fstat,      SYS_newfstatat,
                                 SYS_brk,       SYS_munmap,        SYS_mremap,  SYS_madvise,    SYS_futex,
                                 SYS_getrandom, SYS_clock_gettime, SYS_exit,    SYS_exit_group, SYS_rt_sigreturn};
constexpr std::array kAllowedWithoutCode = {SYS_mmap, SYS_mprotect};  // their third argument: the protection
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;  // uses terabytes of addresses, and additional calls
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

bool filter_calls() {
  SystemCallFilter filter;
  for (const long call : kAllowed) filter.allow(call);
  for (const long call : kAllowedWithoutCode) filter.allow_bits(call, 2, PROT_EXEC, false);
  filter.allow_where(SYS_setpriority, 0, std::array{PRIO_PROCESS});  // without privileges only to be less urgent
  return filter.install();
}

}  // namespace

bool drop_privileges() {
  // Without the privilege to change it, the identity stays; everything else is given up all the same.
  if (setgroups(0, nullptr) == 0 && setresgid(kIdentity, kIdentity, kIdentity) == 0) {
    if (setresuid(kIdentity, kIdentity, kIdentity) == 0 && !set_limit(RLIMIT_NPROC, kChildren)) return false;
  }
  return keep_only(0);
}

bool keep_measuring_privilege() { return keep_only(std::uint64_t{1} << CAP_SYS_ADMIN); }

bool keep_opening_privileges() {
  constexpr auto bit = [](int capability) { return std::uint64_t{1} << capability; };
  constexpr std::uint64_t kKept =
      bit(CAP_BPF) | bit(CAP_PERFMON) | bit(CAP_SYS_PTRACE) | bit(CAP_DAC_READ_SEARCH) | bit(CAP_CHECKPOINT_RESTORE);
  return keep_only(kKept | (places_need_admin() ? bit(CAP_SYS_ADMIN) : 0));
}

bool confine() {
  const bool limited =
      set_limit(RLIMIT_CPU, kSeconds) && set_limit(RLIMIT_FSIZE, kAnswer) && set_limit(RLIMIT_NOFILE, kDescriptors);
  if (kSanitized) return limited;
  return limited && set_limit(RLIMIT_AS, kMemory) && filter_calls();
}

}  // namespace tailcap::capture::scan
