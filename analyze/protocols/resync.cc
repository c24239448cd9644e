// After bytes were lost or not captured: how HTTP/1 finds its way back, and what that says about what went by.
#include "analyze/protocols/http1.h"

namespace tailcap::protocols {

using flow::Finding;
using flow::Taint;

// The lane was seeking, and here a message begins for certain.
void Http1::resync(Lane& l, const Cursor& cursor, Context& c) {
  if (!requests_) set_roles((l.guessed() == Role::requests) == (&l == &lanes_[0]) ? lanes_[0] : lanes_[1]);
  if (!l.quiet()) c.findings.add(Finding::resynchronised);
  seen_head_ = true;
  if (&l == requests_) {
    // The message before it ended here or earlier; here, if it was one message, and only a client that pipelines
    // puts two where one was seen.
    if (l.close_open(l.ends_well() || (!pipelines_ && !l.swallowed()))) take(l, c);
    return l.resume();
  }
  if (l.close_open(l.ends_well() || (!pipelines_ && !l.swallowed()))) take(l, c);
  if (const flow::Taints why = l.swallowed()) {
    // Responses may have gone by. A client that waits for each has asked last what this one answers; where it does
    // not wait, no one can tell.
    std::size_t begun = 0;
    for (std::size_t i = asked_head_; i < asked_.size(); ++i) begun += asked_[i].begun <= cursor.run().done;
    if (pipelines_ && begun > 1) answers_lost(open_questions(), c);
    else if (begun > 1) answers_lost(begun - 1, c);
    next_uncertain_ = why;
  }
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

// A new request after what looks like the end of a response whose framing was not captured: it was the end.
void Http1::infer_end(const flow::ByteRun& run, Context& c) {
  Lane& l = *responses_;
  if (pipelines_ || !l.ends_well() || l.last_done() > run.done) return;
  if (l.close_open(true)) take(l, c);
}

}  // namespace tailcap::protocols
