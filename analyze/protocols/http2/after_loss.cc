// After frames may have been lost: finds frame borders again, and keeps responses whose requests may still come.
#include <algorithm>

#include "analyze/protocols/http2/connection.h"
#include "analyze/protocols/http2/sides.h"

namespace tailcap::protocols::http2 {

using model::Direction;
using model::End;
using model::Ending;

// Frames of the open streams may be lost from here on. For streams that begin before a border is found see open().
void Http2Connection::passed_over(Direction d) {
  for (auto& [id, stream] : streams_) stream.half(asks(d)).lose(why_unseen_[index(d)]);
}

// Whether a frame header can belong to direction d, given the known streams.
Fit Http2Connection::fits(const FrameHeader& h, Direction d) const {
  const bool client = asks(d), of_client = h.stream % 2 != 0;
  const auto it = streams_.find(h.stream);
  const bool open = it != streams_.end() && !it->second.half(client).done();
  switch (h.type) {
    case FrameType::headers:
      if (client && !of_client) return Fit::no;
      if (open) return Fit::certain;
      return client && highest_ > 0 && h.stream > highest_ && h.stream - highest_ <= kMaxLeap ? Fit::certain
                                                                                              : Fit::possible;
    case FrameType::data:
      return client && !of_client ? Fit::no : open ? Fit::certain : Fit::possible;
    case FrameType::push_promise:
      return client || !of_client ? Fit::no : open ? Fit::certain : Fit::possible;
    case FrameType::rst_stream:
      return it != streams_.end() ? Fit::certain : Fit::possible;
    case FrameType::window_update:
      return h.stream == 0 || it != streams_.end() ? Fit::certain : Fit::possible;
    case FrameType::settings:
    case FrameType::ping:
    case FrameType::goaway:
      return Fit::certain;
    case FrameType::priority:
    case FrameType::continuation:
      break;
  }
  return Fit::possible;
}

// This run, which the search now holds, proved a border.
bool Http2Connection::found_again(const model::ByteRun& run) {
  const Direction d = run.direction;
  Resync& resync = sender(d).resync;
  if (resync.push(run, [this, d](const FrameHeader& h) { return fits(h, d); })) return true;
  return (resync.whole() || resync.hidden()) && sends_requests(resync.held()) == asks(d);
}

// Stream numbers grow: once a later request was read, this one was lost.
bool Http2Connection::request_may_come(std::uint32_t id, const Stream& stream) const {
  const Half& request = stream.request;
  return !request.begun() && !request.done() && request.lossy() && id > highest_asked_ && !ended_[index(*client_)];
}

void Http2Connection::let_wait(std::uint32_t id, Stream& stream, Ending ending, End closed, Context& c) {
  stream.response.finish(ending, closed);
  if (closed != End::none) stream.response.message.closed_at = c.run.done;
  stream.answer_waits = true;
  stream.answered = c.run.done;
  waiting_.push_back(id);
}

void Http2Connection::release_answer(Stream& stream, Context& c) {
  stream.answer_waits = false;
  Half& half = stream.response;
  half.message.answers_unknown = !stream.request.begun();
  if (half.message.answers_unknown) half.message.taints = half.message.taints | why_unseen_[index(*client_)];
  held_.text -= half.text();
  c.out.take(half.message);
  half.forget_fields();
}

// The request's head was read, so what came before it can be reported.
void Http2Connection::request_came(std::uint32_t id, Context& c) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  Stream& stream = it->second;
  if (stream.answer_waits) release_answer(stream, c);
  if (!stream.broken_off || stream.request.done()) return;
  break_off(id, stream, *stream.broken_off, c);
}

// Gives up on streams that lost their request: those below a number, and those that have waited long enough.
void Http2Connection::give_up_waiting(std::uint32_t below, Context& c) {
  std::erase_if(waiting_, [&](std::uint32_t id) {
    const auto it = streams_.find(id);
    if (it == streams_.end() || !it->second.answer_waits) return true;
    Stream& stream = it->second;
    if (id >= below && c.run.done < stream.answered + kRequestPatience) return false;
    release_answer(stream, c);
    stream.request.finish(Ending::lost, End::none);
    remember_closed(id);
    forget_if_done(id, c.run.done);
    return true;
  });
}

}  // namespace tailcap::protocols::http2
