#include "formats/bounds/process_bounds.h"

#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "formats/bounds/read_limits.h"
#include "formats/bounds/read_progress.h"
#include "formats/bounds/unfinished.h"
#include "formats/printable.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TAILCAP_SHADOW_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define TAILCAP_SHADOW_MEMORY 1
#endif
#endif

namespace tailcap::formats {
namespace {

#ifdef TAILCAP_SHADOW_MEMORY
constexpr bool kShadow = true;  // the sanitizer's own memory counts as the process's
#else
constexpr bool kShadow = false;
#endif

constexpr std::uint64_t kForTheEnd = 16u << 20;  // of kBesideLimit: to give up in good order
constexpr auto kLook = std::chrono::milliseconds{100};
constexpr std::size_t kStack = 1u << 20;  // of threads; ours do not nest deeply
constexpr std::int64_t kNever = INT64_MAX;

// Never destroyed: the thread that looks at the clocks uses it until the end.
struct State {
  std::mutex mutex;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> sizes;  // of the files, by device and inode
  std::uint64_t bytes = 0;
  std::uint64_t more = 0;  // ns of processor time
  bool held = false;
  std::string command;
  std::atomic<std::uint64_t> memory = 0;                            // the limit
  std::atomic<std::int64_t> processor = kNever, deadline = kNever;  // ns
  std::atomic<const char*> late = nullptr;
  std::atomic<bool> endless = false;
};

State& state() {
  static State* const all = new State;
  return *all;
}

std::uint64_t proportionate(std::uint64_t free, std::uint64_t factor, std::uint64_t bytes) {
  constexpr std::uint64_t kMost = INT64_MAX;
  return bytes > (kMost - free) / factor ? kMost : free + factor * bytes;
}

std::uint64_t memory_for(std::uint64_t bytes) {
  const ReadLimits& limits = read_limits();
  return limits.memory_in_proportion ? std::min(limits.memory, proportionate(kFreeMemory, kMemoryPerByte, bytes))
                                     : limits.memory;
}

std::int64_t processor_for(std::uint64_t bytes) {
  const ReadLimits& limits = read_limits();
  if (state().endless) return kNever;
  if (limits.processor > Duration{}) return limits.processor.count();
  if (!limits.proportion) return kNever;
  return static_cast<std::int64_t>(proportionate(
      static_cast<std::uint64_t>(kFreeProcessor.count()) + std::min<std::uint64_t>(state().more, INT64_MAX / 2),
      static_cast<std::uint64_t>(kProcessorPerByte.count()), bytes));
}

void set_memory_limit(std::uint64_t most) {
  if (kShadow) return;
  rlimit limit;
  if (getrlimit(RLIMIT_DATA, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, most);
  setrlimit(RLIMIT_DATA, &limit);
}

// The end of the program, from any thread, in the middle of anything.
[[noreturn]] void give_up(const char* why) {
  static std::atomic_flag once;
  while (once.test_and_set()) pause();  // another thread does it
  std::fprintf(stderr, "tailcap %s: %s\n", state().command.c_str(), why);
  remove_unfinished();
  _exit(1);
}

[[noreturn]] void out_of_memory() {
  const std::uint64_t limit = state().memory;
  set_memory_limit(limit + kBesideLimit);
  char text[160];
  std::snprintf(text, sizeof text,
                "the answer needs more than %llu MiB of memory (--max-memory sets the limit). Nothing is shown.",
                static_cast<unsigned long long>(limit >> 20));
  give_up(text);
}

void look_at_clocks() {
  while (true) {
    std::this_thread::sleep_for(kLook);
    timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    const std::int64_t processor = state().processor;
    if (std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec > processor) {
      char text[160];
      std::snprintf(text, sizeof text,
                    "the answer needs more than %lld s of processor time (--max-cpu sets the limit). Nothing is shown.",
                    static_cast<long long>(processor / 1'000'000'000));
      give_up(text);
    }
    if (std::chrono::steady_clock::now().time_since_epoch().count() > state().deadline) give_up(state().late);
  }
}

// The state's mutex is held.
void apply() {
  State& s = state();
  s.processor = processor_for(s.bytes);
  s.memory = memory_for(s.bytes);
  set_memory_limit(s.memory + kBesideLimit - kForTheEnd);
}

}  // namespace

void hold_to_limits(const std::string& command) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (!std::exchange(s.held, true)) {
    s.command = printable(command);
    std::set_new_handler(out_of_memory);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (!kShadow && pthread_attr_setstacksize(&attributes, kStack) == 0) pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
    std::thread(look_at_clocks).detach();
  }
  apply();
}

void without_processor_limit() {
  const std::lock_guard lock(state().mutex);
  state().endless = true;
  if (state().held) apply();
}

void allow_more_processor(Duration time) {
  const std::lock_guard lock(state().mutex);
  state().more += static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
  if (state().held) apply();
}

void lift_memory_limit() { set_memory_limit(RLIM_INFINITY); }

std::uint64_t memory_limit() {
  const std::lock_guard lock(state().mutex);
  return memory_for(state().bytes);
}

Deadline::Deadline(std::chrono::steady_clock::time_point until, const char* message) {
  state().late = message;
  state().deadline = until.time_since_epoch().count();
}
Deadline::~Deadline() { state().deadline = kNever; }

namespace file {

void widen_limits(const FileIdentity& file) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  std::uint64_t& size = s.sizes[{file.device, file.inode}];
  if (file.size <= size) return;
  s.bytes += file.size - size;
  size = file.size;
  if (s.held) apply();
}

}  // namespace file
}  // namespace tailcap::formats
