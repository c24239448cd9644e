#include "analyze/protocols/http2/turns.h"

#include <algorithm>

namespace tailcap::protocols::http2 {

using formats::known;

namespace {

// From one stream's end being read until the next one's beginning is sent, where that one had been waiting.
constexpr model::Duration kAtOnce = std::chrono::milliseconds{1};

}  // namespace

void StreamTurns::sent(std::uint32_t stream, std::uint32_t n, model::Time end, model::Time room_at, Turn& turn,
                       model::BehindOthers& behind) {
  const std::uint64_t others = bytes_ - turn.sent_at;
  if (last_ != stream && others > 0 && known(turn.overtaken_at)) {
    behind.bytes += others;
    // Without room it could not have sent anyway.
    const model::Time from = known(room_at) ? std::max(room_at, turn.overtaken_at) : turn.overtaken_at;
    if (known(last_end_) && last_end_ > from) behind.time += last_end_ - from;
  }
  sent(stream, n, end);
  turn = {bytes_, model::kNoTime};
}

void StreamTurns::sent(std::uint32_t stream, std::uint32_t n, model::Time end) {
  last_ = stream;
  bytes_ += n;
  if (n > 0) last_end_ = std::max(last_end_, end);
}

void Places::limit(std::optional<std::uint32_t> n, model::Time at) {
  limit_ = n;
  freed_at_ = model::kNoTime;
  full_since_ = n && open_ >= *n ? at : model::kNoTime;
}

std::optional<model::StreamLimit> Places::opened(model::Time at) {
  std::optional<model::StreamLimit> fact;
  ++open_;
  if (!limit_) return fact;
  if (known(freed_at_) && known(full_since_)) {
    if (at - freed_at_ > kAtOnce)
      full_since_ = model::kNoTime;  // a place was free, and no stream wanted it
    else if (freed_at_ > full_since_)
      fact = model::StreamLimit{*limit_, full_since_, freed_at_};
  }
  if (open_ < *limit_) return fact;
  freed_at_ = model::kNoTime;
  if (!known(full_since_)) full_since_ = at;
  return fact;
}

void Places::closed(model::Time at) {
  if (open_ > 0) --open_;
  if (limit_ && open_ + 1 == *limit_) freed_at_ = at;
}

}  // namespace tailcap::protocols::http2
