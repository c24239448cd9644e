// A seccomp filter that is made call by call. What it does not name fails with EPERM: libraries make many calls that
// they can do without. Other architectures' numbers end the process.
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tailcap::capture::scan {

class SystemCallFilter {
 public:
  SystemCallFilter() {
    load(offsetof(seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
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
  // flags: of seccomp(2). False, with errno: the kernel refuses.
  bool install(unsigned flags = 0) {
    give(kRefused);
    const sock_fprog all{static_cast<unsigned short>(program_.size()), program_.data()};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &all) == 0;
  }

 private:
#if defined(__aarch64__)
  static constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
  static constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#endif
  static constexpr std::uint32_t kRefused = SECCOMP_RET_ERRNO | EPERM;

  void add(unsigned code, std::uint32_t value, std::uint8_t yes = 0, std::uint8_t no = 0) {
    program_.push_back({static_cast<std::uint16_t>(code), yes, no, value});
  }
  void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
  void load_argument(unsigned n) { load(offsetof(seccomp_data, args) + n * sizeof(std::uint64_t)); }
  void give(std::uint32_t verdict) { add(BPF_RET | BPF_K, verdict); }

  std::vector<sock_filter> program_;
};

}  // namespace tailcap::capture::scan
