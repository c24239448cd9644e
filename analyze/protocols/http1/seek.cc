// A lane that lost its framing, in bytes that were lost or not captured: what it remembers, and what makes it trust
// again.
#include "analyze/protocols/http1/lane.h"

namespace tailcap::protocols {

using model::Ending;
using model::Taint;

namespace {

// What is kept of a run's end to recognise "\r\n0\r\n\r\n".
constexpr std::size_t kTail = 7;

bool ends_with(std::string_view s, std::string_view end) {
  return s.size() >= end.size() && s.substr(s.size() - end.size()) == end;
}

}  // namespace

MessageLane::Event MessageLane::cut(Cursor& cursor, Taint why) {
  const bool in_head = state_ == State::head;
  message.taints = message.taints | why;
  state_ = State::seek;
  gap_inside_ = false;
  // Framing that breaks the rules may be none: then it went wrong before, who knows where.
  swallowed_ = why == Taint::malformed ? static_cast<model::Taints>(why) : 0;
  body_begun_ = true;
  buffer_.clear();
  use(cursor, cursor.left());
  remember_tail(cursor.run());
  return in_head ? Event::cut : Event::more;
}

void MessageLane::remember_tail(const model::ByteRun& run) {
  const std::string_view last = !run.tail.empty()               ? run.tail
                                : run.head.size() == run.length ? run.head
                                                                : std::string_view{};
  if (last.size() < kTail && last.size() == run.length) {
    tail_.append(last);
    if (tail_.size() > kTail) tail_.erase(0, tail_.size() - kTail);
  } else {
    tail_.assign(last.substr(last.size() - std::min(last.size(), kTail)));
  }
}

MessageLane::Event MessageLane::seek(Cursor& cursor) {
  // The beginning of what was recorded may have been lost without a gap.
  if (quiet_ && has(cursor.run().taints, Taint::events_lost)) swallowed_ = swallowed_ | Taint::events_lost;
  if (cursor.at_start()) {
    const std::string_view known = cursor.known();
    if (role_ != LaneRole::responses && verified_start(known, true))
      guessed_ = LaneRole::requests;
    else if (role_ != LaneRole::requests && verified_start(known, false))
      guessed_ = LaneRole::responses;
    else
      guessed_ = LaneRole::unknown;
    if (guessed_ != LaneRole::unknown) return Event::resync;
  }
  use(cursor, cursor.left());
  remember_tail(cursor.run());
  return Event::more;
}

MessageLane::Event MessageLane::gap(std::uint64_t n, const model::ByteRun& run) {
  if (open_) message.taints = message.taints | Taint::bytes_lost;
  if (web_) web_->lose();
  position_ = run.offset;
  switch (state_) {
    case State::start:
      lose(Taint::bytes_lost);
      return Event::more;
    case State::head: {
      parse_head(buffer_.text(), role_ == LaneRole::requests, false, message, framing);
      state_ = State::seek;
      lost_in_ = State::length;
      gap_inside_ = true;
      swallowed_ = swallowed_ | Taint::bytes_lost;
      buffer_.clear();
      tail_.clear();
      return Event::cut;
    }
    case State::length:
      body_begun_ = true;
      if (n < left_) {
        left_ -= n;
        body_ += n;
        return Event::more;
      } else {
        const bool exact = n == left_;
        message.end = run.offset - n + left_;
        body_ += left_;
        left_ = 0;
        finish(Ending::lost);
        message.body_bytes = body_;  // by its Content-Length: what follows proves that it was all moved
        if (!exact && state_ != State::opaque) lose(Taint::bytes_lost);
        return Event::finished;
      }
    case State::chunks:
      body_begun_ = true;
      if (chunks_.skip(n)) return Event::more;
      state_ = State::seek;
      lost_in_ = State::chunks;
      gap_inside_ = true;
      swallowed_ = swallowed_ | Taint::bytes_lost;
      tail_.clear();
      return Event::more;
    case State::until_close:
      body_begun_ = true;
      body_ += n;
      return Event::more;
    case State::opaque:
      return Event::more;
    case State::seek:
      gap_inside_ = true;
      if (!quiet_ || open_) swallowed_ = swallowed_ | Taint::bytes_lost;
      tail_.clear();
      return Event::more;
  }
  return Event::more;
}

bool MessageLane::ends_well() const {
  if (state_ != State::seek || !open_ || gap_inside_) return false;
  if (lost_in_ == State::head) return ends_with(tail_, "\r\n\r\n");
  return lost_in_ == State::chunks && ends_with(tail_, "\r\n0\r\n\r\n");
}

bool MessageLane::close_open(bool sure) {
  if (!open_) return false;
  message.body_bytes.reset();
  const bool inferred = sure && !gap_inside_ && !has(message.taints, Taint::malformed);
  if (inferred) message.taints = message.taints | Taint::end_inferred;
  finish(inferred ? Ending::complete : Ending::lost);
  message.body_bytes.reset();
  if (state_ != State::opaque) state_ = State::seek;
  return true;
}

}  // namespace tailcap::protocols
