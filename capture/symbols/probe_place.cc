#include "capture/symbols/probe_place.h"

#include <algorithm>
#include <cassert>

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint32_t kNone = FunctionGraph::kNone;
constexpr int kLongestPrefix = 256;  // instructions before the first branch; prologues have dozens

RegisterMask mask_of(const std::vector<int>& registers, int count) {
  assert(count >= 0 && count <= static_cast<int>(registers.size()));
  RegisterMask mask = 0;
  for (int i = 0; i < count; ++i) mask |= static_cast<RegisterMask>(1u << registers[static_cast<std::size_t>(i)]);
  return mask;
}

Place place_at(const FunctionGraph& graph, std::uint32_t node, std::optional<std::int64_t> depth) {
  const Instruction& i = graph.nodes()[node].instruction;
  return {i.address, i.emulated ? Price::emulated : Price::single_stepped, graph.text(node), depth,
          !graph.in_first_part(i.address)};
}

// Whether everything that starts at `from` reaches `entry`, and neither `place` nor an end before it.
bool only_leads_to(const FunctionGraph& graph, std::uint32_t from, std::uint32_t entry, std::uint32_t place) {
  std::vector<bool> seen(graph.nodes().size(), false);
  std::vector<std::uint32_t> pending{from};
  bool arrived = false;
  while (!pending.empty()) {
    const std::uint32_t at = pending.back();
    pending.pop_back();
    if (at == entry) {
      arrived = true;
      continue;
    }
    if (at == kNone || at == place) return false;
    if (seen[at]) continue;
    seen[at] = true;
    const FunctionGraph::Node& node = graph.nodes()[at];
    if (node.exits || node.successors[0] == kNone) return false;
    for (const std::uint32_t next : node.successors) {
      if (next != kNone) pending.push_back(next);
    }
  }
  return arrived;
}

}  // namespace

