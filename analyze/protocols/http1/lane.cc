#include "analyze/protocols/http1/lane.h"

#include <utility>

#include "analyze/protocols/grpc/call.h"
#include "formats/event.h"

namespace tailcap::protocols {

using model::Ending;
using model::Taint;

HeldRun::HeldRun(const model::ByteRun& r) : run(r), marks(r.arrivals.begin(), r.arrivals.end()) {
  bytes.reserve(r.head.size() + r.tail.size());
  bytes.append(r.head).append(r.tail);
}

model::ByteRun HeldRun::view() const {
  model::ByteRun r = run;
  const std::string_view all = bytes;
  r.head = all.substr(0, run.head.size());
  r.tail = all.substr(run.head.size());
  r.arrivals = marks;
  return r;
}

void MessageLane::open_message(const model::ByteRun& run, std::uint64_t offset) {
  open_ = true;
  body_begun_ = doubtful_ = body_unsure_ = unsent_ = false;
  body_ = 0;
  web_.reset();
  buffer_.clear();
  framing = {};
  message.kind = role_ == LaneRole::requests ? model::MessageKind::request : model::MessageKind::response;
  message.connection = connection_;
  message.direction = direction_;
  message.begin = message.end = offset;
  message.first_thread = run.thread;
  message.instants.first_done = run.done;
  if (direction_ == model::Direction::in) {
    message.instants.first_arrived = arrival_of(run, offset);
    if (!formats::known(message.instants.first_arrived)) message.taints = message.taints | Taint::arrival_unknown;
  }
}

void MessageLane::touch(const model::ByteRun& run, std::uint64_t from, std::uint64_t to) {
  position_ = to;
  last_done_ = run.done;
  if (!open_ || to <= from) return;
  message.end = to;
  message.instants.last_done = run.done;
  message.last_thread = run.thread;
  message.taints |= run.taints;
  if (direction_ == model::Direction::in) message.instants.last_arrived = arrival_of(run, to - 1);
}

void MessageLane::use(Cursor& cursor, std::uint64_t n) {
  touch(cursor.run(), cursor.offset(), cursor.offset() + n);
  cursor.skip(n);
}

void MessageLane::use_body(Cursor& cursor, std::uint64_t n) {
  while (web_ && n > 0) {
    const std::string_view known = cursor.known();
    const std::uint64_t part = std::min<std::uint64_t>(n, known.empty() ? cursor.unknown() : known.size());
    web_->push(cursor.run(), cursor.offset(), part, known.substr(0, part));
    use(cursor, part);
    n -= part;
  }
  use(cursor, n);
}

MessageLane::Event MessageLane::finish(Ending ending) {
  if (state_ == State::chunks) {
    message.body_bytes = chunks_.body();
    if (chunks_.malformed()) message.taints = message.taints | Taint::malformed;
  } else if (state_ == State::length || state_ == State::until_close || state_ == State::head) {
    message.body_bytes = body_;
  }
  // The bytes of a body that broke off are known; those of one that was going on, or whose end is lost, are not.
  if (ending == Ending::cut_off || ending == Ending::lost || body_unsure_) message.body_bytes.reset();
  message.ending = ending;
  if (ending == Ending::lost) message.instants.last_done = message.instants.last_arrived = model::kNoTime;
  if (web_) web_->finish(message);
  web_.reset();
  open_ = false;
  state_ = opaque_next_ ? State::opaque : State::start;
  if (opaque_next_) opaque_from_ = position_;
  return Event::finished;
}

MessageLane::Event MessageLane::frame(BodyFraming body, std::uint64_t length, bool doubtful) {
  doubtful_ = doubtful;
  body_unsure_ = false;
  if (const auto type = message.headers.find("content-type"); type && body != BodyFraming::unknown)
    if (const grpc::Web web = grpc::web_kind(*type); web != grpc::Web::no)
      web_ = std::make_unique<grpc::WebBody>(web == grpc::Web::text);
  switch (body) {
    case BodyFraming::none:
      break;
    case BodyFraming::length:
      if (length == 0) break;
      state_ = State::length;
      left_ = length;
      return Event::more;
    case BodyFraming::chunked:
      state_ = State::chunks;
      chunks_.start();
      return Event::more;
    case BodyFraming::until_close:
      state_ = State::until_close;
      return Event::more;
    case BodyFraming::unknown:
      state_ = State::seek;
      lost_in_ = State::length;
      gap_inside_ = false;
      swallowed_ = 0;
      tail_.clear();
      return Event::more;
  }
  return finish(Ending::complete);
}

bool MessageLane::body_begins(const Cursor& cursor) {
  body_begun_ = true;
  if (std::exchange(unsent_, false) && verified_start(cursor.known(), true)) return false;
  if (doubtful_) {
    // Where the head stood alone, the body may never have been sent; where a head follows, it was not.
    if (verified_start(cursor.known(), false)) {
      body_unsure_ = true;
      message.taints = message.taints | Taint::end_inferred;
      return false;
    }
    body_unsure_ = cursor.at_start();
  }
  message.body_arrived = arrival_of(cursor.run(), cursor.offset());
  return true;
}

MessageLane::Event MessageLane::advance(Cursor& cursor) {
  while (cursor.left() > 0) {
    const model::ByteRun& run = cursor.run();
    switch (state_) {
      case State::start: {
        std::string_view known = cursor.known();
        if (known.empty()) {
          lose(Taint::payload_cut);
          break;
        }
        // RFC 9112, 2.2: empty lines in front of a request are not part of it.
        while (role_ == LaneRole::requests && !known.empty() && (known.front() == '\r' || known.front() == '\n')) {
          use(cursor, 1);
          known = cursor.known();
        }
        if (known.empty()) break;
        open_message(run, cursor.offset());
        state_ = State::head;
        break;
      }
      case State::head:
        if (const Event e = advance_head(cursor); e != Event::more) return e;
        break;
      case State::length: {
        if (!body_begun_ && !body_begins(cursor)) return finish(Ending::complete);
        const std::uint64_t n = std::min(left_, cursor.left());
        use_body(cursor, n);
        left_ -= n;
        body_ += n;
        if (left_ == 0) return finish(Ending::complete);
        break;
      }
      case State::chunks: {
        if (!body_begun_ && !body_begins(cursor)) return finish(Ending::complete);
        std::string_view known = cursor.known();
        if (known.empty()) {
          const std::uint64_t n = cursor.unknown();
          if (!chunks_.skip(n)) {
            lost_in_ = State::chunks;
            return cut(cursor, Taint::payload_cut);
          }
          use_body(cursor, n);
          break;
        }
        if (const std::uint64_t data = std::min<std::uint64_t>(chunks_.data_left(), known.size()); web_ && data > 0) {
          chunks_.skip(data);
          use_body(cursor, data);
          break;
        }
        const std::size_t before = known.size();
        const ChunkStep step = chunks_.push(known, message.trailers, web_ != nullptr);
        use(cursor, before - known.size());
        if (step == ChunkStep::done) return finish(Ending::complete);
        if (step == ChunkStep::invalid) {
          lost_in_ = State::length;
          return cut(cursor, Taint::malformed);
        }
        break;
      }
      case State::until_close:
        if (!body_begun_ && !body_begins(cursor)) return finish(Ending::complete);
        body_ += cursor.left();
        use_body(cursor, cursor.left());
        break;
      case State::opaque:
        use(cursor, cursor.left());
        break;
      case State::seek:
        if (const Event e = seek(cursor); e != Event::more) return e;
        break;
    }
  }
  return Event::more;
}

MessageLane::Event MessageLane::advance_head(Cursor& cursor) {
  const std::string_view known = cursor.known();
  const bool requests = role_ == LaneRole::requests;
  if (known.empty()) {
    lost_in_ = State::head;
    if (parse_head(buffer_.text(), requests, false, message, framing)) message.headers_complete = false;
    return cut(cursor, Taint::payload_cut);
  }
  // Whatever is not captured behind `known` is looked at when the cursor gets there.
  const std::size_t before = buffer_.text().size();
  std::size_t end;
  bool valid = true, kept = true;
  if (before == 0) {
    end = buffer_.known().take(known, requests, message, framing);
    if (end == 0) {
      end = head_end(known);
      if (end == known.npos)
        kept = buffer_.append(known);
      else if ((valid = parse_head(known.substr(0, end), requests, true, message, framing)))
        buffer_.known().note(known.substr(0, end), requests, message, framing);
    }
  } else {
    kept = buffer_.append(known);
    end = kept ? head_end(buffer_.text(), before) : known.npos;
    if (end != known.npos) valid = parse_head(buffer_.text().substr(0, end), requests, true, message, framing);
  }
  if (!kept) {
    lost_in_ = State::head;
    if (parse_head(before == 0 ? known : buffer_.text(), requests, false, message, framing))
      message.headers_complete = false;
    return cut(cursor, Taint::payload_cut);
  }
  if (end == known.npos) {
    const std::string_view begun = buffer_.text();
    const Guess g = guess(begun.substr(0, kMaxMethod + 8));
    valid = begun.size() <= kMaxHead && (g == Guess::undecided || g == (requests ? Guess::request : Guess::response));
    // The start line is judged when it is whole: a stream of something else must not be collected first.
    if (const std::size_t line_end = begun.find('\n'); valid && line_end != begun.npos && line_end >= before) {
      model::Message trial;
      Framing ignored;
      valid = parse_head(begun, requests, false, trial, ignored);
    }
    if (valid) {
      use(cursor, known.size());
      return Event::more;
    }
  }
  if (!valid) {
    lost_in_ = State::length;
    return cut(cursor, Taint::malformed);
  }
  use(cursor, end - before);
  message.head_done = cursor.run().done;
  buffer_.clear();
  return Event::head;
}

void MessageLane::become_opaque() {
  if (open_ && state_ != State::seek) {
    opaque_next_ = true;
    return;
  }
  state_ = State::opaque;
  opaque_from_ = held.empty() ? position_ : held.front().run.offset;
  position_ = opaque_from_;
}

bool MessageLane::end(const model::ByteRun& run, bool alone) {
  if (run.gap > 0) {
    if (gap(run.gap, run) == Event::finished) return true;
    position_ = run.offset;
  }
  if (!open_) return false;
  const bool lost = has(message.taints, Taint::bytes_lost) && run.gap > 0;
  message.closed = run.end;
  message.closed_at = run.done;
  message.taints |= run.taints;
  switch (state_) {
    case State::until_close:
      if (run.end == model::End::fin) {
        finish(lost ? Ending::lost : Ending::complete);
        return true;
      }
      [[fallthrough]];
    case State::head:
    case State::length:
    case State::chunks: {
      if (unsent_ && run.gap == 0) {
        finish(Ending::complete);
        return true;
      }
      if (state_ == State::head) parse_head(buffer_.text(), role_ == LaneRole::requests, false, message, framing);
      if (run.end == model::End::capture) message.taints = message.taints | Taint::cut_off;
      const bool in_head = state_ == State::head;
      finish(lost ? Ending::lost : run.end == model::End::capture ? Ending::cut_off : Ending::truncated);
      if (in_head) message.body_bytes.reset();
      return true;
    }
    case State::seek:
      return close_open(alone && ends_well());
    case State::start:
    case State::opaque:
      break;
  }
  return false;
}

}  // namespace tailcap::protocols
