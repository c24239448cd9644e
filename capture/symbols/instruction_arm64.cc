#include <cstring>

#include "capture/symbols/instruction.h"

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint8_t kSize = 4;
constexpr unsigned kStack = 31;  // where an instruction takes it for the stack pointer, not for zero

// Bits of an instruction, by the numbers in Arm's manual.
struct ArmWord {
  std::uint32_t bits;
  std::uint32_t part(unsigned high, unsigned low) const { return bits >> low & ((1u << (high - low + 1)) - 1); }
  bool is(std::uint32_t mask, std::uint32_t value) const { return (bits & mask) == value; }
  std::int64_t number(unsigned high, unsigned low) const {  // signed
    const std::int64_t value = part(high, low), sign = std::int64_t{1} << (high - low);
    return (value ^ sign) - sign;
  }
};

// Registers from x16 on pass no arguments: the mask has no place for them.
RegisterMask mask_of_x(unsigned number) {
  return number < 16 ? static_cast<RegisterMask>(1u << number) : RegisterMask{0};
}

bool is_load_or_store(ArmWord w) { return (w.bits & 0x0a000000) == 0x08000000; }
bool is_pair(ArmWord w) { return w.is(0x3a000000, 0x28000000); }
bool is_single(ArmWord w) { return w.is(0x3a000000, 0x38000000); }

// It changes the register of its address, before or after.
bool writes_back(ArmWord w) {
  if (is_pair(w)) return w.part(24, 23) == 1 || w.part(24, 23) == 3;
  if (is_single(w)) return w.part(24, 24) == 0 && (w.part(21, 21) == 0 ? w.part(10, 10) == 1 : w.part(11, 10) == 3);
  return w.is(0xbf800000, 0x0c800000) || w.is(0xbf800000, 0x0d800000);  // vectors
}

// Where an encoding is not known here, all that it could write is written.
RegisterMask changed_by_memory(ArmWord w) {
  const RegisterMask address = writes_back(w) ? mask_of_x(w.part(9, 5)) : RegisterMask{0};
  const bool vector = w.part(26, 26) != 0;
  const RegisterMask one = mask_of_x(w.part(4, 0)), two = mask_of_x(w.part(14, 10));
  if (vector) return address;
  if (is_pair(w)) return w.part(22, 22) ? static_cast<RegisterMask>(address | one | two) : address;
  if (w.is(0x3b000000, 0x18000000)) return one;  // from a place beside the code
  if (is_single(w)) {
    const bool stores = w.part(23, 22) == 0 && !(w.part(24, 24) == 0 && w.part(21, 21) == 1 && w.part(11, 10) == 0);
    return stores ? address : static_cast<RegisterMask>(address | one);
  }
  return static_cast<RegisterMask>(one | two | mask_of_x(w.part(20, 16)) | mask_of_x(w.part(9, 5)));
}

RegisterMask changed(ArmWord w) {
  const unsigned kind = w.part(28, 25);
  if (is_load_or_store(w)) return changed_by_memory(w);
  if (kind == 0x8 || kind == 0x9)
    return w.is(0x1f000000, 0x11000000) && w.part(4, 0) == kStack ? RegisterMask{0} : mask_of_x(w.part(4, 0));
  if (kind == 0x5 || kind == 0xd) return w.is(0x1fe00000, 0x1a400000) ? RegisterMask{0} : mask_of_x(w.part(4, 0));
  if (kind == 0x7 || kind == 0xf) return mask_of_x(w.part(4, 0));  // a few of these write a general register
  if (kind == 0xa || kind == 0xb) {
    if (w.is(0xff000000, 0xd4000000)) return 1;  // a system call's result
    return w.is(0xffc00000, 0xd5000000) ? mask_of_x(w.part(4, 0)) : RegisterMask{0};
  }
  return 0xffff;
}

