// What HTTP/2 adds to a message: how its stream was broken off, and what held its sender up.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "analyze/flow/byte_run.h"

namespace tailcap::flow {

// A stream was ended by RST_STREAM or GOAWAY before both its messages were whole.
struct StreamReset {
  std::optional<std::uint32_t> code;  // RFC 9113, section 7; unset: not captured
  Direction by = Direction::in;       // in: the peer of the recorded socket; out: the recorded end itself
  bool goaway = false;                // the whole connection was told
  bool unprocessed = false;           // REFUSED_STREAM, or above GOAWAY's last stream: certainly not acted upon
  Time at = kNoTime;                  // direction in: arrived, or read where that was not seen; out: sent
  Time done = kNoTime;                // read (in) or sent (out)
};

// The sender had spent its flow-control window in [from, to), and could send no DATA because of its receiver. That it
// had some to send then is as likely as `resumed`, when it sent the next, is close to `to`.
struct WindowWait {
  Time from = kNoTime, to = kNoTime;
  Time resumed = kNoTime;
  bool connection = false;  // the connection's window; otherwise the stream's own
};

// The sender went on within as long as it had been without room: it had something to send, and waited for the receiver.
// What took longer may have had other reasons, and is not counted.
inline bool held_up(const WindowWait& wait) {
  constexpr Duration kPrompt = std::chrono::milliseconds{1};  // a thread has to be woken first
  return wait.resumed - wait.to <= std::max(kPrompt, wait.to - wait.from);
}

struct WindowWaits {
  static constexpr std::size_t kMaxListed = 64;
  std::vector<WindowWait> listed;  // ascending by `to`
  std::uint64_t more = 0;          // further ones, not listed
  bool known = false;              // the windows were followed from the message's beginning to its end
  Duration total{};                // of all that held_up(), listed or not, none counted twice
  Duration of_connection{};        // of total: by the connection's window
  std::uint64_t count = 0;         // waits in total
  Time counted_until = kNoTime;
};

// While frames of this message could have been sent, their sender sent DATA of other streams. Inferred: whether the
// message had something to send is not seen, so it waited for its turn at most so long.
struct BehindOthers {
  Duration time{};          // without what it waited for a window
  std::uint64_t bytes = 0;  // of others, frames' heads not counted
};

// The client opened this stream as soon as another was over, and before that as many were open as its peer allows.
// Inferred: since when it wanted to is not seen; at most since `since`, when all places were taken and from when on
// each that became free was taken at once.
struct StreamLimit {
  std::uint32_t limit = 0;
  Time since = kNoTime, freed = kNoTime;
};

}  // namespace tailcap::flow
