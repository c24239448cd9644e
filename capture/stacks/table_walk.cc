#include "capture/stacks/table_walk.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cstring>
#include <iterator>

namespace tailcap::capture::stacks {

using namespace bpf;

namespace {

// Fields of struct sigcontext in the frame of a signal, from where rsp is at its return.
constexpr std::uint64_t kSignalRbp = 120, kSignalRsp = 160, kSignalRip = 168;

// Entries that are not used are all ones. The last one that is not above; null: there is none.
template <class Entry, std::size_t N, class Of>
const Entry* last_not_above(const Entry (&entries)[N], std::uint64_t wanted, Of of) {
  const auto next = std::upper_bound(std::begin(entries), std::end(entries), wanted,
                                     [&](std::uint64_t a, const Entry& e) { return a < of(e); });
  return next == std::begin(entries) ? nullptr : &*(next - 1);
}

}  // namespace

std::optional<std::uint64_t> StackCopy::word(std::uint64_t address) const {
  std::uint64_t value = 0;
  if (address < start || address - start > bytes.size() || bytes.size() - (address - start) < sizeof value)
    return std::nullopt;
  std::memcpy(&value, bytes.data() + (address - start), sizeof value);
  return value;
}

struct TableWalk::State {
  unwind_process process;
  WalkedStack out;
  std::uint64_t pc = 0, sp = 0, bp = 0;
  bool exact = true, bp_known = true;

  std::optional<stack_end> add(std::uint64_t caller, std::uint64_t at) {
    if (out.frames.size() >= STACK_MAX) return STACK_END_CUT;
    out.frames.push_back(caller + exact);  // names are looked up one byte before a return address
    pc = caller;
    sp = at;
    return std::nullopt;
  }
};

const unwind_part* TableWalk::part(std::uint32_t id, std::uint32_t number) {
  const auto [at, fresh] = parts_.try_emplace(std::uint64_t{id} << 32 | number);
  if (fresh) {
    const unwind_key key{id, number};
    unwind_part value;
    if (bpf_map_lookup_elem(maps_.parts, &key, &value) == 0) at->second = value;
  }
  return at->second ? &*at->second : nullptr;
}

const unwind_range* TableWalk::mapping(const unwind_process& process, std::uint64_t address) {
  for (std::uint32_t number = 0; number < std::min<std::uint32_t>(process.parts, UNWIND_LISTS); ++number) {
    const unwind_part* ranges = part(process.list, number);
    if (!ranges) return nullptr;
    const unwind_range* range = last_not_above(ranges->ranges, address, [](const auto& r) { return r.start; });
    if (!range) return nullptr;  // of a later part all are above
    if (address < range->end) return range;
  }
  return nullptr;
}

const unwind_row* TableWalk::row(std::uint32_t table, std::uint32_t pc) {
  const unwind_part* index = part(table, 0);
  if (!index) return nullptr;
  const std::uint32_t* first = last_not_above(index->index, pc, [](std::uint32_t begin) { return begin; });
  const unwind_part* rows = first ? part(table, static_cast<std::uint32_t>(first - index->index) + 1) : nullptr;
  return rows ? last_not_above(rows->rows, pc, [](const auto& r) { return r.pc; }) : nullptr;
}

std::optional<stack_end> TableWalk::step_by_frame(State& state, const StackCopy& stack) {
  if (!state.bp_known) return STACK_END_NO_RULE;
  if (state.bp == 0) return STACK_END_ZERO;
  const auto above = stack.word(state.bp), caller = stack.word(state.bp + 8);
  if (!above || !caller) return STACK_END_UNREADABLE;
  if (*caller == 0) return STACK_END_ZERO;
  if (!mapping(state.process, *caller - 1)) return STACK_END_NO_RULE;
  state.exact = false;
  const auto end = state.add(*caller, state.bp + 16);
  state.bp = *above;
  return end;
}

std::optional<stack_end> TableWalk::step_by_rule(State& state, const unwind_row& rule, const StackCopy& stack) {
  const std::int64_t offset = rule.cfa;
  const std::uint64_t at = state.exact ? state.pc : state.pc - 1;
  if ((rule.how == UNWIND_RBP || rule.how == UNWIND_AT_RBP) && !state.bp_known) return STACK_END_NO_RULE;
  std::optional<std::uint64_t> cfa;
  if (rule.how == UNWIND_RSP) cfa = state.sp + static_cast<std::uint64_t>(8 * offset);
  if (rule.how == UNWIND_PLT) cfa = state.sp + ((at & 15) >= static_cast<std::uint64_t>(offset) ? 16 : 8);
  if (rule.how == UNWIND_RBP) cfa = state.bp + static_cast<std::uint64_t>(8 * offset);
  if (rule.how == UNWIND_AT_RBP && !(cfa = stack.word(state.bp + static_cast<std::uint64_t>(offset))))
    return STACK_END_UNREADABLE;
  if (!cfa || *cfa <= state.sp) return STACK_END_NO_RULE;
  const auto saved = stack.word(*cfa - 16), caller = stack.word(*cfa - 8);
  if (!saved || !caller) return STACK_END_UNREADABLE;
  std::optional<std::uint64_t> bp = state.bp;
  if (rule.rbp == 2)
    bp = saved;
  else if (rule.rbp == UNWIND_RBP_AT_RBP)
    bp = stack.word(state.bp);
  else if (rule.rbp != UNWIND_RBP_SAME && rule.rbp != UNWIND_RBP_UNKNOWN)
    bp = stack.word(*cfa - 8 * rule.rbp);
  if (!bp) return STACK_END_UNREADABLE;
  state.bp = *bp;
  if (rule.rbp == UNWIND_RBP_UNKNOWN)
    state.bp_known = false;
  else if (rule.rbp != UNWIND_RBP_SAME && rule.rbp != UNWIND_RBP_AT_RBP)
    state.bp_known = true;
  if (*caller == 0) return STACK_END_START;
  state.exact = false;
  return state.add(*caller, *cfa);
}

std::optional<stack_end> TableWalk::step(State& state, const StackCopy& stack) {
  const std::uint64_t at = state.exact ? state.pc : state.pc - 1;
  const unwind_range* range = mapping(state.process, at);
  const unwind_row* rule =
      range && range->table != 0 ? row(range->table, static_cast<std::uint32_t>(at - range->bias)) : nullptr;
  if (!rule || rule->how == UNWIND_FRAME) return step_by_frame(state, stack);
  if (rule->how == UNWIND_START) return STACK_END_START;
  if (rule->how != UNWIND_SIGNAL) return step_by_rule(state, *rule, stack);
  const auto bp = stack.word(state.sp + kSignalRbp), sp = stack.word(state.sp + kSignalRsp),
             pc = stack.word(state.sp + kSignalRip);
  if (!bp || !sp || !pc) return STACK_END_UNREADABLE;
  state.exact = state.bp_known = true;
  state.bp = *bp;
  return state.add(*pc, *sp);
}

std::optional<WalkedStack> TableWalk::walk(std::uint32_t pid, const UserRegisters& registers, const StackCopy& stack) {
  State state;
  if (maps_.parts < 0 || bpf_map_lookup_elem(maps_.processes, &pid, &state.process) != 0) return std::nullopt;
  state.pc = registers.ip;
  state.sp = registers.sp;
  state.bp = registers.bp;
  state.out.frames = {registers.ip};
  for (;;) {
    const auto end = step(state, stack);
    if (!end) continue;
    state.out.end = *end;
    return std::move(state.out);
  }
}

}  // namespace tailcap::capture::stacks
