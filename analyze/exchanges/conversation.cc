#include "analyze/exchanges/conversation.h"

#include <algorithm>

#include "analyze/exchanges/fill.h"
#include "analyze/exchanges/outcome.h"
#include "ground/memory.h"

namespace tailcap::exchanges {

using formats::known;
using model::Direction;
using model::Finding;
using model::Message;
using model::MessageKind;
using model::Role;

namespace {

constexpr std::size_t kMaxPool = 256;

}  // namespace

std::unique_ptr<ExchangeDraft> Exchanged::fresh() {
  if (pool_.empty()) return std::make_unique<ExchangeDraft>();
  std::unique_ptr<ExchangeDraft> d = std::move(pool_.back());
  pool_.pop_back();
  model::renew(*d->exchange);
  static_cast<DraftFacts&>(*d) = {};
  return d;
}

void Exchanged::give_back(std::unique_ptr<ExchangeDraft> draft) {
  ground::prefetch<ground::Use::write>(*draft->exchange);  // another CPU may have read it last
  if (pool_.size() < kMaxPool) pool_.push_back(std::move(draft));
}

void Conversation::push(const Message& m, Exchanged& out, model::Findings& findings) {
  if (m.kind == MessageKind::request || m.kind == MessageKind::response || m.kind == MessageKind::interim) {
    const bool asks = m.kind == MessageKind::request;
    role_ = (m.direction == Direction::in) == asks ? Role::server : Role::client;
  }
  switch (m.kind) {
    case MessageKind::request:
      request(m, out);
      break;
    case MessageKind::response:
      response(m, out, findings);
      break;
    case MessageKind::interim:
      interim(m, out);
      break;
    case MessageKind::opaque:
      opaque_[static_cast<std::size_t>(m.direction)] = m.opaque_bytes;
      break;
    case MessageKind::closed:
      close(m);
      break;
    case MessageKind::handshake:
      break;
  }
  hand_on(out, findings);
}

void Conversation::each_under_way(const std::function<void(const model::Exchange&)>& use) const {
  for (std::size_t i = head_; i < drafts_.size(); ++i)
    if (drafts_[i]->asked && !drafts_[i]->answered) use(*drafts_[i]->exchange);
}

ExchangeDraft& Conversation::add(Exchanged& out) {
  drafts_.push_back(out.fresh());
  ExchangeDraft& d = *drafts_.back();
  d.exchange->role = role_;
  return d;
}

// Each takes the first that has none, so those that have one come first. A client may have millions under way.
ExchangeDraft& Conversation::draft_for_request(Exchanged& out) {
  const auto first = drafts_.begin() + static_cast<std::ptrdiff_t>(head_);
  const auto at = std::partition_point(first, drafts_.end(), [](const auto& d) { return d->asked; });
  return at != drafts_.end() ? **at : add(out);
}

ExchangeDraft& Conversation::draft_for_response(Exchanged& out) {
  const auto first = drafts_.begin() + static_cast<std::ptrdiff_t>(head_);
  const auto at = settles_ ? std::find_if(first, drafts_.end(), [](const auto& d) { return !d->answered; })
                           : std::partition_point(first, drafts_.end(), [](const auto& d) { return d->answered; });
  return at != drafts_.end() ? **at : add(out);
}

void Conversation::request(const Message& m, Exchanged& out) {
  ExchangeDraft& d = draft_for_request(out);
  d.asked = true;
  d.request_ending = m.ending;
  copy_request(m, *d.exchange);
  (role_ == Role::server ? d.exchange->reader : d.exchange->writer) = m.first_thread;
  if (!m.unanswered) return;
  settles_ = true;
  settle_unanswered(d, m);
}

void Conversation::response(const Message& m, Exchanged& out, model::Findings& findings) {
  if (m.answers_unknown) {
    // It belongs to a request that was not recorded: an exchange of its own, in front of whatever is open.
    ExchangeDraft& d = add(out);
    d.answered = true;
    d.response_ending = m.ending;
    d.broken_by = m.closed;
    copy_response(m, *d.exchange);
    (role_ == Role::server ? d.exchange->writer : d.exchange->reader) = m.first_thread;
    std::unique_ptr<ExchangeDraft> own = std::move(drafts_.back());
    drafts_.pop_back();
    finish(*own, findings);
    out.take(*own);
    out.give_back(std::move(own));
    return;
  }
  ExchangeDraft& d = draft_for_response(out);
  d.answered = true;
  d.response_ending = m.ending;
  d.broken_by = m.closed;
  copy_response(m, *d.exchange);
  (role_ == Role::server ? d.exchange->writer : d.exchange->reader) = m.first_thread;
}

void Conversation::interim(const Message& m, Exchanged& out) {
  if (m.answers_unknown) return;
  ExchangeDraft& d = draft_for_response(out);
  ++d.exchange->interim_responses;
  if (m.status == 100 && !known(d.exchange->continue_done)) d.exchange->continue_done = m.instants.last_done;
  d.exchange->taints |= m.taints;
}

void Conversation::close(const Message& m) {
  const auto direction = static_cast<std::size_t>(m.direction);
  closed_[direction] = true;
  ends_[direction] = m.closed;
  end_taints_[direction] = m.taints;
  ended_at_[direction] = m.closed_at;
}

void Conversation::hand_on(Exchanged& out, model::Findings& findings) {
  while (head_ < drafts_.size()) {
    ExchangeDraft& d = *drafts_[head_];
    if (!d.answered && closed_[answering()] && (d.asked || done())) {
      d.broken_by = ends_[answering()];
      d.end_taints = end_taints_[answering()];
      d.exchange->broken_at = ended_at_[answering()];
    } else if (!done()) {
      if (!d.asked || !d.answered) return;
      if (upgraded(*d.exchange)) return;  // until the bytes that follow are counted
    }
    pop(out, findings);
  }
}

void Conversation::pop(Exchanged& out, model::Findings& findings) {
  std::unique_ptr<ExchangeDraft> d = std::move(drafts_[head_]);
  if (++head_ == drafts_.size()) {
    drafts_.clear();
    head_ = 0;
  } else if (head_ > 64 && head_ * 2 > drafts_.size()) {
    drafts_.erase(drafts_.begin(), drafts_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  finish(*d, findings);
  const model::Exchange& e = *d->exchange;
  asked_before_ = e.request.last_done;
  answering_before_ = e.response.first_done;
  answered_before_ = e.response.last_done;
  out.take(*d);
  out.give_back(std::move(d));
}

void Conversation::finish(ExchangeDraft& d, model::Findings& findings) {
  model::Exchange& e = *d.exchange;
  e.id = {id_, ++numbered_};
  if (upgraded(e)) {
    e.opaque_out = opaque_[0];
    e.opaque_in = opaque_[1];
  }
  settle_outcome(d);
  if (straighten(e)) findings.add(Finding::negative_interval);
  if (!d.asked || !known(answered_before_)) return;
  // Was it there while the response before it was not done?
  const model::Time there =
      e.role == Role::server && known(e.request.first_arrived) ? e.request.first_arrived : e.request.first_done;
  if (!known(there) || there >= answered_before_) return;
  const bool certain = e.role == Role::client || (known(asked_before_) && there <= asked_before_) ||
                       e.request.first_done < answering_before_ || there + kSendReturn <= answered_before_;
  if (!certain) return;
  e.predecessor_done = answered_before_;
  findings.add(Finding::pipelined);
}

}  // namespace tailcap::exchanges
