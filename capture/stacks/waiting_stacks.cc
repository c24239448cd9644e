#include "capture/stacks/waiting_stacks.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "bpf/event.h"
#include "capture/scan/target_files.h"
#include "capture/stacks/table_walk.h"

namespace tailcap::capture::stacks {

using namespace bpf;

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kMostThreads = 256;
constexpr auto kMostTime = 300ms;  // then no further process is asked
constexpr std::uint32_t kMostStack = 64u << 10;
constexpr std::uint64_t kRedZone = 128;  // a function uses it below its stack pointer

UserRegisters registers_of(const waiting_thread& waiter) { return {waiter.ip, waiter.sp, waiter.bp}; }

bool same_wait(const waiting_thread& one, const waiting_thread& other) {
  return one.record.h.tid == other.record.h.tid && one.record.value == other.record.value &&
         registers_of(one) == registers_of(other);
}

std::vector<waiting_thread> waiters(const Bytes& listed) {
  std::vector<waiting_thread> out(listed.size() / sizeof(waiting_thread));
  if (!out.empty()) std::memcpy(out.data(), listed.data(), out.size() * sizeof(waiting_thread));
  // Those that began to wait last first: threads without work wait longer than those with a request.
  std::ranges::stable_sort(out, std::greater(), [](const waiting_thread& w) { return w.record.value; });
  return out;
}

bool runs_scripts(const StackMaps& maps, std::uint32_t pid) {
  script_process process;
  return maps.scripts >= 0 && bpf_map_lookup_elem(maps.scripts, &pid, &process) == 0;
}

Bytes record_of(const waiting_thread& waiter, const WalkedStack& stack) {
  record_sample record = waiter.record;
  record.user = static_cast<std::uint16_t>(stack.frames.size());
  record.kernel = std::min<std::uint16_t>(record.kernel, WAITING_KERNEL);
  record.end = static_cast<std::uint16_t>(stack.end);
  Bytes out;
  const auto add = [&out](auto values) {
    const auto bytes = std::as_bytes(values);
    out.insert(out.end(), bytes.begin(), bytes.end());
  };
  add(std::span(&record, 1));
  add(std::span(stack.frames));
  add(std::span(waiter.kernel, record.kernel));
  return out;
}

}  // namespace

std::map<std::uint32_t, std::uint64_t> waiting_code(const Bytes& listed) {
  std::map<std::uint32_t, std::uint64_t> out;
  for (const waiting_thread& waiter : waiters(listed)) {
    if (out.size() < kMostThreads) out.try_emplace(waiter.record.h.pid, waiter.ip);
  }
  return out;
}

bool has_tables(const StackMaps& maps, std::uint32_t pid) {
  unwind_process process;
  return maps.unwind.processes < 0 || bpf_map_lookup_elem(maps.unwind.processes, &pid, &process) == 0;
}

std::vector<Bytes> waiting_stacks(const scan::Processes& processes, const StackMaps& maps,
                                  const std::function<Bytes()>& list) {
  const auto deadline = Clock::now() + kMostTime;
  scan::TargetFiles files(processes);
  TableWalk walk(maps.unwind);
  std::vector<std::pair<waiting_thread, WalkedStack>> walked;
  for (const waiting_thread& waiter : waiters(list())) {
    if (walked.size() >= kMostThreads || Clock::now() >= deadline) break;
    // What a script does is in frames that only the running thread's walk reads: without them, it would be the
    // interpreter that waits.
    if (runs_scripts(maps, waiter.record.h.pid)) continue;
    const std::uint64_t start = waiter.sp - kRedZone;
    const auto bytes = files.memory(waiter.record.h.pid, start, kMostStack);
    if (!bytes) continue;
    auto stack = walk.walk(waiter.record.h.pid, registers_of(waiter), {start, *bytes});
    if (!stack) continue;
    // There is more than was copied.
    if (stack->end == STACK_END_UNREADABLE && bytes->size() == kMostStack) stack->end = STACK_END_CUT;
    walked.emplace_back(waiter, std::move(*stack));
  }
  if (walked.empty()) return {};
  const auto still = waiters(list());
  std::vector<Bytes> out;
  for (const auto& [waiter, stack] : walked) {
    if (std::ranges::any_of(still, [&](const waiting_thread& now) { return same_wait(now, waiter); }))
      out.push_back(record_of(waiter, stack));
  }
  return out;
}

}  // namespace tailcap::capture::stacks
