// The instructions of one function and which may follow which.
//
// The function may consist of several parts (GCC puts unlikely paths elsewhere; a tail call leads to another function).
// A jump out of all parts is an exit. Code is read as data: nothing is assumed about it except that control does not
// run past the end of a part.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/instruction.h"

namespace tailcap::capture::symbols {

struct CodePart {
  std::uint64_t address = 0;
  std::string bytes;
};

struct FunctionCode {
  std::vector<CodePart> parts;              // the first begins at the function's entry; they do not overlap
  std::vector<std::uint64_t> never_return;  // sorted: calls to these addresses end a path
};

class FunctionGraph {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;
  static constexpr std::size_t kMaxInstructions = 50000;  // handshakes have thousands; a limit for what is hostile

  struct Node {
    Instruction instruction;
    std::array<std::uint32_t, 2> successors{kNone, kNone};  // next (or a jump's target), a branch's target
    bool exits = false;                                     // may leave the function other than by a return or a call
    bool guessed = false;  // found by reading on in address order: what jumps here is not known
  };

  explicit FunctionGraph(FunctionCode code);

  bool whole() const { return problem_.empty(); }  // every instruction that can be reached was read
  const std::string& problem() const { return problem_; }
  bool has_switch() const { return has_switch_; }  // jumps through a table that was not read

  const std::vector<Node>& nodes() const { return nodes_; }  // by address
  std::uint32_t entry() const { return entry_; }             // kNone: not even the first instruction could be read
  std::span<const std::uint32_t> predecessors(std::uint32_t node) const;
  // Targets of jumps out of all parts, sorted.
  const std::vector<std::uint64_t>& exits() const { return exits_; }
  bool has_indirect_exit() const { return has_indirect_exit_; }
  bool in_first_part(std::uint64_t address) const;
  // Whether some path from just after `from` comes to `to`.
  bool reaches(std::uint32_t from, std::uint32_t to) const;
  std::string text(std::uint32_t node) const;

 private:
  std::string_view code_at(std::uint64_t address) const;
  void explore(std::vector<std::uint64_t> pending, bool guessed);
  void sweep();
  void connect();
  void classify_indirect_jumps();
  std::uint32_t find(std::uint64_t address) const;

  FunctionCode code_;
  std::vector<Node> nodes_;
  std::uint32_t entry_ = kNone;
  std::vector<std::uint32_t> predecessor_start_, predecessors_;
  std::vector<std::uint64_t> exits_;
  bool has_switch_ = false, has_indirect_exit_ = false;
  std::string problem_;
};

}  // namespace tailcap::capture::symbols
