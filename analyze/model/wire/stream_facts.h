// HTTP/2 facts of a message: how its stream was broken off, and how its sender was blocked.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "analyze/model/wire/byte_run.h"

namespace tailcap::model {

// A stream was ended by RST_STREAM or GOAWAY before both its messages were whole.
struct StreamReset {
  std::optional<std::uint32_t> code;  // RFC 9113, section 7; unset: not captured
  Direction by = Direction::in;       // in: the peer of the recorded socket; out: the recorded end itself
  bool goaway = false;                // by GOAWAY, which applies to the whole connection
  bool unprocessed = false;           // REFUSED_STREAM, or above GOAWAY's last stream: certainly not acted upon
  Time at = kNoTime;                  // direction in: arrived, or read where that was not seen; out: sent
  Time done = kNoTime;                // read (in) or sent (out)
};

// The sender had used up its flow-control window in [from, to), so it could send no DATA. The closer `resumed` (its
// next DATA) is to `to`, the more likely it had data to send.
struct WindowWait {
  Time from = kNoTime, to = kNoTime;
  Time resumed = kNoTime;
  bool connection = false;  // the connection's window; otherwise the stream's own
};

// The sender resumed within as much time as the window had been closed: it had data and waited for the receiver. A
// later resumption may have other reasons and is not counted.
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
  Duration of_connection{};        // part of total due to the connection's window
  std::uint64_t count = 0;         // waits in total
  Time counted_until = kNoTime;
};

// While frames of this message could have been sent, their sender sent DATA of other streams. Inferred: it is not seen
// whether the message had data to send, so the time is an upper bound.
struct BehindOthers {
  Duration time{};          // without waits for a window
  std::uint64_t bytes = 0;  // of other streams, without frame headers
};

// The client opened this stream as soon as another ended; until then, as many were open as its peer allows. Inferred:
// the moment at which it wanted to open the stream is not seen. `since` is the earliest: from then on, all places were
// taken, and each free place was taken at once.
struct StreamLimit {
  std::uint32_t limit = 0;
  Time since = kNoTime, freed = kNoTime;
};

}  // namespace tailcap::model
