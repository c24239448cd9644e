#include "capture/record/signals.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string_view>
#include <system_error>

namespace tailcap::capture {

namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};
constexpr std::int64_t kSignalPatience =
    1'000'000'000;  // ns from the first signal until another one ends the program at once

// The data that the handler may touch. It runs on any thread, at any moment.
struct State {
  std::atomic<pid_t> owner = 0;
  std::atomic<int> descriptor = -1, signal = 0;
  std::atomic<std::int64_t> since = 0;  // of the first signal
  std::atomic<bool> recording = false, has_file = false, snapshot = false;
  std::array<char, PATH_MAX> file{};
};
State state;
static_assert(std::atomic<std::int64_t>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free);

std::int64_t now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

[[noreturn]] void end_at_once(int signal, std::string_view why) {
  (void)!write(STDERR_FILENO, why.data(), why.size());
  _exit(128 + signal);
}

void ask_for_snapshot(int) {
  const int error = errno;
  state.snapshot = true;
  const std::uint64_t one = 1;
  (void)!write(state.descriptor, &one, sizeof one);
  errno = error;
}

void handle(int signal) {
  const int error = errno;
  if (getpid() != state.owner) _exit(128 + signal);  // forked, and not yet another program
  if (!state.recording) {
    if (state.has_file) unlink(state.file.data());
    end_at_once(signal, "tailcap-record: ended by a signal before it recorded anything; no file was written.\n");
  }
  int none = 0;
  if (state.signal.compare_exchange_strong(none, signal)) {
    state.since = now();
  } else if (now() - state.since > kSignalPatience) {
    end_at_once(signal,
                "tailcap-record: ended by another signal before the file was whole; `tailcap recover` saves what is in "
                "FILE.partial.\n");
  }
  const std::uint64_t one = 1;
  (void)!write(state.descriptor, &one, sizeof one);
  errno = error;
}

}  // namespace

Signals::Signals() {
  const int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "cannot wait for signals");
  state.owner = getpid();
  state.descriptor = descriptor;
  state.signal = 0;
  state.recording = state.has_file = false;
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : kSignals) sigaddset(&action.sa_mask, signal);
  for (const int signal : kSignals) {
    struct sigaction before {};
    // Under nohup, a closed terminal must not end the recording. Shells ignore SIGINT for background jobs, but here it
    // ends them all the same.
    if (signal == SIGHUP && sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    sigaction(signal, &action, nullptr);
  }
  ::signal(SIGPIPE, SIG_IGN);  // a closed output must not end the recording
}

Signals::~Signals() {
  for (const int signal : kSignals) ::signal(signal, whole_ ? SIG_IGN : SIG_DFL);
  ::signal(SIGUSR1, SIG_DFL);
  close(state.descriptor.exchange(-1));
}

Signals::Deferred::Deferred() {
  sigset_t all;
  sigemptyset(&all);
  for (const int signal : kSignals) sigaddset(&all, signal);
  pthread_sigmask(SIG_BLOCK, &all, &before_);
}

Signals::Deferred::~Deferred() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void Signals::remove_if_interrupted(const std::string& file) {
  if (file.empty() || file.size() >= state.file.size()) return;
  std::memcpy(state.file.data(), file.c_str(), file.size() + 1);
  state.has_file = true;
}

void Signals::recording() { state.recording = true; }

void Signals::take_snapshots() {
  struct sigaction action {};
  action.sa_handler = ask_for_snapshot;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, nullptr);
}

bool Signals::snapshot_asked() {
  if (!state.snapshot.exchange(false)) return false;
  std::uint64_t count = 0;
  if (state.signal == 0) (void)!read(state.descriptor, &count, sizeof count);  // what ends the recording stays readable
  return true;
}

int Signals::descriptor() const { return state.descriptor; }
int Signals::taken() const { return state.signal; }

const char* name_of_signal(int signal) {
  return signal == SIGINT ? "Ctrl-C" : signal == SIGTERM ? "SIGTERM" : "SIGHUP";
}

}  // namespace tailcap::capture
