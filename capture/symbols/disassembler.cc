#include <stdexcept>

#include "capture/symbols/disassembler_state.h"

namespace tailcap::capture::symbols {
namespace {

#if defined(__aarch64__)
constexpr cs_arch kProcessor = CS_ARCH_ARM64;
constexpr cs_mode kMode = CS_MODE_LITTLE_ENDIAN;
constexpr auto kDetail = CS_OPT_OFF;
#else
constexpr cs_arch kProcessor = CS_ARCH_X86;
constexpr cs_mode kMode = CS_MODE_64;
constexpr auto kDetail = CS_OPT_ON;
#endif

}  // namespace

Disassembler::Disassembler() : state_(std::make_unique<State>()) {
  if (cs_open(kProcessor, kMode, &state_->handle) != CS_ERR_OK ||
      cs_option(state_->handle, CS_OPT_DETAIL, kDetail) != CS_ERR_OK ||
      !(state_->instruction = cs_malloc(state_->handle))) {
    if (state_->handle) cs_close(&state_->handle);
    throw std::runtime_error(
        "the disassembler (capstone) does not start, so probes on functions cannot be placed; reinstall libcapstone4");
  }
}

Disassembler::~Disassembler() {
  cs_free(state_->instruction, 1);
  cs_close(&state_->handle);
}

std::string Disassembler::text(std::string_view code, std::uint64_t address) {
  const auto whole = decode(code, address);
  if (!whole) return "?";
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(code.data());
  std::size_t left = whole->length;
  if (!cs_disasm_iter(state_->handle, &bytes, &left, &address, state_->instruction)) return "?";
  const cs_insn& raw = *state_->instruction;
  std::string out = raw.mnemonic;
  if (raw.op_str[0] != '\0') out += std::string(" ") + raw.op_str;
  return out;
}

}  // namespace tailcap::capture::symbols