void lead_on(ArmWord w, Instruction& out) {
  const auto to = [&](unsigned high, unsigned low) {
    return out.address + static_cast<std::uint64_t>(w.number(high, low) * 4);
  };
  if (w.is(0xfc000000, 0x14000000) || w.is(0xfc000000, 0x94000000)) {
    out.flow = w.bits >> 31 ? Flow::call : Flow::jump;
    out.target = to(25, 0);
  } else if (w.is(0xff000000, 0x54000000)) {
    out.flow = Flow::branch;
    out.target = to(23, 5);
    // "Lower or same" and "minus" have the numbers of x86-64, which the kernel programs know; the others none that is
    // used.
    const unsigned condition = w.part(3, 0);
    out.condition = static_cast<std::uint8_t>(condition == 9 ? 6 : condition == 4 ? 8 : 0x10 + condition);
  } else if (w.is(0x7e000000, 0x34000000)) {
    out.flow = Flow::branch;
    out.target = to(23, 5);
    out.condition = 0x20;
  } else if (w.is(0x7e000000, 0x36000000)) {
    out.flow = Flow::branch;
    out.target = to(18, 5);
    out.condition = 0x21;
  } else if (w.is(0xfe000000, 0xd6000000)) {
    const unsigned what = w.part(24, 21) & 7;  // also those that authenticate the address
    out.flow = what == 0 ? Flow::indirect_jump : what == 1 ? Flow::indirect_call : what == 2 ? Flow::ret : Flow::stop;
  } else if (w.is(0xffe0001f, 0xd4200000) || w.is(0xffe0001f, 0xd4400000) || w.is(0xffff0000, 0)) {
    out.flow = Flow::stop;
  }
}

// Those that the kernel carries out itself in every version: branches, and addresses and loads beside the code.
bool carried_out(ArmWord w) {
  return w.is(0x7c000000, 0x14000000) || w.is(0xff000010, 0x54000000) || w.is(0x7c000000, 0x34000000) ||
         w.is(0xfffffc1f, 0xd61f0000) || w.is(0xfffffc1f, 0xd63f0000) || w.is(0xfffffc1f, 0xd65f0000) ||
         w.is(0x1f000000, 0x10000000) || w.is(0xbf000000, 0x18000000) || w.is(0xff000000, 0x98000000);
}

bool can_step(ArmWord w) {
  const unsigned kind = w.part(28, 25);
  if (kind == 0xa || kind == 0xb)  // nop, paciasp, bti; no other system instruction, nor exceptions
    return w.bits == 0xd503201f || w.bits == 0xd503233f || w.is(0xffffff3f, 0xd503241f);
  if (kind < 4) return false;                               // undefined here, or with registers that are not saved
  if (w.is(0x3f000000, 0x08000000)) return false;           // exclusive: the step in between would break it
  if (w.is(0x3b000000, 0x18000000)) return carried_out(w);  // beside the code
  return true;
}

void move_stack(ArmWord w, Instruction& out) {
  const bool immediate = w.is(0x1f000000, 0x11000000) && !w.part(29, 29) && w.part(4, 0) == kStack;
  if (immediate) {
    const auto amount = static_cast<std::int32_t>(w.part(21, 10) << (w.part(22, 22) ? 12 : 0));
    out.stack_known = w.part(9, 5) == kStack && w.part(31, 31);
    if (out.stack_known) out.stack_change = w.part(30, 30) ? -amount : amount;
    return;
  }
  if (is_load_or_store(w) && writes_back(w) && w.part(9, 5) == kStack) {
    const bool known = (is_pair(w) && !w.part(26, 26) && w.part(31, 31)) || (is_single(w) && w.part(21, 21) == 0);
    out.stack_known = known;
    if (known) out.stack_change = static_cast<std::int32_t>(is_pair(w) ? w.number(21, 15) * 8 : w.number(20, 12));
    return;
  }
  const bool logical = w.is(0x1f800000, 0x12000000) && w.part(30, 29) != 3 && w.part(4, 0) == kStack;
  const bool extended = w.is(0x1fe00000, 0x0b200000) && !w.part(29, 29) && w.part(4, 0) == kStack;
  if (logical || extended) out.stack_known = false;
}

}  // namespace

std::optional<Instruction> decode_arm64(std::string_view code, std::uint64_t address) {
  if (code.size() < kSize || address % kSize != 0) return std::nullopt;
  ArmWord w{};
  std::memcpy(&w.bits, code.data(), kSize);
  Instruction out;
  out.address = address;
  out.length = kSize;
  out.writes = changed(w);
  lead_on(w, out);
  move_stack(w, out);
  out.emulated = carried_out(w);
  out.probeable = out.emulated || can_step(w);
  // What comes before the jump of a switch: an addition of registers, or a load by an index.
  out.adds_to = w.is(0x7f200000, 0x0b000000) || w.is(0x7fe00000, 0x0b200000) || w.is(0xffe00c00, 0xf8600800);
  return out;
}

#if defined(__aarch64__)
std::optional<Instruction> Disassembler::decode(std::string_view code, std::uint64_t address) {
  return decode_arm64(code, address);
}
#endif

}  // namespace tailcap::capture::symbols
