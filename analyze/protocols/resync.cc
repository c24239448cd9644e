// After bytes were lost or not captured: how HTTP/1 finds its way back, and what that says about what went by.
#include <algorithm>

#include "analyze/protocols/http1.h"

namespace tailcap::protocols {

using flow::Finding;
using flow::Taint;

// The lane was seeking, and here a message begins for certain.
void Http1::resync(MessageLane& l, Cursor& cursor, Context& c) {
  if (!requests_) set_roles((l.guessed() == LaneRole::requests) == (&l == &lanes_[0]) ? lanes_[0] : lanes_[1]);
  seen_head_ = true;
  if (&l == responses_ && !decided(cursor.run().done)) {
    resync_waits_ = true;
    return;
  }
  if (!l.quiet()) c.findings.add(Finding::resynchronised);
  if (&l == requests_) {
    if (l.close_open(l.ends_well())) take(l, c);
    return l.resume();
  }
  // Which request does this one answer? Messages may have gone by. A client that waits for each response has asked last
  // what this one answers; where it does not wait, or where requests may have gone by as well, no one can tell.
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

// The next n requests were answered by something that was not seen.
void Http1::answers_lost(std::size_t n, Context& c) {
  for (; n > 0; --n) {
    flow::Message m;
    m.kind = flow::MessageKind::response;
    m.connection = responses_->connection();
    m.direction = responses_->direction();
    m.protocol = flow::Protocol::http11;
    m.ending = flow::Ending::lost;
    m.taints = responses_->swallowed() | Taint::bytes_lost;
    m.begin = m.end = responses_->position();
    pop_asked();
    c.out.take(m);
  }
}

// Remembers, when the responses begin to seek, what was lost of the requests until then.
void Http1::note_losses() {
  const bool seeks = responses_ && responses_->state() == MessageLane::State::seek;
  if (seeks && !seeking_) losses_at_seek_ = request_losses_;
  seeking_ = seeks;
}

// No other response can be in what was seen of the open one.
bool Http1::alone() const {
  return !pipelines_ && open_questions() <= (unasked_ ? 0u : 1u) && request_losses_ == losses_at_seek_;
}

// A new request after what looks like the end of a response whose framing was not captured: it was the end.
void Http1::infer_response_end(const flow::ByteRun& run, Context& c) {
  MessageLane& l = *responses_;
  if (!alone() || !l.ends_well() || l.last_done() > run.done) return;
  if (l.close_open(true)) take(l, c);
  l.resume();
}

// A request whose framing was not captured was answered at `answered_open_`, and this is what comes after it in its
// direction, without a gap: it had ended before, and where its last bytes look like an end or a request follows they
// were.
void Http1::infer_request_end(const flow::ByteRun& run, Context& c) {
  MessageLane& l = *requests_;
  if (!formats::known(answered_open_) || l.state() != MessageLane::State::seek || !l.open()) return;
  const bool in_time = l.last_done() <= answered_open_;
  if (run.gap == 0 && in_time && !l.ends_well() && !verified_start(run.head, true)) return;  // the upload goes on
  answered_open_ = flow::kNoTime;
  const bool well = run.gap == 0 && in_time;
  if (l.close_open(well)) take(l, c);
  if (well) l.resume();
}

}  // namespace tailcap::protocols
