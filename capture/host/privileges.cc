#include "capture/host/privileges.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <set>
#include <system_error>
#include <thread>
#include <vector>

#include "ground/scheduling.h"

namespace tailcap::capture {

namespace {

// Newer than some system headers.
constexpr int kPerfmon = 38, kBpf = 39, kCheckpointRestore = 40;
constexpr std::array kKept = {
    kBpf,                 // iterators for keyframes, links to functions of programs that start later
    kPerfmon,             // the same on kernels before 6.6, where each place is a perf event
    CAP_SYS_PTRACE,       // /proc/PID/exe, maps and root of other users' processes
    CAP_DAC_READ_SEARCH,  // executables and libraries that only their owner may read
    kCheckpointRestore,   // /proc/PID/map_files: the mapped file itself, whichever file has its name now
};
constexpr int kLastCapability = 63;
constexpr std::chrono::seconds kPatience{5};  // until all threads have answered, which takes microseconds

using Sets = std::array<__user_cap_data_struct, 2>;

__user_cap_header_struct header() { return {_LINUX_CAPABILITY_VERSION_3, 0}; }

bool has(const Sets& sets, int capability) {
  const auto at = static_cast<std::size_t>(capability) / 32;
  return sets[at].permitted >> (capability % 32) & 1;
}

// Requests to the handler, and its answers. Capabilities belong to threads, so each thread gives up its own.
Sets wanted;
constexpr Sets kNice{{{1u << CAP_SYS_NICE, 1u << CAP_SYS_NICE, 0}, {}}};
thread_local bool keeps_nice = false;
std::atomic<int> answered = 0, refused = 0;  // refused: errno

// System calls only: this runs in a signal handler.
void give_up_own() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) refused = errno;
  // Fails in a process not started as root; its bounding set allows no more than no_new_privs denies.
  for (int capability = 0; capability <= kLastCapability; capability++) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  auto head = header();
  if (syscall(SYS_capset, &head, (keeps_nice ? kNice : wanted).data()) != 0) refused = errno;
  answered++;
}

void on_signal(int) {
  const int error = errno;
  give_up_own();
  errno = error;
}

std::vector<pid_t> threads() {
  std::vector<pid_t> found = ground::own_threads();
  if (found.empty())
    throw std::system_error(errno, std::generic_category(), "cannot give up privileges: /proc is not readable");
  return found;
}

}  // namespace

bool keep_nice() {
  Sets now{};
  auto head = header();
  if (syscall(SYS_capget, &head, now.data()) != 0 || !has(now, CAP_SYS_NICE)) return false;
  return keeps_nice = true;
}

void give_up_privileges(bool command_of_other_user) {
  const auto fail = [](int error) {
    throw std::system_error(error, std::generic_category(), "cannot give up privileges");
  };
  Sets now{};
  auto head = header();
  if (syscall(SYS_capget, &head, now.data()) != 0) fail(errno);
  wanted = {};
  const auto keep = [&](int capability) {
    const auto at = static_cast<std::size_t>(capability) / 32;
    const std::uint32_t bit = has(now, capability) ? 1u << (capability % 32) : 0;
    wanted[at].permitted |= bit;
    wanted[at].effective |= bit;
  };
  for (const int capability : kKept) keep(capability);
  if (command_of_other_user) keep(CAP_KILL);
  // A process with CAP_SYS_ADMIN instead, as containers often have, can attach with nothing smaller.
  if (!has(now, kBpf) || !has(now, kPerfmon)) keep(CAP_SYS_ADMIN);

  const int signal = SIGRTMIN + 7;  // not used elsewhere here
  struct sigaction action {
  }, before{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  if (sigaction(signal, &action, &before) != 0) fail(errno);
  answered = refused = 0;
  give_up_own();
  std::set<pid_t> asked{static_cast<pid_t>(syscall(SYS_gettid))};
  const auto until = std::chrono::steady_clock::now() + kPatience;
  // Until no new threads are found: a thread that still has its privileges may start another.
  for (bool fresh = true; fresh;) {
    fresh = false;
    for (const pid_t thread : threads()) {
      if (!asked.insert(thread).second) continue;
      fresh = true;
      if (syscall(SYS_tgkill, getpid(), thread, signal) != 0) answered++;  // it has ended
    }
    while (answered < static_cast<int>(asked.size())) {
      if (std::chrono::steady_clock::now() > until) fail(ETIMEDOUT);
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  sigaction(signal, &before, nullptr);
  if (refused) fail(refused);
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) fail(errno);
}

}  // namespace tailcap::capture
