#include "capture/symbols/unwind_rules.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

#include "capture/symbols/elf/eh_frame.h"

namespace tailcap::capture::symbols {

namespace {

constexpr std::size_t kMaxRows = 4u << 20;  // 32 MiB; Chromium has three million
constexpr std::size_t kMaxRemembered = 16;  // compilers use one

constexpr std::uint64_t kRbp = 6, kRsp = 7, kReturn = 16;  // DWARF's numbers of registers

// What is known of one place.
struct State {
  enum class Cfa : std::uint8_t { none, register_offset, plt, at_rbp, signal };
  enum class Saved : std::uint8_t { same, at_cfa, at_rbp, undefined, other };
  Cfa cfa = Cfa::none;
  std::uint64_t base = 0;  // a register
  std::int64_t offset = 0;
  Saved rbp = Saved::same, back = Saved::same;
  std::int64_t rbp_offset = 0, back_offset = 0;
};

bpf::unwind_row make_row(std::uint64_t pc, bpf::unwind_how how, std::int64_t cfa = 0, std::uint8_t rbp = 0) {
  return {static_cast<std::uint32_t>(pc), static_cast<std::uint8_t>(how), rbp, static_cast<std::int16_t>(cfa)};
}

bool same_rule(const bpf::unwind_row& a, const bpf::unwind_row& b) {
  return a.how == b.how && a.rbp == b.rbp && a.cfa == b.cfa;
}

std::uint8_t place_of_rbp(const State& state) {
  if (state.rbp == State::Saved::same) return UNWIND_RBP_SAME;
  // GCC says so in the last instructions of a function, too, where rbp is the caller's again.
  if (state.rbp == State::Saved::at_rbp)
    return state.cfa == State::Cfa::at_rbp ? UNWIND_RBP_AT_RBP : UNWIND_RBP_UNKNOWN;
  constexpr std::int64_t kFarthest = -8 * (UNWIND_RBP_AT_RBP - 1);
  const bool told = state.rbp == State::Saved::at_cfa && state.rbp_offset < 0 && state.rbp_offset >= kFarthest &&
                    state.rbp_offset % 8 == 0;
  return told ? static_cast<std::uint8_t>(-state.rbp_offset / 8) : UNWIND_RBP_UNKNOWN;
}

bpf::unwind_row row_of(std::uint64_t pc, const State& state) {
  const auto unknown = make_row(pc, bpf::UNWIND_NO_RULE);
  if (state.cfa == State::Cfa::signal) return make_row(pc, bpf::UNWIND_SIGNAL);
  if (state.back == State::Saved::undefined) return make_row(pc, bpf::UNWIND_START);
  if (state.back != State::Saved::at_cfa || state.back_offset != -8) return unknown;
  const std::uint8_t rbp = place_of_rbp(state);
  switch (state.cfa) {
    case State::Cfa::register_offset:
      if (state.offset % 8 != 0 || state.offset <= 0 || state.offset / 8 > INT16_MAX) return unknown;
      if (state.base == kRsp) return make_row(pc, bpf::UNWIND_RSP, state.offset / 8, rbp);
      if (state.base == kRbp) return make_row(pc, bpf::UNWIND_RBP, state.offset / 8, rbp);
      return unknown;
    case State::Cfa::plt:
      return make_row(pc, bpf::UNWIND_PLT, state.offset, rbp);
    case State::Cfa::at_rbp:
      return make_row(pc, bpf::UNWIND_AT_RBP, state.offset, rbp);
    default:
      return unknown;
  }
}

// The expressions that compilers and linkers write; any other is no rule.
void set_cfa_expression(State& state, std::string_view bytes, bool signal) {
  constexpr std::uint8_t kDeref = 0x06, kRegister0 = 0x70;  // DW_OP_deref, DW_OP_breg0
  // rsp + 8 + ((rip & 15) >= N) * 8
  constexpr std::string_view kPltBegins("\x77\x08\x80\x00\x3f\x1a", 6), kPltEnds("\x2a\x33\x24\x22", 4);
  constexpr std::uint8_t kLiteral0 = 0x30;  // DW_OP_lit0
  state.cfa = State::Cfa::none;
  if (bytes.size() == 11 && bytes.starts_with(kPltBegins) && bytes.ends_with(kPltEnds)) {
    const auto literal = static_cast<std::uint8_t>(bytes[6]);
    if (literal < kLiteral0 || literal > kLiteral0 + 15) return;
    state.cfa = State::Cfa::plt;
    state.offset = literal - kLiteral0;
    return;
  }
  FrameBytes in(bytes);
  const auto from = in.number<std::uint8_t>();
  const std::int64_t offset = in.signed_leb();
  if (in.number<std::uint8_t>() != kDeref || !in.ok() || !in.done()) return;
  constexpr std::int64_t kSavedRsp = 160;  // in the frame of a signal
  if (signal && from == kRegister0 + kRsp && offset == kSavedRsp) state.cfa = State::Cfa::signal;
  if (from != kRegister0 + kRbp || offset < INT16_MIN || offset > INT16_MAX) return;
  state.cfa = State::Cfa::at_rbp;
  state.offset = offset;
}

// Executes the instructions of a function, and of what it has in common with others, first.
class Machine {
 public:
  Machine(const FunctionFrame& function, std::vector<bpf::unwind_row>& rows) : function_(function), rows_(rows) {}

