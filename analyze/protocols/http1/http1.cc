#include "analyze/protocols/http1/http1.h"

#include <utility>

#include "analyze/protocols/http1/body.h"

namespace tailcap::protocols {

using model::ByteRun;
using model::Finding;
using model::MessageKind;
using model::Taint;

void Http1::set_roles(MessageLane& asking) {
  requests_ = &asking;
  responses_ = &asking == &lanes_[0] ? &lanes_[1] : &lanes_[0];
  requests_->set_role(LaneRole::requests);
  responses_->set_role(LaneRole::responses);
}

void Http1::push(const ByteRun& run, Messages& out, model::Findings& findings) {
  Context c{out, findings};
  MessageLane& l = lane(run.direction);
  if (l.ended) return;
  if (!l.begun()) l.begin(run.first_known);
  l.total += run.gap + run.length;
  whole_ = whole_ && l.first_known() && run.gap == 0 && !has(run.taints, Taint::events_lost);
  if (!formats::known(l.seen_from) && run.length > 0) {
    l.seen_from = arrival_of(run, run.offset);
    if (!formats::known(l.seen_from)) l.seen_from = run.done;
  }
  if (refused_) {
    if (run.end != model::End::none) end(l, run, c);
    return;
  }
  if (run.end != model::End::none) {
    l.end_held = run;
  } else if ((!requests_ && l.at_border() && !detect(l, run, c)) || !l.held.empty()) {
    if (!refused_) hold(l, run);
  } else {
    feed(l, run, c);
  }
  settle(c);
}

// At the beginning of a connection: does this look like HTTP/1? False: not yet known (or refused).
bool Http1::detect(MessageLane& l, const ByteRun& run, Context& c) {
  std::string begin;
  for (const HeldRun& h : l.held) begin.append(h.bytes);
  begin.append(run.head.empty() ? run.tail : run.head.substr(0, kMaxMethod + 8));
  if (begin.empty() || run.gap > 0) {
    l.held.clear();
    l.held_bytes = 0;
    l.lose(run.gap > 0 ? Taint::bytes_lost
                       : Taint::payload_cut);  // the first bytes were not captured: wait for a border
    return true;
  }
  switch (guess(begin)) {
    case Guess::request:
      set_roles(l);
      return true;
    case Guess::response:
      set_roles(&l == &lanes_[0] ? lanes_[1] : lanes_[0]);
      return true;
    case Guess::neither:
      refuse(c);
      return false;
    case Guess::undecided:
      return false;
  }
  return false;
}

void Http1::refuse(Context& c) {
  refused_ = true;
  c.findings.add(Finding::not_http);
  for (MessageLane& l : lanes_) {
    l.held.clear();
    l.held_bytes = 0;
  }
}

void Http1::hold(MessageLane& l, const ByteRun& run) {
  l.held.emplace_back(run);
  l.held_bytes += l.held.back().bytes.size();
}

// Whether bytes of this lane, moved at `done`, have to wait for the other one.
bool Http1::blocked(const MessageLane& l, model::Time done) const {
  if (!requests_ || l.held.size() > kMaxHeldRuns || l.held_bytes > kMaxHeldRunBytes) return false;
  if (resync_waits_ && &l == responses_) return !decided(done);
  if (!l.at_border()) return false;
  if (&l == requests_) return awaits_upgrade_ && !responses_->ended;
  if (open_questions() > 0 || !patient_ || requests_->ended) return false;
  if (requests_->state() == MessageLane::State::seek || requests_->state() == MessageLane::State::opaque) return false;
  // A request is always read before its response is sent.
  if (formats::known(request_at_) && done < request_at_) return false;
  return asked_once_ || l.first_known() || requests_->open();
}

void Http1::settle(Context& c) {
  bool progress = true;
  while (progress) {
    progress = false;
    for (MessageLane* l : {requests_ ? requests_ : &lanes_[1], requests_ ? responses_ : &lanes_[0]}) {
      progress |= drain(*l, c);
      // The end of the requests shows which request an open response without framing answers, and whether it is a
      // response.
      const bool waits = requests_ && l == responses_ && patient_ && l->open() &&
                         l->state() == MessageLane::State::seek && !requests_->ended;
      if (l->end_held && l->held.empty() && !l->ended && !waits) {
        const ByteRun run = *l->end_held;
        l->end_held.reset();
        end(*l, run, c);
        progress = true;
      }
    }
  }
  // Both directions have ended and a run still waits: nothing more will come that decides it.
  for (MessageLane& l : lanes_) {
    if (!l.end_held || !(&l == &lanes_[0] ? lanes_[1] : lanes_[0]).end_held) continue;
    patient_ = awaits_upgrade_ = false;
    decided_whole_ = false;
    if (!requests_) refuse(c);
    return settle(c);
  }
}

bool Http1::drain(MessageLane& l, Context& c) {
  bool progress = false;
  std::vector<HeldRun> waiting;
  while (!l.held.empty() && requests_ && !blocked(l, l.held.front().run.done)) {
    if (l.held.size() > kMaxHeldRuns || l.held_bytes > kMaxHeldRunBytes) {
      // Limit reached: continue without the data that it waited for.
      if (&l == requests_)
        awaits_upgrade_ = false;
      else if (!resync_waits_)
        patient_ = false;
      else {
        decided_to_ = model::Time::max();
        decided_whole_ = false;
      }
    }
    if (&l == responses_) resync_waits_ = false;
    waiting.swap(l.held);
    l.held_bytes = 0;
    progress = true;
    // Feeding may hold the rest of a run again; then everything behind it keeps waiting.
    std::size_t i = 0;
    for (; i < waiting.size() && l.held.empty() && !refused_; ++i) {
      if (i > 0 && blocked(l, waiting[i].run.done)) break;
      const std::size_t before = l.held.size();
      feed(l, waiting[i].view(), c);
      if (l.held.size() != before) ++i;
      if (!l.held.empty()) break;
    }
    for (; i < waiting.size() && !refused_; ++i) {
      l.held_bytes += waiting[i].bytes.size();
      l.held.push_back(std::move(waiting[i]));
    }
    waiting.clear();
    if (refused_) break;
  }
  return progress;
}

void Http1::feed(MessageLane& l, const ByteRun& run, Context& c) {
  Cursor cursor(run);
  if (&l == requests_) {
    infer_request_end(run, c);
    decided_to_ = run.done;
    decided_whole_ = run.gap == 0 && l.state() != MessageLane::State::seek;
    const bool at_border = l.at_border();
    if (!decided_whole_) ++request_losses_;
    if (run.gap > 0) handle(l, l.gap(run.gap, run), cursor, c);
    if (at_border || run.gap > 0 || resync_waits_) {
      // A client's send is stamped late, so that only a loss makes it certain that a response is older.
      if (server() || run.gap > 0) request_at_ = run.done;
      drain(*responses_, c);
      request_at_ = model::kNoTime;
    }
  }
  if (run.gap > 0 && &l != requests_) handle(l, l.gap(run.gap, run), cursor, c);
  while (cursor.left() > 0 && !refused_) {
    if (blocked(l, run.done)) return hold(l, cursor.rest());
    if (!requests_ && l.at_border()) return l.lose(Taint::payload_cut);
    // The request that a response answers is settled at the response's first byte: later requests do not count. A
    // server reads before it answers, so a response older than the request answers a request that was not seen.
    if (requests_ && &l == responses_ && l.at_border()) {
      const bool unknown = std::exchange(next_unknown_, false);
      unasked_ = unknown || open_questions() == 0 || (server() && asked()->begun > run.done);
      unsolicited_ = unasked_ && !unknown && requests_whole() && (open_questions() > 0 || !requests_->open());
    }
    handle(l, l.advance(cursor), cursor, c);
    note_losses();
    if (resync_waits_ && &l == responses_) return hold(l, cursor.rest());
  }
}

void Http1::handle(MessageLane& l, MessageLane::Event event, Cursor& cursor, Context& c) {
  switch (event) {
    case MessageLane::Event::more:
      return;
    case MessageLane::Event::resync:
      return resync(l, cursor, c);
    case MessageLane::Event::finished:
      return take(l, c);
    case MessageLane::Event::cut:
      whole_ = false;
      if (&l == requests_) requests_missing_ |= missing(l);
      // It does not begin as HTTP does. Later text that looks like HTTP is content of another protocol.
      if (!seen_head_ && has(l.message.taints, Taint::malformed) && !has(l.message.taints, Taint::payload_cut))
        return refuse(c);
      c.findings.add(has(l.message.taints, Taint::payload_cut) ? Finding::head_cut : Finding::malformed_message);
      if (&l == requests_) {
        request_head(l, true, cursor.run(), c);
      } else if (has(l.message.taints, Taint::malformed) && l.message.status == 0) {
        // No response begins here, so the borders were lost earlier.
        renew(l.message);
        l.lose(Taint::malformed);
      } else {
        l.message.answers_unknown = unasked_;
        // Interim responses are short: one that does not end is the final one, unless its status says otherwise.
        if (l.message.status >= 100 && l.message.status < 200 && l.message.status != 101)
          l.message.kind = MessageKind::interim;
      }
      return;
    case MessageLane::Event::head: {
      seen_head_ = true;
      if (l.framing.length_and_coding || l.framing.contradictory) c.findings.add(Finding::smuggling_framing);
      if (l.framing.contradictory) l.message.taints = l.message.taints | Taint::malformed;
      if (has(l.message.taints, Taint::malformed)) c.findings.add(Finding::malformed_message);
      MessageLane::Event next;
      if (&l == requests_) {
        request_head(l, false, cursor.run(), c);
        const BodyRule rule = request_body(l.framing);
        if (rule.framing == BodyFraming::unknown) l.message.taints = l.message.taints | Taint::malformed;
        next = l.frame(rule.framing, rule.length);
      } else {
        next = response_head(l, c);
      }
      if (next == MessageLane::Event::finished) take(l, c);
      return;
    }
  }
}

void Http1::request_head(MessageLane& l, bool cut, const ByteRun& run, Context& c) {
  infer_response_end(run, c);
  asked_once_ = true;
  model::Message& m = l.message;
  m.expects_continue = l.framing.expects_continue;
  m.close_after = l.framing.close || (m.protocol == model::Protocol::http10 && !l.framing.keep_alive);
  if (cut) m.headers_complete = false;
  // Two that begin in one run were not sent one after the other; one that broke off earlier is not in this run.
  const bool before = cut && m.begin < run.offset;
  if (!before && last_request_run_ == run.offset + 1) pipelines_ = true;
  last_request_run_ = before ? 0 : run.offset + 1;
  Asked a;
  a.head = m.method == "HEAD";
  a.connect = m.method == "CONNECT";
  a.upgrade = l.framing.upgrade;
  a.begun = m.instants.first_done;
  asked_.push_back(a);
  if ((a.connect || a.upgrade) && open_questions() == 1) awaits_upgrade_ = true;
}

MessageLane::Event Http1::response_head(MessageLane& l, Context& c) {
  model::Message& m = l.message;
  const Asked* a = unasked_ ? nullptr : asked();
  m.answers_unknown = a == nullptr;
  m.taints |= std::exchange(next_taints_, 0);
  if (m.status < 200 && m.status != 101) {
    m.kind = MessageKind::interim;
    return l.frame(BodyFraming::none, 0);
  }
  if (!a && !unsolicited_) {
    c.findings.add(Finding::response_without_request);
    if (!asked_once_ && !requests_->first_known()) {
      m.taints = m.taints | Taint::began_before;
      // The bytes that its client sent until then belong to it alone.
      if (!answered_once_ && requests_->seen_from < m.instants.first_done) m.seen_from = requests_->seen_from;
    } else {
      const model::Taints why = requests_missing_ | missing(*requests_);
      m.taints |= why != 0 || request_losses_ == 0 ? why : static_cast<model::Taints>(Taint::bytes_lost);
    }
  }
  answered_once_ = true;
  const BodyRule rule =
      response_body(l.framing, m.status, a ? AnsweredRequest{a->head, a->connect} : AnsweredRequest{});
  m.close_after = l.framing.close || rule.framing == BodyFraming::until_close ||
                  (m.protocol == model::Protocol::http10 && !l.framing.keep_alive);
  upgraded_ = m.status == 101 || (a && a->connect && m.status < 300);
  awaits_upgrade_ = false;
  // It ends with the connection, so no later request can have an answer: what the client sends now is content.
  if (a && rule.framing == BodyFraming::until_close) end_requests(c);
  return l.frame(rule.framing, rule.length, a == nullptr);
}

void Http1::pop_asked() {
  if (++asked_head_ == asked_.size()) {
    asked_.clear();
    asked_head_ = 0;
  } else if (asked_head_ > 64 && asked_head_ * 2 > asked_.size()) {
    asked_.erase(asked_.begin(), asked_.begin() + static_cast<std::ptrdiff_t>(asked_head_));
    asked_head_ = 0;
  }
}

// Delivers the lane's finished message.
void Http1::take(MessageLane& l, Context& c) {
  model::Message& m = l.message;
  const bool final = m.kind == MessageKind::response;
  if (final && !m.answers_unknown && open_questions() > 0) {
    pop_asked();
    if (const Asked* next = asked(); next && next->begun < m.instants.first_done) pipelines_ = true;
  }
  const bool answers_open = final && requests_->open() && open_questions() == 0;
  if (answers_open && requests_->message.expects_continue) requests_->body_may_be_missing();
  const model::Time answered = m.instants.last_done;
  if (final && std::exchange(unsolicited_, false)) {
    c.findings.add(Finding::unsolicited_response);
    renew(m);
  } else {
    c.out.take(m);
  }
  if (final && requests_->open() && requests_->state() == MessageLane::State::seek && open_questions() == 0)
    answered_open_ = answered;
  if (final && upgraded_) {
    upgraded_ = false;
    end_requests(c);
    responses_->become_opaque();
  }
}

// What follows the open request is none.
void Http1::end_requests(Context& c) {
  if (requests_->close_open(false)) c.out.take(requests_->message);
  requests_->become_opaque();
}

// The direction ended: an open message ends with it, in whatever way.
void Http1::end(MessageLane& l, const ByteRun& run, Context& c) {
  if (&l == requests_)
    decided_whole_ =
        run.gap == 0 && !l.open() && l.state() != MessageLane::State::seek && !has(run.taints, Taint::events_lost);
  if (&l == requests_ && !decided_whole_) ++request_losses_;
  // For a message with lost framing: the seen bytes can contain nothing else.
  const bool only = !has(run.taints, Taint::events_lost) && run.gap == 0 &&
                    (&l == responses_ ? alone() && run.end == model::End::fin
                                      : formats::known(answered_open_) && l.last_done() <= answered_open_);
  if (!refused_ && l.end(run, only)) {
    model::Message& m = l.message;
    // Bytes that end before the start line does are no request.
    const bool nothing = m.kind == MessageKind::request && m.method.empty() && m.ending != model::Ending::lost &&
                         !has(m.taints, Taint::payload_cut);
    if (nothing) {
      if (run.end != model::End::capture) c.findings.add(Finding::malformed_message);
      renew(m);
    } else {
      // A head that broke off was not announced yet.
      const bool in_head =
          !formats::known(m.head_done) && (m.ending == model::Ending::truncated || m.ending == model::Ending::cut_off);
      if (in_head && m.kind == MessageKind::request)
        asked_.push_back({m.method == "HEAD", false, false, m.instants.first_done});
      if (!formats::known(m.head_done) && m.kind == MessageKind::response) {
        m.answers_unknown = unasked_;
        if (m.status >= 100 && m.status < 200 && m.status != 101) m.kind = MessageKind::interim;
      }
      take(l, c);
    }
  }
  model::Message m;
  m.connection = run.connection;
  m.direction = run.direction;
  m.protocol = refused_ || !requests_ ? model::Protocol::unknown : model::Protocol::http11;
  m.closed = run.end;
  m.closed_at = run.done;
  m.taints = run.taints | l.swallowed();
  if (run.gap > 0) m.taints = m.taints | Taint::bytes_lost;
  if (l.state() == MessageLane::State::seek && !l.quiet()) m.taints = m.taints | Taint::payload_cut;
  m.begin = m.end = run.offset;
  m.instants.first_done = m.instants.last_done = run.done;
  if (l.state() == MessageLane::State::opaque || m.protocol == model::Protocol::unknown) {
    model::Message opaque = m;
    opaque.kind = MessageKind::opaque;
    opaque.opaque_bytes = m.protocol == model::Protocol::unknown ? l.total : l.opaque_bytes();
    c.out.take(opaque);
  }
  m.kind = MessageKind::closed;
  c.out.take(m);
  l.ended = true;
}

}  // namespace tailcap::protocols
