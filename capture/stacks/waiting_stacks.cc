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
constexpr std::size_t kRegisters = 3;

struct Waiter {
  record_sample record;
  UserRegisters registers;
  Bytes kernel;  // addresses

  bool same_wait(const Waiter& other) const {
    return record.h.tid == other.record.h.tid && record.value == other.record.value && registers == other.registers;
  }
};

std::vector<Waiter> waiters(const Bytes& listed) {
  std::vector<Waiter> out;
  constexpr std::size_t kEach = sizeof(record_sample) + (kRegisters + 64) * sizeof(std::uint64_t);
  for (std::size_t at = 0; at + kEach <= listed.size(); at += kEach) {
    Waiter& each = out.emplace_back();
    std::memcpy(&each.record, listed.data() + at, sizeof each.record);
    std::memcpy(&each.registers, listed.data() + at + sizeof each.record, sizeof each.registers);
    const std::byte* kernel = listed.data() + at + sizeof each.record + sizeof each.registers;
    each.kernel.assign(kernel, kernel + std::min<std::size_t>(each.record.kernel, 64) * sizeof(std::uint64_t));
  }
  // Those that began to wait last first: threads without work wait longer than those with a request.
  std::ranges::stable_sort(out, std::greater(), [](const Waiter& w) { return w.record.value; });
  return out;
}

bool runs_scripts(const StackMaps& maps, std::uint32_t pid) {
  script_process process;
  return maps.scripts >= 0 && bpf_map_lookup_elem(maps.scripts, &pid, &process) == 0;
}

Bytes record_of(Waiter waiter, const WalkedStack& stack) {
  waiter.record.user = static_cast<std::uint16_t>(stack.frames.size());
  waiter.record.kernel = static_cast<std::uint16_t>(waiter.kernel.size() / sizeof(std::uint64_t));
  waiter.record.end = static_cast<std::uint16_t>(stack.end);
  Bytes out(sizeof waiter.record + stack.frames.size() * sizeof(std::uint64_t) + waiter.kernel.size());
  std::memcpy(out.data(), &waiter.record, sizeof waiter.record);
  std::memcpy(out.data() + sizeof waiter.record, stack.frames.data(), stack.frames.size() * sizeof(std::uint64_t));
  std::copy(waiter.kernel.begin(), waiter.kernel.end(), out.end() - static_cast<std::ptrdiff_t>(waiter.kernel.size()));
  return out;
}

}  // namespace

std::map<std::uint32_t, std::uint64_t> waiting_code(const Bytes& listed) {
  std::map<std::uint32_t, std::uint64_t> out;
  for (const Waiter& waiter : waiters(listed)) {
    if (out.size() < kMostThreads) out.try_emplace(waiter.record.h.pid, waiter.registers.ip);
  }
  return out;
}

bool has_tables(const StackMaps& maps, std::uint32_t pid) {
  unwind_process process;
  return maps.unwind.processes < 0 || bpf_map_lookup_elem(maps.unwind.processes, &pid, &process) == 0;
}

std::vector<Bytes> waiting_stacks(const scan::Processes& processes, const StackMaps& maps,
                                  const std::function<Bytes()>& list) {
  static_assert(sizeof(UserRegisters) == kRegisters * sizeof(std::uint64_t));
  const auto deadline = Clock::now() + kMostTime;
  scan::TargetFiles files(processes);
  TableWalk walk(maps.unwind);
  std::vector<std::pair<Waiter, WalkedStack>> walked;
  for (Waiter& waiter : waiters(list())) {
    if (walked.size() >= kMostThreads || Clock::now() >= deadline) break;
    // What a script does is in frames that only the running thread's walk reads: without them, it would be the
    // interpreter that waits.
    if (runs_scripts(maps, waiter.record.h.pid)) continue;
    const std::uint64_t start = waiter.registers.sp - kRedZone;
    const auto bytes = files.memory(waiter.record.h.pid, start, kMostStack);
    if (!bytes) continue;
    auto stack = walk.walk(waiter.record.h.pid, waiter.registers, {start, *bytes});
    if (!stack) continue;
    // There is more than was copied.
    if (stack->end == STACK_END_UNREADABLE && bytes->size() == kMostStack) stack->end = STACK_END_CUT;
    walked.emplace_back(std::move(waiter), std::move(*stack));
  }
  if (walked.empty()) return {};
  const auto still = waiters(list());
  std::vector<Bytes> out;
  for (auto& [waiter, stack] : walked) {
    if (std::ranges::any_of(still, [&](const Waiter& s) { return s.same_wait(waiter); }))
      out.push_back(record_of(std::move(waiter), stack));
  }
  return out;
}

}  // namespace tailcap::capture::stacks
