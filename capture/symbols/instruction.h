// One x86-64 instruction, as far as placing a probe needs it. All that is tied to this processor is in instruction.cc
// and in the argument registers of probe_place.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tailcap::capture::symbols {

enum class Flow : std::uint8_t {
  next,
  branch,  // to target or to the next one
  jump,    // to target
  call,    // target, then the next one
  indirect_call,
  indirect_jump,  // tail call or switch
  ret,
  stop,  // ud2, hlt, int3: nothing comes after it
};

using RegisterMask =
    std::uint16_t;  // bit n: general register with the hardware's number n (0 rax, 1 rcx, 2 rdx, … 15 r15)

struct Instruction {
  std::uint64_t address = 0;
  std::uint8_t length = 0;
  Flow flow = Flow::next;
  std::uint64_t target = 0;    // of branch, jump, call
  std::uint8_t condition = 0;  // of a branch: the hardware's condition code (6 is "be", 8 is "s")
  RegisterMask writes = 0;     // wholly or in part; a call's callee is not counted here
  bool emulated = false;       // the kernel's uprobes carry it out without a single step, in every kernel from 5.5 on
  bool probeable = false;      // the kernel accepts a uprobe on it
  bool push = false;
  bool stack_known = true;        // stack_change is right
  std::int32_t stack_change = 0;  // what it adds to the stack pointer (a call: after its return)
  bool checks_canary = false;     // compares with the stack protector's value
  bool adds_to = false;           // "add reg, reg" or an indexed load: what comes before the jump of a switch
  bool table_jump = false;        // indirect jump through an indexed table
};

class Disassembler {
 public:
  Disassembler();  // throws std::runtime_error if the disassembler does not start
  ~Disassembler();
  Disassembler(const Disassembler&) = delete;
  Disassembler& operator=(const Disassembler&) = delete;

  // The instruction at the start of code; nothing if there is none that is whole.
  std::optional<Instruction> decode(std::string_view code, std::uint64_t address);
  // The same for people: "jne 0x35477".
  std::string text(std::string_view code, std::uint64_t address);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tailcap::capture::symbols
