// Waiting for other streams: until their bytes were sent, or until one of them ended.
#pragma once

#include <cstdint>
#include <optional>

#include "analyze/model/wire/stream_facts.h"

namespace tailcap::protocols::http2 {

// The position of a message among those that its sender sends (model::BehindOthers).
struct Turn {
  std::uint64_t sent_at = 0;                  // DATA bytes of all streams when its last frame was sent
  model::Time overtaken_at = model::kNoTime;  // and another stream's frame began
};

// The frames that one end sends, stream by stream. Frames are reported when they are complete. When a frame belongs to
// another stream than the previous one, the turn of last() ends.
class StreamTurns {
 public:
  // The stream of the last frame; 0: none.
  std::uint32_t last() const { return last_; }
  static void overtaken(Turn& turn, model::Time began) {
    if (!formats::known(turn.overtaken_at)) turn.overtaken_at = began;
  }
  // A frame with n bytes of DATA, the last of which was moved at `end`. room_at: when its window was opened, if it
  // waited for that. Adds the time that it waited behind other streams to `behind`.
  void sent(std::uint32_t stream, std::uint32_t n, model::Time end, model::Time room_at, Turn& turn,
            model::BehindOthers& behind);
  // The following frames are not known.
  void lose() { last_ = 0; }
  // The same for a stream without kept state.
  void sent(std::uint32_t stream, std::uint32_t n, model::Time end);

 private:
  std::uint32_t last_ = 0;
  std::uint64_t bytes_ = 0;
  model::Time last_end_ = model::kNoTime;  // of DATA
};

// Counts the client's open streams against its peer's limit. Use it at the client's end only: at the server's end, a
// free place is taken a round trip after it became free.
class Places {
 public:
  // SETTINGS_MAX_CONCURRENT_STREAMS of the peer; unset: not limited, or not known.
  void limit(std::optional<std::uint32_t> n, model::Time at);
  void forget() { *this = Places(); }
  // The request's HEADERS were sent. Returns the fact if the request took a place that had just become free.
  std::optional<model::StreamLimit> opened(model::Time at);
  // Both messages had ended, or the stream was reset.
  void closed(model::Time at);

 private:
  std::optional<std::uint32_t> limit_;
  std::uint64_t open_ = 0;
  model::Time full_since_ = model::kNoTime;  // all places taken, except those that were taken again at once
  model::Time freed_at_ = model::kNoTime;    // when the place that has been free longest became free
};

}  // namespace tailcap::protocols::http2
