// Calls whose machine says which message answers which.
#include <utility>

#include "analyze/protocols/calls/reader.h"

namespace tailcap::protocols::calls {

using model::Ending;
using model::Message;
using model::MessageKind;
using model::Taint;
using wire::Side;
using wire::Token;

namespace {

constexpr std::size_t kMostNumbered = 16'384;  // calls that wait for an answer

}  // namespace

// The machine knows which message answers which, and who asked.
void Reader::end_numbered(Side side, Token t, Ending ending, Messages& out) {
  Half& h = half(side);
  Message& m = h.message;
  if (t.call == 0 || t.pushed) return renew(m);
  stamp(h, ending);
  m.stream = t.call;
  if ((side == Side::requests) != t.turned) {
    if (numbered_.size() >= kMostNumbered) give_up(numbered_.begin()->first, out);
    if (t.answered != 0) answer_besides(h, t.answered, out);
    m.kind = MessageKind::request;
    end_request(h, t);
    m.store->stored = t.stored;
    m.store->stored_at = static_cast<std::int64_t>(t.stored_at);
    m.unanswered = t.unanswered;
    last_number_ = t.call;
    if (!t.unanswered && answered_before_.erase(t.call) == 0) numbered_.insert_or_assign(t.call, side);
    return hand_on(m, out);
  }
  m.kind = MessageKind::response;
  end_response(h, t);
  m.store->stored = t.stored;
  const Message first = m;
  for (std::uint32_t call = t.call; call != 0; call = stream_.further_call()) {
    if (numbered_.erase(call) == 0) {
      // Another CPU recorded its request, which follows.
      if (call - last_number_ - 1 >= kMostEarly || answered_before_.size() >= kMostEarly) continue;
      answered_before_.insert(call);
    }
    m = first;
    m.stream = call;
    hand_on(m, out);
  }
}

// What follows is a call of its own.
void Reader::answer_besides(const Half& h, std::uint32_t call, Messages& out) {
  if (numbered_.erase(call) == 0) return;
  Message answer = h.message;
  answer.kind = MessageKind::response;
  answer.stream = call;
  answer.store.emplace();
  hand_on(answer, out);
}

// The answer to a call with a number is not known.
void Reader::give_up(std::uint32_t call, Messages& out) {
  const auto asked = numbered_.extract(call);
  Message m;
  m.kind = MessageKind::response;
  m.connection = id_;
  m.direction = direction(asked.mapped() == Side::requests ? Side::responses : Side::requests);
  m.protocol = protocol_;
  m.stream = call;
  m.ending = Ending::lost;
  m.taints = static_cast<model::Taints>(0) | Taint::payload_cut;
  out.take(m);
}

}  // namespace tailcap::protocols::calls
