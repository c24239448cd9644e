// Walks a copy of a thread's stack by the tables in the kernel's maps, as bpf/sched/unwind.bpf.c walks a live one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bpf/event.h"
#include "capture/stacks/unwind_tables.h"

namespace tailcap::capture::stacks {

struct UserRegisters {
  std::uint64_t ip = 0, sp = 0, bp = 0;
  bool operator==(const UserRegisters&) const = default;
};

// A piece of memory, from this address on.
struct StackCopy {
  std::uint64_t start = 0;
  std::string_view bytes;
  std::optional<std::uint64_t> word(std::uint64_t address) const;
};

struct WalkedStack {
  std::vector<std::uint64_t> frames;  // as in record_sample
  bpf::stack_end end = bpf::STACK_END_UNKNOWN;
};

class TableWalk {
 public:
  explicit TableWalk(UnwindMaps maps) : maps_(maps) {}

  // Nothing: the process has no tables.
  std::optional<WalkedStack> walk(std::uint32_t pid, const UserRegisters& registers, const StackCopy& stack);

 private:
  struct State;
  const bpf::unwind_part* part(std::uint32_t id, std::uint32_t number);
  const bpf::unwind_range* mapping(const bpf::unwind_process& process, std::uint64_t address);
  const bpf::unwind_row* row(std::uint32_t table, std::uint32_t pc);
  std::optional<bpf::stack_end> step(State& state, const StackCopy& stack);
  std::optional<bpf::stack_end> step_by_frame(State& state, const StackCopy& stack);
  std::optional<bpf::stack_end> step_by_rule(State& state, const bpf::unwind_row& rule, const StackCopy& stack);

  const UnwindMaps maps_;
  std::unordered_map<std::uint64_t, std::optional<bpf::unwind_part>> parts_;  // as they were at the first look
};

}  // namespace tailcap::capture::stacks
