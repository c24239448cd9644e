// What HTTP/2 adds to a message: how its stream was broken off, and when its sender had to wait for a window.
#pragma once

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
};

// The sender had spent its flow-control window in [from, to), and could send no DATA because of its receiver. That it
// had some to send then is as likely as `resumed`, when it sent the next, is close to `to`.
struct WindowWait {
  Time from = kNoTime, to = kNoTime;
  Time resumed = kNoTime;
  bool connection = false;            // the connection's window; otherwise the stream's own
};

struct WindowWaits {
  static constexpr std::size_t kMaxListed = 64;
  std::vector<WindowWait> listed;     // ascending by `to`
  std::uint64_t more = 0;             // further ones, not listed
  bool known = false;                 // the windows were followed from the message's beginning to its end
};

}  // namespace tailcap::flow
