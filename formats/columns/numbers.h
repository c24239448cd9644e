// Numbers in a capture as what they stand for. Those that a later version may add read as what its readers must take
// them for: unknown.
#pragma once

#include <cstdint>

#include "formats/event.h"

namespace tailcap::formats::columns {

inline Payload payload_of(std::uint8_t n) { return n <= 4 ? static_cast<Payload>(n) : Payload::unsupported; }
inline Direction direction_of(std::uint8_t n) { return n == 0 ? Direction::out : Direction::in; }
inline TcpState state_of(std::uint8_t n) { return n <= 12 ? static_cast<TcpState>(n) : TcpState::none; }
inline Family family_of(std::uint8_t n) {
  return n == 1 || n == 2 || n == 10 ? static_cast<Family>(n) : Family::unknown;
}
inline SocketType type_of(std::uint8_t n) {
  return n == 1 || n == 2 || n == 5 ? static_cast<SocketType>(n) : SocketType::unknown;
}
inline Origin origin_of(std::uint8_t n) { return n <= 4 ? static_cast<Origin>(n) : Origin::unknown; }
inline LossCause cause_of(std::uint8_t n) { return n <= 5 ? static_cast<LossCause>(n) : LossCause::unknown; }
inline TlsLibrary library_of(std::uint8_t n) { return n <= 3 ? static_cast<TlsLibrary>(n) : TlsLibrary::unknown; }
inline TlsStepKind step_of(std::uint8_t n) { return n <= 4 ? static_cast<TlsStepKind>(n) : TlsStepKind::unknown; }
inline FileKind file_of(std::uint8_t n) { return n <= 11 ? static_cast<FileKind>(n) : FileKind::other; }
inline GoPhase phase_of(std::uint8_t n) { return n <= 5 ? static_cast<GoPhase>(n) : GoPhase::unknown; }
inline GoRunState run_state_of(std::uint8_t n) { return n <= 2 ? static_cast<GoRunState>(n) : GoRunState::unknown; }
inline GoCallStep call_step_of(std::uint8_t n) { return n <= 3 ? static_cast<GoCallStep>(n) : GoCallStep::unknown; }
inline GoChannelStep channel_step_of(std::uint8_t n) {
  return n <= 4 ? static_cast<GoChannelStep>(n) : GoChannelStep::unknown;
}
inline GoPanicStep panic_step_of(std::uint8_t n) { return n <= 2 ? static_cast<GoPanicStep>(n) : GoPanicStep::unknown; }
inline StallKind stall_of(std::uint8_t n) { return n <= 11 ? static_cast<StallKind>(n) : StallKind::unknown; }
inline SampleKind sample_of(std::uint8_t n) { return n <= 3 ? static_cast<SampleKind>(n) : SampleKind::unknown; }
inline FileAct file_act_of(std::uint8_t n) { return n <= 3 ? static_cast<FileAct>(n) : FileAct::unknown; }

}  // namespace tailcap::formats::columns
