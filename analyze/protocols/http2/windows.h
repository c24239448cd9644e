// Flow control (RFC 9113, section 5.2) as a listener can follow it: what a sender may still send, and when it could
// send nothing because its receiver had not made room.
#pragma once

#include <cstdint>
#include <optional>

#include "analyze/model/wire/stream_facts.h"

namespace tailcap::protocols::http2 {

// One window: of a stream or of a connection, in one direction.
//
// That a sender had nothing left is not yet waiting: it may have had nothing to send. The wait is handed out when the
// sender sends again after it was given room, for then it had been waiting.
class FlowWindow {
 public:
  // nullopt: the recording began later, or frames were lost. Nothing is claimed of such a window.
  explicit FlowWindow(std::optional<std::int64_t> credit = std::nullopt) : credit_(credit) {}

  bool followed() const { return credit_.has_value(); }
  std::optional<std::int64_t> credit() const { return credit_; }
  void forget() { *this = FlowWindow(); }

  // The sender sent n bytes; the last of them at `at`. The wait that came before them, if there was one.
  std::optional<model::WindowWait> spend(std::uint32_t n, model::Time at);
  // The receiver made room: WINDOW_UPDATE, or a change of SETTINGS_INITIAL_WINDOW_SIZE (then n may be negative).
  void grant(std::int64_t n, model::Time at);

 private:
  std::optional<std::int64_t> credit_;
  model::Time empty_since_ = model::kNoTime;  // credit_ ≤ 0 since then
  model::Time room_at_ = model::kNoTime;      // and given some then, not used yet
};

// Adds a wait to those of a message, and to their sum.
void add(model::WindowWaits& waits, const model::WindowWait& wait);

}  // namespace tailcap::protocols::http2
