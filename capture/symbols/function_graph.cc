#include "capture/symbols/function_graph.h"

#include <algorithm>
#include <unordered_set>

#include "ground/text.h"

namespace tailcap::capture::symbols {

namespace {

bool by_address(const FunctionGraph::Node& node, std::uint64_t address) { return node.instruction.address < address; }

}  // namespace

FunctionGraph::FunctionGraph(FunctionCode code) : code_(std::move(code)) {
  if (code_.parts.empty() || code_.parts[0].bytes.empty()) {
    problem_ = "the function has no code";
    return;
  }
  explore({code_.parts[0].address}, false);
  classify_indirect_jumps();
  // Behind a table that was not read there is code that no jump is known to lead to.
  if (has_switch_) sweep();
  if (has_switch_) classify_indirect_jumps();
  connect();
}

std::string_view FunctionGraph::code_at(std::uint64_t address) const {
  for (const CodePart& part : code_.parts) {
    if (address >= part.address && address - part.address < part.bytes.size())
      return std::string_view(part.bytes).substr(address - part.address);
  }
  return {};
}

bool FunctionGraph::in_first_part(std::uint64_t address) const {
  return !code_.parts.empty() && address >= code_.parts[0].address &&
         address - code_.parts[0].address < code_.parts[0].bytes.size();
}

void FunctionGraph::explore(std::vector<std::uint64_t> pending, bool guessed) {
  Disassembler disassembler;
  std::unordered_set<std::uint64_t> seen;
  for (const Node& node : nodes_) seen.insert(node.instruction.address);
  while (!pending.empty()) {
    const std::uint64_t address = pending.back();
    pending.pop_back();
    const std::string_view bytes = code_at(address);
    if (bytes.empty() || seen.contains(address)) continue;
    if (nodes_.size() >= kMaxInstructions) {
      problem_ = "the function has more than " + std::to_string(kMaxInstructions) + " instructions";
      break;
    }
    seen.insert(address);
    const auto instruction = disassembler.decode(bytes, address);
    if (!instruction) {
      // In address order there may be data between pieces of code; a path that was followed must be readable.
      if (!guessed) problem_ = "the bytes at 0x" + ground::hex_text(address) + " are no instruction that is known here";
      continue;
    }
    nodes_.push_back({*instruction, {kNone, kNone}, false, guessed});
    const Flow flow = instruction->flow;
    if (flow == Flow::branch || flow == Flow::jump) pending.push_back(instruction->target);
    const bool returns = flow != Flow::call ||
                         !std::binary_search(code_.never_return.begin(), code_.never_return.end(), instruction->target);
    if (flow == Flow::next || flow == Flow::branch || flow == Flow::indirect_call || (flow == Flow::call && returns))
      pending.push_back(address + instruction->length);
  }
  std::sort(nodes_.begin(), nodes_.end(),
            [](const Node& a, const Node& b) { return a.instruction.address < b.instruction.address; });
}

void FunctionGraph::sweep() {
  // Each gap between what was found is read from its start; what is found there leads on by itself.
  std::vector<std::uint64_t> starts;
  for (const CodePart& part : code_.parts) {
    std::uint64_t at = part.address;
    auto node = std::lower_bound(nodes_.begin(), nodes_.end(), at, by_address);
    const std::uint64_t end = part.address + part.bytes.size();
    Disassembler disassembler;
    while (at < end) {
      node = std::lower_bound(node, nodes_.end(), at, by_address);
      if (node != nodes_.end() && node->instruction.address == at) {
        at += node->instruction.length;
        continue;
      }
      const auto instruction = disassembler.decode(code_at(at), at);
      if (starts.size() >= kMaxInstructions) break;
      if (instruction) starts.push_back(at);
      at += instruction ? instruction->length : 1;
    }
  }
  explore(std::move(starts), true);
}

std::uint32_t FunctionGraph::find(std::uint64_t address) const {
  const auto node = std::lower_bound(nodes_.begin(), nodes_.end(), address, by_address);
  if (node == nodes_.end() || node->instruction.address != address) return kNone;
  return static_cast<std::uint32_t>(node - nodes_.begin());
}

void FunctionGraph::classify_indirect_jumps() {
  has_switch_ = has_indirect_exit_ = false;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    if (node.instruction.flow != Flow::indirect_jump) continue;
    const bool adjacent =
        i > 0 && nodes_[i - 1].instruction.address + nodes_[i - 1].instruction.length == node.instruction.address;
    const Instruction* before = adjacent ? &nodes_[i - 1].instruction : nullptr;
    // A tail call gives the stack back first. A switch adds the table's entry to the table's address.
    const bool tail = before && before->stack_known && before->stack_change > 0;
    const bool table = node.instruction.table_jump || (before && before->adds_to);
    has_switch_ |= !tail;
    node.exits = !table;
    has_indirect_exit_ |= !table;
  }
}

void FunctionGraph::connect() {
  entry_ = find(code_.parts[0].address);
  std::vector<std::uint32_t> count(nodes_.size() + 1, 0);
  for (Node& node : nodes_) {
    const Instruction& i = node.instruction;
    const bool on =
        i.flow == Flow::next || i.flow == Flow::branch || i.flow == Flow::indirect_call ||
        (i.flow == Flow::call && !std::binary_search(code_.never_return.begin(), code_.never_return.end(), i.target));
    // Code that runs to the end of a part is a call that never returns, or is never run.
    if (on) node.successors[0] = find(i.address + i.length);
    if (i.flow == Flow::jump || i.flow == Flow::branch) {
      const std::uint32_t target = find(i.target);
      node.successors[i.flow == Flow::jump ? 0 : 1] = target;
      if (target == kNone) {
        node.exits = true;
        exits_.push_back(i.target);
      }
    }
    for (const std::uint32_t next : node.successors) {
      if (next != kNone) ++count[next + 1];
    }
  }
  std::sort(exits_.begin(), exits_.end());
  exits_.erase(std::unique(exits_.begin(), exits_.end()), exits_.end());
  for (std::size_t i = 1; i < count.size(); ++i) count[i] += count[i - 1];
  predecessor_start_ = count;
  predecessors_.resize(count.back());
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    for (const std::uint32_t next : nodes_[i].successors) {
      if (next != kNone) predecessors_[count[next]++] = i;
    }
  }
}

std::span<const std::uint32_t> FunctionGraph::predecessors(std::uint32_t node) const {
  return std::span(predecessors_)
      .subspan(predecessor_start_[node], predecessor_start_[node + 1] - predecessor_start_[node]);
}

bool FunctionGraph::reaches(std::uint32_t from, std::uint32_t to) const {
  std::vector<bool> seen(nodes_.size(), false);
  std::vector<std::uint32_t> pending{from};
  while (!pending.empty()) {
    const std::uint32_t at = pending.back();
    pending.pop_back();
    for (const std::uint32_t next : nodes_[at].successors) {
      if (next == to) return true;
      if (next == kNone || seen[next]) continue;
      seen[next] = true;
      pending.push_back(next);
    }
  }
  return false;
}

std::string FunctionGraph::text(std::uint32_t node) const {
  Disassembler disassembler;
  const Instruction& instruction = nodes_[node].instruction;
  return disassembler.text(code_at(instruction.address).substr(0, instruction.length), instruction.address);
}

}  // namespace tailcap::capture::symbols
