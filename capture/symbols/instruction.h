// One instruction of the processor that the recorder runs on, as far as placing a probe needs it: x86-64 in
// instruction.cc, arm64 in instruction_arm64.cc.
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
    std::uint16_t;  // bit n: general register with the hardware's number n (0 rax, 1 rcx, 2 rdx, … 15 r15; x0 to x15)

struct Instruction {
  std::uint64_t address = 0;
  std::uint8_t length = 0;
  Flow flow = Flow::next;
  std::uint64_t target = 0;    // of branch, jump, call
  std::uint8_t condition = 0;  // of a branch: x86-64's condition code (6 is "be", 8 is "s")
  RegisterMask writes = 0;     // wholly or in part; a call's callee is not counted here
  bool emulated = false;       // the kernel's uprobes carry it out without a single step, in every kernel from 5.5 on
  bool probeable = false;      // the kernel accepts a uprobe on it
  bool push = false;
  bool nop5 = false;              // five bytes that do nothing
  bool stack_known = true;        // stack_change is right
  std::int32_t stack_change = 0;  // what it adds to the stack pointer (a call: after its return)
  bool checks_canary = false;     // compares with the stack protector's value
  bool adds_to = false;           // "add reg, reg" or an indexed load: what comes before the jump of a switch
  bool table_jump = false;        // indirect jump through an indexed table
};

// A uprobe on it has the kernel carry the call out, which until the fix of July 2026 left a user shadow stack as it
// was: the function's return then ends the process.
inline bool is_call(const Instruction& i) { return i.flow == Flow::call || i.flow == Flow::indirect_call; }

// From Linux 6.18 on the kernel rewrites a probed nop of five bytes into a call, which writes below the stack pointer.
// Functions that call no other keep their variables there, so inside a function such a nop is no place; before the
// first instruction nothing is kept there.
inline bool unsafe_nop(const Instruction& i, std::uint64_t function) { return i.nop5 && i.address != function; }

// Decodes arm64, on any machine.
std::optional<Instruction> decode_arm64(std::string_view code, std::uint64_t address);

// For the processor that the recorder runs on.
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
