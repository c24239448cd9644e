// What a file that is made from a capture says where the reader of that capture speaks for itself.
#pragma once

#include "formats/event.h"

namespace tailcap::formats {

// Damage, and an end that is not whole, become losses. False: the event has no place in the copy. whole: the reader has
// delivered everything. state: of a copy of this one capture, whose footer says what the end said; then an end becomes
// a loss only where the reader stopped before it.
inline bool into_copy(Event& event, bool whole, CaptureState* state = nullptr) {
  if (const auto* damage = std::get_if<Damage>(&event.body)) {
    event.body = Loss{damage->since, LossCause::damaged, 255, 1};
  } else if (const auto* end = std::get_if<CaptureEnd>(&event.body)) {
    if (state && end->state != CaptureState::complete) *state = CaptureState::recovered;
    if (whole && (state || end->state == CaptureState::complete)) return false;
    event.body = Loss{event.time, LossCause::damaged, 255, 1};
  }
  return true;
}

}  // namespace tailcap::formats