  void run() {
    const std::size_t first = rows_.size();
    pc_ = function_.address;
    if (function_.common->return_register == kReturn && execute(function_.common->instructions, false)) {
      begin_ = state_;
      if (execute(function_.instructions, true)) {
        add_row();
        return;
      }
    }
    rows_.resize(first);
    rows_.push_back(make_row(function_.address, bpf::UNWIND_NO_RULE));
  }

 private:
  void add_row() {
    const auto row = row_of(pc_, state_);
    if (!rows_.empty() && rows_.back().pc == row.pc && added_)
      rows_.back() = row;
    else
      rows_.push_back(row);
    added_ = true;
  }
  bool advance(std::uint64_t steps, bool moves) {
    if (!moves) return false;
    const std::uint64_t left = function_.address + function_.size - pc_;
    if (function_.common->code_step == 0 || steps > left / function_.common->code_step) return false;
    if (steps == 0) return true;
    add_row();
    pc_ += steps * function_.common->code_step;
    return rows_.size() < kMaxRows;
  }
  std::int64_t scaled(std::uint64_t value) const {
    return static_cast<std::int64_t>(value * static_cast<std::uint64_t>(function_.common->data_step));
  }
  void save(std::uint64_t which, State::Saved how, std::int64_t offset = 0) {
    if (which == kRbp) {
      state_.rbp = how;
      state_.rbp_offset = offset;
    } else if (which == kReturn) {
      state_.back = how;
      state_.back_offset = offset;
    }
  }
  void restore(std::uint64_t which) {
    if (which == kRbp) save(which, begin_.rbp, begin_.rbp_offset);
    if (which == kReturn) save(which, begin_.back, begin_.back_offset);
  }
  bool execute(std::string_view instructions, bool moves);
  bool execute_other(std::uint8_t instruction, FrameBytes& in, bool moves);

