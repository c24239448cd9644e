#if defined(__x86_64__)
#include "capture/symbols/instruction.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "capture/symbols/disassembler_state.h"

namespace tailcap::capture::symbols {

namespace {

constexpr std::size_t kLongest = 15;  // the processor's own limit

// capstone names a register by each of its widths. Indexed by the hardware's number.
constexpr x86_reg kNames[16][5] = {
    {X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH},
    {X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH},
    {X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH},
    {X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH},
    {X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL},
    {X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL},
    {X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL},
    {X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL},
    {X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B},
    {X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B},
    {X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B},
    {X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B},
    {X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B},
    {X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B},
    {X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B},
    {X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B},
};

RegisterMask bit_of(unsigned name) {
  if (name == X86_REG_INVALID) return 0;
  for (unsigned number = 0; number < 16; ++number) {
    for (const x86_reg known : kNames[number]) {
      if (known == name) return static_cast<RegisterMask>(1u << number);
    }
  }
  return 0;
}

// Instructions that only read their first operand. Every other one is assumed to write it, whatever the tables say:
// they are known to forget some, and a register wrongly thought alive would be a wrong argument.
bool only_reads(unsigned id) {
  static constexpr unsigned kReaders[] = {X86_INS_CMP, X86_INS_TEST, X86_INS_PUSH, X86_INS_BT,
                                          X86_INS_NOP, X86_INS_CALL, X86_INS_JMP};
  return std::find(std::begin(kReaders), std::end(kReaders), id) != std::end(kReaders);
}

RegisterMask written(csh handle, const cs_insn& instruction) {
  cs_regs read, write;
  std::uint8_t read_count = 0, write_count = 0;
  RegisterMask mask = 0;
  if (cs_regs_access(handle, &instruction, read, &read_count, write, &write_count) != CS_ERR_OK) return 0xffff;
  for (int i = 0; i < write_count; ++i) mask |= bit_of(write[i]);
  const cs_x86& x86 = instruction.detail->x86;
  for (int i = 0; i < x86.op_count; ++i) {
    const cs_x86_op& operand = x86.operands[i];
    if (operand.type != X86_OP_REG) continue;
    const bool exchanges = instruction.id == X86_INS_XCHG || instruction.id == X86_INS_XADD;
    if (exchanges || (i == 0 && !only_reads(instruction.id))) mask |= bit_of(operand.reg);
  }
  if (instruction.id == X86_INS_CMPXCHG) mask |= 1u << 0;
  if (instruction.id == X86_INS_SYSCALL) mask |= 1u << 0 | 1u << 1 | 1u << 11;
  if (instruction.id == X86_INS_CPUID) mask |= 1u << 0 | 1u << 1 | 1u << 2 | 1u << 3;
  return mask;
}

// The parts of the encoding: legacy prefixes, REX, opcode.
struct Encoding {
  bool plain = true;     // no legacy prefix
  bool refused = false;  // a prefix that uprobes refuse
  bool word = false;     // 66
  std::uint8_t rex = 0;
  std::uint8_t one = 0, two = 0;  // opcode; two is used only after 0f
};

Encoding encoding_of(std::string_view bytes) {
  Encoding e;
  std::size_t at = 0;
  const auto byte = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : std::uint8_t{0};
  };
  for (;; ++at) {
    const std::uint8_t b = byte(at);
    const bool segment = b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0xf0;
    if (!segment && b != 0x64 && b != 0x65 && b != 0x66 && b != 0x67 && b != 0xf2 && b != 0xf3) break;
    e.plain = false;
    e.refused |= segment;
    e.word |= b == 0x66;
    if (at >= bytes.size()) return e;
  }
  if ((byte(at) & 0xf0) == 0x40) e.rex = byte(at++);
  e.one = byte(at);
  e.two = byte(at + 1);
  return e;
}

// The kernel emulates push of a register, nop, call, jump and conditional jump (short and near) with relative operands.
// It emulates longer nops and prefixed forms only in some versions, so they are not included here.
bool emulates(const Encoding& e, std::size_t length) {
  if (!e.plain) return false;
  if (e.one >= 0x50 && e.one <= 0x57) return e.rex == 0 || (e.rex == 0x41 && length == 2);
  if (e.rex != 0) return false;
  if (e.one == 0x90) return length == 1;
  if (e.one == 0xe8 || e.one == 0xe9) return length == 5;
  if (e.one == 0xeb || (e.one >= 0x70 && e.one <= 0x7f)) return length == 2;
  return e.one == 0x0f && e.two >= 0x80 && e.two <= 0x8f && length == 6;
}

bool one_of(std::uint8_t value, std::string_view set) { return set.find(static_cast<char>(value)) != set.npos; }

// The instructions that uprobes accept for a single step, conservatively: an instruction that any version refuses is
// refused here.
bool accepts(const Encoding& e) {
  using namespace std::literals;
  if (e.refused) return false;
  const bool relative = (e.one >= 0x70 && e.one <= 0x7f) || e.one == 0xe8 || e.one == 0xe9 || e.one == 0xeb ||
                        e.one == 0x90 || (e.one == 0x0f && e.two >= 0x80 && e.two <= 0x8f);
  if (e.word && relative) return false;
  if (e.one == 0x0f) {
    // System instructions, three-byte opcodes, and undefined opcodes.
    if (e.two <= 0x0e || e.two == 0x18 || (e.two >= 0x24 && e.two <= 0x27) || (e.two >= 0x34 && e.two <= 0x3f))
      return false;
    return !one_of(e.two, "\x30\x78\x79\x7a\x7b\x7c\x7d\xa6\xa7\xae\xb8\xd0\xf0\xff"sv);
  }
  // Port and interrupt instructions, opcodes that 64-bit mode does not have, and VEX and EVEX.
  return !one_of(e.one,
                 "\x06\x07\x0e\x16\x17\x1e\x1f\x27\x2f\x37\x3f\x60\x61\x62\x6c\x6d\x6e\x6f\x82\x9a\xc4\xc5\xcc\xcd\xce"
                 "\xcf\xd4\xd5\xd6\xe4\xe5\xe6\xe7\xea\xec\xed\xee\xef\xf1\xf4\xfa\xfb"sv);
}

void find_flow(const cs_insn& raw, const Encoding& e, Instruction& out) {
  const cs_x86& x86 = raw.detail->x86;
  const bool direct = x86.op_count >= 1 && x86.operands[0].type == X86_OP_IMM;
  if (direct) out.target = static_cast<std::uint64_t>(x86.operands[0].imm);
  switch (raw.id) {
    case X86_INS_CALL:
    case X86_INS_LCALL:
      out.flow = direct ? Flow::call : Flow::indirect_call;
      return;
    case X86_INS_JMP:
    case X86_INS_LJMP:
      out.flow = direct ? Flow::jump : Flow::indirect_jump;
      out.table_jump = !direct && x86.op_count == 1 && x86.operands[0].type == X86_OP_MEM &&
                       x86.operands[0].mem.index != X86_REG_INVALID;
      return;
    case X86_INS_RET:
    case X86_INS_RETF:
    case X86_INS_IRET:
    case X86_INS_IRETD:
    case X86_INS_IRETQ:
      out.flow = Flow::ret;
      return;
    case X86_INS_UD2:
    case X86_INS_UD0:
    case X86_INS_UD2B:
    case X86_INS_HLT:
    case X86_INS_INT3:
      out.flow = Flow::stop;
      return;
    default:
      break;
  }
  if ((e.one >= 0x70 && e.one <= 0x7f) || (e.one >= 0xe0 && e.one <= 0xe3)) {
    out.flow = Flow::branch;
    out.condition = e.one & 0xf;
  } else if (e.one == 0x0f && e.two >= 0x80 && e.two <= 0x8f) {
    out.flow = Flow::branch;
    out.condition = e.two & 0xf;
  }
}

void find_stack_change(const cs_insn& raw, Instruction& out) {
  const cs_x86& x86 = raw.detail->x86;
  constexpr RegisterMask kStack = 1u << 4;
  if (raw.id == X86_INS_PUSH || raw.id == X86_INS_POP) {
    const int size = x86.op_count >= 1 ? x86.operands[0].size : 8;
    out.stack_change = raw.id == X86_INS_PUSH ? -8 : 8;
    out.stack_known = size != 2 && !(raw.id == X86_INS_POP && (bit_of(x86.operands[0].reg) & kStack));
    return;
  }
  if (out.flow == Flow::call || out.flow == Flow::indirect_call || out.flow == Flow::ret || !(out.writes & kStack))
    return;
  const bool immediate = x86.op_count == 2 && x86.operands[0].type == X86_OP_REG &&
                         x86.operands[0].reg == X86_REG_RSP && x86.operands[1].type == X86_OP_IMM;
  const bool offset = x86.op_count == 2 && raw.id == X86_INS_LEA && x86.operands[0].reg == X86_REG_RSP &&
                      x86.operands[1].mem.base == X86_REG_RSP && x86.operands[1].mem.index == X86_REG_INVALID;
  const std::int64_t amount = immediate ? x86.operands[1].imm : offset ? x86.operands[1].mem.disp : 0;
  constexpr std::int64_t kLargest = 1 << 30;
  out.stack_known = amount > -kLargest && amount < kLargest &&
                    (offset || (immediate && (raw.id == X86_INS_SUB || raw.id == X86_INS_ADD)));
  if (out.stack_known) out.stack_change = static_cast<std::int32_t>(raw.id == X86_INS_SUB ? -amount : amount);
}

// The stack protector's value is at %fs:0x28; the check is a subtraction, a comparison or an exclusive or.
bool checks_canary(const cs_insn& raw) {
  if (raw.id != X86_INS_SUB && raw.id != X86_INS_CMP && raw.id != X86_INS_XOR) return false;
  const cs_x86& x86 = raw.detail->x86;
  for (int i = 0; i < x86.op_count; ++i) {
    const cs_x86_op& operand = x86.operands[i];
    if (operand.type == X86_OP_MEM && operand.mem.segment == X86_REG_FS && operand.mem.disp == 0x28) return true;
  }
  return false;
}

}  // namespace