#if defined(__aarch64__)
std::vector<int> argument_registers(CallConvention convention) {
  if (convention == CallConvention::system_v) return {0, 1, 2, 3, 4, 5};
  return {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
}

std::vector<int> result_registers(CallConvention convention) {
  if (convention == CallConvention::system_v) return {0, 1};
  return {0, 1, 2, 3, 4, 5, 6, 7, 8};
}
#else
std::vector<int> argument_registers(CallConvention convention) {
  if (convention == CallConvention::system_v) return {7, 6, 2, 1, 8, 9};
  return {0, 3, 1, 7, 6, 8, 9, 10, 11};
}

std::vector<int> result_registers(CallConvention convention) {
  if (convention == CallConvention::system_v) return {0, 2};
  return {0, 3, 1, 7, 6, 8, 9, 10, 11};
}
#endif

EntryChoice choose_entry(const FunctionGraph& graph, const Signature& signature, Calls calls) {
  EntryChoice choice;
  if (graph.entry() == kNone) {
    choice.reason = graph.problem();
    return choice;
  }
  if (!graph.whole()) {
    // Unread paths might return to any place except before the first instruction's stack frame.
    choice.may_repeat = true;
  }
  const RegisterMask needed = mask_of(argument_registers(signature.convention), signature.arguments);
  std::optional<Place> checked, stepped;  // the branch of a stack check; the first instruction of any kind
  std::uint8_t condition = 0;
  bool stepped_repeats = false;
  std::optional<std::int64_t> depth = 0;
  std::uint32_t at = graph.entry();
  RegisterMask written = 0;
  std::string stop = "the instructions before the first branch";
  for (int step = 0; step < kLongestPrefix && at != kNone && (written & needed) == 0; ++step) {
    const FunctionGraph::Node& node = graph.nodes()[at];
    const Instruction& i = node.instruction;
    const bool again = graph.reaches(at, at);
    const bool stack_check = signature.convention == CallConvention::go_registers && i.flow == Flow::branch &&
                             node.successors[1] != kNone && only_leads_to(graph, node.successors[1], graph.entry(), at);
    // A single step costs more than the emulation of a call, but cannot harm a process.
    // Go's stack check comes before anything that moves the stack pointer in a way that cannot be followed.
    const bool lost = checked && !depth;
    if (i.emulated && !again && !lost && !(is_call(i) && stepped && calls == Calls::last)) {
      choice.place = place_at(graph, at, depth);
      // A push executes once per call: in a loop it would grow the stack with each iteration.
      choice.may_repeat = (choice.may_repeat || graph.has_switch()) && !i.push;
      choice.reason = "first emulated instruction at which the arguments are in their registers";
      return choice;
    }
    if (i.emulated && stack_check && !checked) {
      checked = place_at(graph, at, depth);
      condition = i.condition;
    }
    if (i.probeable && !stepped && !unsafe_nop(i, graph.nodes()[graph.entry()].instruction.address)) {
      stepped = place_at(graph, at, depth);
      stepped->price = i.emulated ? Price::emulated : Price::single_stepped;
      stepped_repeats = again;
    }
    written |= i.writes;
    depth = depth && i.stack_known ? std::optional(*depth - i.stack_change) : std::nullopt;
    if (i.flow == Flow::next || i.flow == Flow::jump || (i.flow == Flow::branch && stack_check)) {
      at = node.successors[0];
    } else {
      break;  // a call clobbers the registers, and after a branch not every call passes
    }
  }
  if (checked) {
    choice.place = checked;
    choice.skip_when_taken = true;
    choice.condition = condition;
    choice.reason = "the branch of the stack check; hits at which it is taken come by again";
    return choice;
  }
  choice.place = stepped;
  choice.may_repeat = choice.may_repeat || stepped_repeats || graph.has_switch();
  choice.reason = stepped
                      ? "no emulated instruction is passed by every call while the arguments are in their registers"
                      : "the kernel takes no probe on any instruction at which the arguments are in their registers";
  return choice;
}

Price ResultChoice::price() const {
  const bool cheap =
      std::all_of(places.begin(), places.end(), [](const Place& p) { return p.price == Price::emulated; });
  return cheap && !places.empty() ? Price::emulated : Price::single_stepped;
}

namespace {

// The stack depth just before `node`, counted back from the return that a straight line reaches from it.
std::optional<std::int64_t> depth_before(const FunctionGraph& graph, std::uint32_t node) {
  std::int64_t depth = 0;
  for (int step = 0; step < kLongestPrefix && node != kNone; ++step) {
    const Instruction& i = graph.nodes()[node].instruction;
    if (i.flow == Flow::ret) return depth;
    if (!i.stack_known || (i.flow != Flow::next && i.flow != Flow::jump && i.flow != Flow::branch)) return std::nullopt;
    depth += i.stack_change;
    node = graph.nodes()[node].successors[0];
  }
  return std::nullopt;
}

class ResultSearch {
 public:
  ResultSearch(const FunctionGraph& graph, RegisterMask results, Calls calls)
      : graph_(graph), results_(results), calls_(calls) {}

  ResultChoice run() {
    ResultChoice choice;
    choice.exits = graph_.exits();
    choice.complete = graph_.whole() && graph_.exits().empty() && !graph_.has_indirect_exit();
    for (std::uint32_t i = 0; i < graph_.nodes().size(); ++i) {
      if (graph_.nodes()[i].instruction.flow == Flow::ret) returns_.push_back(i);
    }
    if (returns_.empty()) {
      choice.complete = false;
      choice.reason = graph_.whole() ? "the function ends in other functions only (tail calls)" : graph_.problem();
      return choice;
    }
    mark_final();
    std::vector<std::uint32_t> nodes = nearest_to_returns();
    choice.reason = "emulated instructions that the returns pass with the result in place";
    if (nodes != returns_ && passed_twice(nodes)) nodes = returns_;
    const auto stepped = std::count_if(nodes.begin(), nodes.end(), [&](auto n) { return !instruction(n).emulated; });
    if (stepped == static_cast<std::ptrdiff_t>(nodes.size())) {
      choice.reason = "no emulated instruction between the result and the return";
    } else if (stepped > 0) {
      choice.reason = "some returns pass an emulated instruction with the result in place, the others do not";
    }
    for (const std::uint32_t node : nodes) {
      if (!instruction(node).probeable) {
        choice.complete = false;
        choice.reason += "; the kernel takes no probe on one return";
        continue;
      }
      choice.places.push_back(place_at(graph_, node, depth_before(graph_, node)));
    }
    if (!graph_.whole()) choice.reason += "; " + graph_.problem();
    if (!choice.exits.empty() || graph_.has_indirect_exit())
      choice.reason += "; calls that end in a tail call are not seen";
    return choice;
  }

 private:
  const Instruction& instruction(std::uint32_t node) const { return graph_.nodes()[node].instruction; }

  bool spoils(std::uint32_t node) const {
    const FunctionGraph::Node& n = graph_.nodes()[node];
    const Flow flow = n.instruction.flow;
    if (n.exits || flow == Flow::indirect_jump || (n.instruction.writes & results_) != 0) return true;
    const bool returns = n.successors[0] != kNone;  // from a call
    return (flow == Flow::call || flow == Flow::indirect_call) && returns;
  }

  // final_: on every path from just before this instruction, the results are not modified any more. returns_from_: some
  // path reaches a return.
  void mark_final() {
    const std::size_t count = graph_.nodes().size();
    final_.assign(count, true);
    returns_from_.assign(count, false);
    std::vector<std::uint32_t> pending;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (spoils(i)) {
        final_[i] = false;
        pending.push_back(i);
      }
    }
    spread(pending, final_, false);
    for (const std::uint32_t i : returns_) returns_from_[i] = true;
    spread(returns_, returns_from_, true);
  }

  void spread(std::vector<std::uint32_t> pending, std::vector<bool>& marks, bool value) const {
    while (!pending.empty()) {
      const std::uint32_t at = pending.back();
      pending.pop_back();
      for (const std::uint32_t before : graph_.predecessors(at)) {
        if (marks[before] == value) continue;
        marks[before] = value;
        pending.push_back(before);
      }
    }
  }

  // If a switch was not read, its jump might land between a place and its return. Not behind the stack protector's
  // branch, though: a way around that would be a way around the protection.
  bool candidate(std::uint32_t node) const {
    if (calls_ == Calls::last && is_call(instruction(node))) return false;
    if (!instruction(node).emulated || !final_[node] || !returns_from_[node]) return false;
    if (!graph_.has_switch()) return true;
    const auto before = graph_.predecessors(node);
    return before.size() == 1 && instruction(before[0]).checks_canary;
  }

  // Walks back from each return to the nearest candidate on every path; a return with a path that has none is its own.
  std::vector<std::uint32_t> nearest_to_returns() const {
    std::vector<std::uint32_t> found;
    for (const std::uint32_t end : returns_) {
      std::vector<std::uint32_t> mine, pending{end};
      std::vector<bool> seen(graph_.nodes().size(), false);
      seen[end] = true;
      bool covered = true;
      while (!pending.empty() && covered) {
        const std::uint32_t at = pending.back();
        pending.pop_back();
        const auto before = graph_.predecessors(at);
        // No known predecessor: the entry, or the target of a jump table.
        covered = at != graph_.entry() && !before.empty();
        for (const std::uint32_t node : before) {
          if (seen[node]) continue;
          seen[node] = true;
          if (candidate(node)) {
            mine.push_back(node);
          } else if (final_[node]) {
            pending.push_back(node);
          } else {
            covered = false;
          }
        }
      }
      if (covered) {
        found.insert(found.end(), mine.begin(), mine.end());
      } else {
        found.push_back(end);
      }
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  // Whether one call could pass two of them.
  bool passed_twice(const std::vector<std::uint32_t>& nodes) const {
    std::vector<bool> chosen(graph_.nodes().size(), false), seen(graph_.nodes().size(), false);
    for (const std::uint32_t node : nodes) chosen[node] = true;
    std::vector<std::uint32_t> pending(nodes);
    while (!pending.empty()) {
      const std::uint32_t at = pending.back();
      pending.pop_back();
      for (const std::uint32_t next : graph_.nodes()[at].successors) {
        if (next == kNone) continue;
        if (chosen[next]) return true;
        if (seen[next]) continue;
        seen[next] = true;
        pending.push_back(next);
      }
    }
    return false;
  }

  const FunctionGraph& graph_;
  const RegisterMask results_;
  const Calls calls_;
  std::vector<std::uint32_t> returns_;
  std::vector<bool> final_, returns_from_;
};

}  // namespace

ResultChoice choose_results(const FunctionGraph& graph, const Signature& signature, Calls calls) {
  return ResultSearch(graph, mask_of(result_registers(signature.convention), signature.results), calls).run();
}

}  // namespace tailcap::capture::symbols
