// Waiting for other streams: for their bytes to go first, and for one of them to be over.
#pragma once

#include <cstdint>
#include <optional>

#include "analyze/flow/stream_facts.h"

namespace tailcap::protocols::http2 {

// A message's place among what its sender sends (flow::BehindOthers).
struct Turn {
  std::uint64_t sent_at = 0;                // DATA bytes of all streams when its last frame was sent
  flow::Time overtaken_at = flow::kNoTime;  // and another stream's frame began
};

// What one end sends, stream by stream. Frames are told when they are whole; where one belongs to another stream than
// the one before it, the turn of last() ends.
class StreamTurns {
 public:
  // The stream whose frame was the last; 0: none.
  std::uint32_t last() const { return last_; }
  static void overtaken(Turn& turn, flow::Time began) {
    if (!formats::known(turn.overtaken_at)) turn.overtaken_at = began;
  }
  // A frame with n bytes of DATA, whose last was moved at `end`. room_at: when its window was opened, if it waited for
  // that. What it was behind others goes to `behind`.
  void sent(std::uint32_t stream, std::uint32_t n, flow::Time end, flow::Time room_at, Turn& turn,
            flow::BehindOthers& behind);
  // What comes next is not known.
  void lose() { last_ = 0; }
  // The same of a stream of which nothing is kept.
  void sent(std::uint32_t stream, std::uint32_t n, flow::Time end);

 private:
  std::uint32_t last_ = 0;
  std::uint64_t bytes_ = 0;
  flow::Time last_end_ = flow::kNoTime;  // of DATA
};

// How many streams the client has open, against what its peer allows. To be asked at the client's end only: at the
// server's, a free place is taken a round trip after it became free.
class Places {
 public:
  // SETTINGS_MAX_CONCURRENT_STREAMS of the peer; unset: not limited, or not known.
  void limit(std::optional<std::uint32_t> n, flow::Time at);
  void forget() { *this = Places(); }
  // The request's HEADERS were sent. The fact, where it took a place that had just become free.
  std::optional<flow::StreamLimit> opened(flow::Time at);
  // Both messages were over, or it was broken off.
  void closed(flow::Time at);

 private:
  std::optional<std::uint32_t> limit_;
  std::uint64_t open_ = 0;
  flow::Time full_since_ = flow::kNoTime;  // all places taken, but for such as were taken again at once
  flow::Time freed_at_ = flow::kNoTime;    // the place that is free longest now
};

}  // namespace tailcap::protocols::http2