std::optional<Instruction> Disassembler::decode(std::string_view code, std::uint64_t address) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(code.data());
  std::size_t left = std::min(code.size(), kLongest);
  std::uint64_t at = address;
  if (!cs_disasm_iter(state_->handle, &bytes, &left, &at, state_->instruction)) return std::nullopt;
  const cs_insn& raw = *state_->instruction;
  if (raw.size == 0 || raw.size > code.size() || !raw.detail) return std::nullopt;
  const Encoding e = encoding_of(code.substr(0, raw.size));
  Instruction out;
  out.address = address;
  out.length = static_cast<std::uint8_t>(raw.size);
  out.writes = written(state_->handle, raw);
  find_flow(raw, e, out);
  find_stack_change(raw, out);
  out.emulated = emulates(e, raw.size);
  out.probeable = out.emulated || accepts(e);
  out.push = out.emulated && e.one >= 0x50 && e.one <= 0x57;
  out.nop5 = raw.id == X86_INS_NOP && raw.size == 5;
  out.checks_canary = checks_canary(raw);
  const cs_x86& x86 = raw.detail->x86;
  out.adds_to = raw.id == X86_INS_ADD && x86.op_count == 2 && x86.operands[0].type == X86_OP_REG &&
                x86.operands[1].type == X86_OP_REG;
  return out;
}

}  // namespace tailcap::capture::symbols
#endif
