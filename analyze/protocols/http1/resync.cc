// How HTTP/1 finds message borders again after bytes were lost or not captured, and what that says about the lost part.
#include <algorithm>

#include "analyze/protocols/http1/http1.h"

namespace tailcap::protocols {

using model::Finding;
using model::Taint;

// The lane was seeking, and a message begins here for certain.
void Http1::resync(MessageLane& l, Cursor& cursor, Context& c) {
  if (!requests_) set_roles((l.guessed() == LaneRole::requests) == (&l == &lanes_[0]) ? lanes_[0] : lanes_[1]);
  seen_head_ = true;
  whole_ = false;
  if (&l == responses_ && !decided(cursor.run().done)) {
    resync_waits_ = true;
    return;
  }
  if (!l.quiet()) c.findings.add(Finding::resynchronised);
  if (&l == requests_) {
    requests_missing_ |= missing(l);
    if (l.close_open(l.ends_well())) take(l, c);
    return l.resume();
  }
  // Finds the request that this response answers. Messages may have been lost. A client that waits for each response
  // sent that request last. If it does not wait, or if requests may have been lost as well, the request cannot be
  // known.
  std::size_t begun = 0;
  for (std::size_t i = asked_head_; i < asked_.size(); ++i) begun += asked_[i].begun <= cursor.run().done;
  const bool certain = decided_whole_ && request_losses_ == losses_at_seek_ && !(pipelines_ && begun > 1);
  const std::size_t of_open = l.open() && !unasked_ && begun > 0 ? 1 : 0;
  const std::size_t others = begun - of_open;
  if (l.close_open(certain && others <= 1 && !l.swallowed())) take(l, c);
  answers_lost(certain ? std::max<std::size_t>(others, 1) - 1 : others, c);
  next_unknown_ = !certain || others == 0;
  if (has(l.swallowed(), Taint::malformed)) next_taints_ = next_taints_ | Taint::malformed;
  l.resume();
}

// The next n requests were answered by responses that were not seen.
void Http1::answers_lost(std::size_t n, Context& c) {
  for (; n > 0; --n) {
    model::Message m;
    m.kind = model::MessageKind::response;
    m.connection = responses_->connection();
    m.direction = responses_->direction();
    m.protocol = model::Protocol::http11;
    m.ending = model::Ending::lost;
    m.taints = responses_->swallowed() | Taint::bytes_lost;
    m.begin = m.end = responses_->position();
    pop_asked();
    c.out.take(m);
  }
}

// Remembers how much of the requests was lost before the responses begin to seek.
void Http1::note_losses() {
  const bool seeks = responses_ && responses_->state() == MessageLane::State::seek;
  if (seeks && !seeking_) losses_at_seek_ = request_losses_;
  seeking_ = seeks;
}

// Why messages of a lane that seeks may go by unseen.
model::Taints Http1::missing(const MessageLane& l) {
  constexpr model::Taints kWhy = model::Taints{} | Taint::payload_cut | Taint::bytes_lost | Taint::malformed;
  return l.swallowed() | (l.open() && l.state() == MessageLane::State::seek ? l.message.taints & kWhy : 0);
}

// Every request so far was seen: the connection from its first byte on, and nothing is missing.
bool Http1::requests_whole() const {
  return whole_ && patient_ && lanes_[0].begun() && lanes_[1].begun() && requests_->state() != MessageLane::State::seek;
}

// Whether the seen part of the open response can contain no other response.
bool Http1::alone() const {
  return !pipelines_ && open_questions() <= (unasked_ ? 0u : 1u) && request_losses_ == losses_at_seek_;
}

// A new request follows what looks like the end of a response with uncaptured framing: it was the end.
void Http1::infer_response_end(const model::ByteRun& run, Context& c) {
  MessageLane& l = *responses_;
  if (!alone() || !l.ends_well() || l.last_done() > run.done) return;
  if (l.close_open(true)) take(l, c);
  l.resume();
}

// A request with uncaptured framing was answered at `answered_open_`, and this run follows it in its direction without
// a gap. The request ended before the answer; its last bytes are its end if they look like one or if a request follows.
void Http1::infer_request_end(const model::ByteRun& run, Context& c) {
  MessageLane& l = *requests_;
  if (!formats::known(answered_open_) || l.state() != MessageLane::State::seek || !l.open()) return;
  const bool in_time = l.last_done() <= answered_open_;
  if (run.gap == 0 && in_time && !l.ends_well() && !verified_start(run.head, true)) return;  // the upload goes on
  answered_open_ = model::kNoTime;
  const bool well = run.gap == 0 && in_time;
  if (l.close_open(well)) take(l, c);
  if (well) l.resume();
}

}  // namespace tailcap::protocols
