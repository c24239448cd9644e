#include "analyze/exchanges/by_stream.h"

#include "analyze/exchanges/fill.h"
#include "analyze/exchanges/outcome.h"

namespace tailcap::exchanges {

using formats::known;
using model::Direction;
using model::Finding;
using model::MessageKind;
using model::Role;

namespace {

// The answering direction of a role.
std::size_t answering(Role role) { return role == Role::server ? 0 : 1; }

}  // namespace

void ByStream::push(const model::Message& m, Exchanged& out, model::Findings& findings) {
  if (m.kind == MessageKind::closed) return close(m, out, findings);
  if (m.kind == MessageKind::opaque) return;
  message(m, out, findings);
}

void ByStream::message(const model::Message& m, Exchanged& out, model::Findings& findings) {
  if (m.kind == MessageKind::interim && m.answers_unknown) return;
  const auto it = drafts_.try_emplace(m.stream).first;
  if (!it->second) it->second = out.fresh();
  ExchangeDraft& d = *it->second;
  model::Exchange& e = *d.exchange;
  const Role role = (m.direction == Direction::in) == (m.kind == MessageKind::request) ? Role::server : Role::client;
  e.role = role;
  switch (m.kind) {
    case MessageKind::request:
      d.asked = true;
      d.request_ending = m.ending;
      copy_request(m, e);
      (role == Role::server ? e.reader : e.writer) = m.first_thread;
      if (m.unanswered) settle_unanswered(d, m);
      break;
    case MessageKind::response:
      d.answered = true;
      d.response_ending = m.ending;
      d.broken_by = m.closed;
      copy_response(m, e);
      (role == Role::server ? e.writer : e.reader) = m.first_thread;
      if (m.answers_unknown) findings.add(Finding::response_without_request);
      break;
    default:
      ++e.interim_responses;
      if (m.status == 100 && !known(e.continue_done)) e.continue_done = m.instants.last_done;
      e.taints |= m.taints;
      return;
  }
  if (d.asked && !d.answered && closed_[answering(role)])
    unanswered(d);
  else if (!m.answers_unknown && (!d.asked || !d.answered))
    return;
  finish(it, out, findings);
}

void ByStream::unanswered(ExchangeDraft& d) const {
  const std::size_t direction = answering(d.exchange->role);
  d.broken_by = ends_[direction];
  d.end_taints = end_taints_[direction];
  d.exchange->broken_at = ended_at_[direction];
}

void ByStream::close(const model::Message& m, Exchanged& out, model::Findings& findings) {
  const auto direction = static_cast<std::size_t>(m.direction);
  closed_[direction] = true;
  ends_[direction] = m.closed;
  end_taints_[direction] = m.taints;
  ended_at_[direction] = m.closed_at;
  for (auto it = drafts_.begin(); it != drafts_.end();) {
    ExchangeDraft& d = *it->second;
    const bool over = !d.answered && d.asked && closed_[answering(d.exchange->role)];
    if (over) unanswered(d);
    if (over || done())
      it = finish(it, out, findings);
    else
      ++it;
  }
}

void ByStream::each_under_way(const std::function<void(const model::Exchange&)>& use) const {
  for (const auto& [stream, draft] : drafts_)
    if (draft->asked && !draft->answered) use(*draft->exchange);
}

ByStream::Drafts::iterator ByStream::finish(Drafts::iterator it, Exchanged& out, model::Findings& findings) {
  ExchangeDraft& d = *it->second;
  model::Exchange& e = *d.exchange;
  e.id = {id_, ++numbered_};
  settle_outcome(d);
  if (straighten(e)) findings.add(Finding::negative_interval);
  out.take(d);
  out.give_back(std::move(it->second));
  return drafts_.erase(it);
}

}  // namespace tailcap::exchanges