  const FunctionFrame& function_;
  std::vector<bpf::unwind_row>& rows_;
  std::uint64_t pc_ = 0;
  State state_, begin_;
  std::vector<State> remembered_;
  bool added_ = false;
};

bool Machine::execute(std::string_view instructions, bool moves) {
  FrameBytes in(instructions);
  while (!in.done()) {
    const auto byte = in.number<std::uint8_t>();
    const std::uint8_t low = byte & 0x3f;
    switch (byte >> 6) {
      case 1:  // DW_CFA_advance_loc
        if (!advance(low, moves)) return false;
        break;
      case 2:  // DW_CFA_offset
        save(low, State::Saved::at_cfa, scaled(in.unsigned_leb()));
        break;
      case 3:  // DW_CFA_restore
        restore(low);
        break;
      default:
        if (!execute_other(byte, in, moves)) return false;
    }
    if (!in.ok()) return false;
  }
  return true;
}

bool Machine::execute_other(std::uint8_t instruction, FrameBytes& in, bool moves) {
  std::uint64_t which = 0;
  switch (instruction) {
    case 0x00:  // DW_CFA_nop
      return true;
    case 0x02:  // DW_CFA_advance_loc1, 2, 4
      return advance(in.number<std::uint8_t>(), moves);
    case 0x03:
      return advance(in.number<std::uint16_t>(), moves);
    case 0x04:
      return advance(in.number<std::uint32_t>(), moves);
    case 0x05:  // DW_CFA_offset_extended
      which = in.unsigned_leb();
      save(which, State::Saved::at_cfa, scaled(in.unsigned_leb()));
      return true;
    case 0x06:  // DW_CFA_restore_extended
      restore(in.unsigned_leb());
      return true;
    case 0x07:  // DW_CFA_undefined
      save(in.unsigned_leb(), State::Saved::undefined);
      return true;
    case 0x08:  // DW_CFA_same_value
      save(in.unsigned_leb(), State::Saved::same);
      return true;
    case 0x09:  // DW_CFA_register
      save(in.unsigned_leb(), State::Saved::other);
      in.unsigned_leb();
      return true;
    case 0x0a:  // DW_CFA_remember_state
      if (remembered_.size() >= kMaxRemembered) return false;
      remembered_.push_back(state_);
      return true;
    case 0x0b:  // DW_CFA_restore_state
      if (remembered_.empty()) return false;
      state_ = remembered_.back();
      remembered_.pop_back();
      return true;
    case 0x0c:  // DW_CFA_def_cfa
    case 0x12:  // DW_CFA_def_cfa_sf
      state_.cfa = State::Cfa::register_offset;
      state_.base = in.unsigned_leb();
      state_.offset = instruction == 0x0c ? static_cast<std::int64_t>(in.unsigned_leb())
                                          : scaled(static_cast<std::uint64_t>(in.signed_leb()));
      return true;
    case 0x0d:  // DW_CFA_def_cfa_register
      state_.base = in.unsigned_leb();
      return true;
    case 0x0e:  // DW_CFA_def_cfa_offset
      state_.offset = static_cast<std::int64_t>(in.unsigned_leb());
      return true;
    case 0x13:  // DW_CFA_def_cfa_offset_sf
      state_.offset = scaled(static_cast<std::uint64_t>(in.signed_leb()));
      return true;
    case 0x0f:  // DW_CFA_def_cfa_expression
      set_cfa_expression(state_, in.take(in.unsigned_leb()), function_.common->signal);
      return true;
    case 0x10: {  // DW_CFA_expression
      which = in.unsigned_leb();
      const std::string_view expression = in.take(in.unsigned_leb());
      save(which, expression == std::string_view("\x76\x00", 2) ? State::Saved::at_rbp : State::Saved::other);
      return true;
    }
    case 0x11:  // DW_CFA_offset_extended_sf
      which = in.unsigned_leb();
      save(which, State::Saved::at_cfa, scaled(static_cast<std::uint64_t>(in.signed_leb())));
      return true;
    case 0x14:  // DW_CFA_val_offset
      save(in.unsigned_leb(), State::Saved::other);
      in.unsigned_leb();
      return true;
    case 0x15:  // DW_CFA_val_offset_sf
      save(in.unsigned_leb(), State::Saved::other);
      in.signed_leb();
      return true;
    case 0x16:  // DW_CFA_val_expression
      save(in.unsigned_leb(), State::Saved::other);
      in.take(in.unsigned_leb());
      return true;
    case 0x2e:  // DW_CFA_GNU_args_size
      in.unsigned_leb();
      return true;
    default:
      return false;
  }
}

struct Function {
  std::uint64_t begin = 0, end = 0;
  std::size_t first = 0, last = 0;  // rows
};

}  // namespace

UnwindRules::UnwindRules(const ElfFile& file) : code_(code_segments(file)) {
#if defined(__aarch64__)
  return;  // the rows are made for x86-64; on arm64 compilers keep frame pointers
#endif
  std::vector<bpf::unwind_row> all;
  std::vector<Function> functions;
  EhFrame table(file);
  for (FunctionFrame function; all.size() < kMaxRows && table.next(function);) {
    const std::uint64_t end = function.address + function.size;
    if (end >= UINT32_MAX) continue;
    const std::size_t first = all.size();
    Machine(function, all).run();
    functions.push_back({function.address, end, first, all.size()});
  }
  if (all.size() >= kMaxRows) return;  // the rest would look like code without rules
  std::stable_sort(functions.begin(), functions.end(),
                   [](const Function& a, const Function& b) { return a.begin < b.begin; });
  const auto add = [&](const bpf::unwind_row& row) {
    if (!rows_.empty() && rows_.back().pc == row.pc) rows_.pop_back();
    if (rows_.empty() || !same_rule(rows_.back(), row)) rows_.push_back(row);
  };
  for (std::size_t i = 0; i < functions.size(); i++) {
    const Function& function = functions[i];
    const std::uint64_t next = i + 1 < functions.size() ? functions[i + 1].begin : UINT32_MAX;
    for (std::size_t r = function.first; r < function.last && all[r].pc < next; r++) add(all[r]);
    if (function.end < next) add(make_row(function.end, bpf::UNWIND_FRAME));
  }
}

void UnwindRules::encode(scan::Encoder& out) const {
  symbols::encode(out, code_);
  out.text({reinterpret_cast<const char*>(rows_.data()), rows_.size() * sizeof(bpf::unwind_row)});
}

UnwindRules UnwindRules::decode(scan::Decoder& in) {
  UnwindRules rules;
  rules.code_ = decode_code_segments(in);
  const std::string_view rows = in.text(kMaxRows * sizeof(bpf::unwind_row));
  rules.rows_.resize(rows.size() / sizeof(bpf::unwind_row));
  if (rows.size() % sizeof(bpf::unwind_row) != 0) in.fail();
  if (!rules.rows_.empty()) std::memcpy(rules.rows_.data(), rows.data(), rules.rows_.size() * sizeof(bpf::unwind_row));
  if (!std::is_sorted(rules.rows_.begin(), rules.rows_.end(), [](const auto& a, const auto& b) { return a.pc < b.pc; }))
    in.fail();
  if (!in.ok()) rules = {};
  return rules;
}

}  // namespace tailcap::capture::symbols
