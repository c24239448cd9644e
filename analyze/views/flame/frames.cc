#include "analyze/views/flame/frames.h"

#include <algorithm>
#include <array>
#include <string>

namespace tailcap::views {

namespace {

// Without leading underscores and what follows the name: "__pthread_mutex_lock", "write_nocancel",
// "epoll_wait@@GLIBC_2".
constexpr std::array<std::string_view, 63> kOfC = {"abort",
                                                   "accept",
                                                   "accept4",
                                                   "clock_nanosleep",
                                                   "clone",
                                                   "clone3",
                                                   "close",
                                                   "connect",
                                                   "epoll_pwait",
                                                   "epoll_wait",
                                                   "fcntl",
                                                   "fdatasync",
                                                   "flock",
                                                   "fsync",
                                                   "futex_abstimed_wait",
                                                   "futex_abstimed_wait64",
                                                   "futex_abstimed_wait_cancelable",
                                                   "futex_abstimed_wait_cancelable64",
                                                   "futex_wait",
                                                   "internal_syscall_cancel",
                                                   "libc_start_call_main",
                                                   "libc_start_main",
                                                   "lll_lock_wait",
                                                   "lll_lock_wait_private",
                                                   "nanosleep",
                                                   "new_sem_wait_slow",
                                                   "new_sem_wait_slow64",
                                                   "open",
                                                   "open64",
                                                   "openat",
                                                   "openat64",
                                                   "poll",
                                                   "ppoll",
                                                   "pread",
                                                   "pread64",
                                                   "pselect",
                                                   "pthread_barrier_wait",
                                                   "pthread_clockjoin_ex",
                                                   "pthread_cond_timedwait",
                                                   "pthread_cond_wait",
                                                   "pthread_join",
                                                   "pthread_mutex_lock",
                                                   "pthread_mutex_timedlock",
                                                   "pthread_rwlock_rdlock",
                                                   "pthread_rwlock_wrlock",
                                                   "pwrite",
                                                   "pwrite64",
                                                   "read",
                                                   "readv",
                                                   "recv",
                                                   "recvfrom",
                                                   "recvmsg",
                                                   "select",
                                                   "sem_timedwait",
                                                   "sem_wait",
                                                   "send",
                                                   "sendmsg",
                                                   "sendto",
                                                   "sleep",
                                                   "start",
                                                   "start_thread",
                                                   "usleep",
                                                   "write"};
constexpr std::array<std::string_view, 6> kOfPython = {"queue.py",        "selectors.py", "socket.py",
                                                       "socketserver.py", "ssl.py",       "threading.py"};
constexpr std::string_view kOfNode = "node:", kOfRuby = "<internal:", kJavaFile = ".java";
constexpr std::array<std::string_view, 3> kOfJava = {"java.", "jdk.internal.", "sun."};
constexpr std::array<std::string_view, 9> kBegins = {"std::", "runtime.", "syscall.", "internal/", "sync.",
                                                     "GI_",   "futex_",   "lll_",     "nptl_"};
// The standard libraries of C++ and Rust: compilers put their functions into the callers.
constexpr std::array<std::string_view, 4> kLibraries = {"std::", "__gnu_cxx::", "core::", "alloc::"};
constexpr std::string_view kInlined = " (inlined)";

bool begins_library(std::string_view name) {
  return std::ranges::any_of(kLibraries, [&](std::string_view begin) { return name.starts_with(begin); });
}

}  // namespace

std::vector<std::string_view> frames_of(std::string_view stack) {
  std::vector<std::string_view> frames;
  for (auto end = stack.find(';'); end != stack.npos;) {
    stack.remove_prefix(end + 1);
    end = stack.find(';');
    frames.push_back(stack.substr(0, end));
  }
  return frames;
}

bool of_script(std::string_view frame) {
  const auto colon = frame.rfind(':'), from = frame.rfind(" (");
  return colon != frame.npos && from != frame.npos && from < colon && frame.ends_with(')') &&
         colon + 2 < frame.size() &&
         frame.substr(colon + 1, frame.size() - colon - 2).find_first_not_of("0123456789") == frame.npos &&
         frame.find('(', from + 2) == frame.npos;
}

bool inlined(std::string_view frame) { return frame.ends_with(kInlined); }

bool inlined_library(std::string_view frame) {
  if (!inlined(frame)) return false;
  // "<Range<u64> as core::iter::Iterator>::next": whose it is says the type; "bool std::operator==<char>(…)".
  if (frame.starts_with('<')) {
    const std::string_view type = frame.substr(1, frame.find(" as ") - 1);
    return begins_library(type) || type.find("::") == type.npos;
  }
  const auto name = frame.substr(0, frame.find_first_of("<("));
  return begins_library(frame) || begins_library(name.substr(name.rfind(' ') + 1));
}

bool has_name(std::string_view frame) {
  return !frame.empty() && !frame.starts_with('[') && !frame.ends_with("_[k]") && !frame.starts_with("(other");
}

bool of_runtime(std::string_view frame) {
  if (of_script(frame)) {
    const auto from = frame.rfind('(') + 1;
    const std::string_view file = frame.substr(from, frame.rfind(':') - from);
    if (file.starts_with(kOfNode) || file.starts_with(kOfRuby)) return true;
    if (file.ends_with(kJavaFile))
      return std::ranges::any_of(kOfJava, [&](std::string_view begin) { return frame.starts_with(begin); });
    return std::ranges::binary_search(kOfPython, file);
  }
  if (inlined_library(frame)) return true;
  if (inlined(frame)) frame.remove_suffix(kInlined.size());
  frame.remove_prefix(std::min(frame.find_first_not_of('_'), frame.size()));
  if (std::ranges::any_of(kBegins, [&](std::string_view begin) { return frame.starts_with(begin); })) return true;
  frame = frame.substr(0, frame.find_first_of("@."));
  if (frame.ends_with("_nocancel")) frame.remove_suffix(std::string_view("_nocancel").size());
  return std::ranges::binary_search(kOfC, frame);
}

bool counts_by_name(std::string_view frame, bool script) { return script ? of_script(frame) : has_name(frame); }

bool of_application(std::string_view frame, bool script) { return counts_by_name(frame, script) && !of_runtime(frame); }

}  // namespace tailcap::views
