#include "formats/calls/amqp/calls.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "formats/calls/amqp/amqp.h"

namespace tailcap::formats::calls::amqp {

namespace {

constexpr std::uint32_t kMostCompared = 256;  // publishes, with one that was returned
constexpr std::uint8_t kMandatory = 0x01, kMultiple = 0x01, kNoAck = 0x02;

struct Code {
  unsigned number;
  std::string_view name;
  Fault fault = Fault::client;
};

// By their numbers. The lowest two are those of methods.
constexpr Code kCodes[] = {
    {90, "REJECT", Fault::server},
    {120, "NACK", Fault::server},
    {200, "REPLY_SUCCESS"},
    {311, "CONTENT_TOO_LARGE"},
    {312, "NO_ROUTE"},
    {313, "NO_CONSUMERS"},
    {320, "CONNECTION_FORCED", Fault::server},
    {402, "INVALID_PATH"},
    {403, "ACCESS_REFUSED"},
    {404, "NOT_FOUND"},
    {405, "RESOURCE_LOCKED"},
    {406, "PRECONDITION_FAILED"},
    {501, "FRAME_ERROR"},
    {502, "SYNTAX_ERROR"},
    {503, "COMMAND_INVALID"},
    {504, "CHANNEL_ERROR"},
    {505, "UNEXPECTED_FRAME"},
    {506, "RESOURCE_ERROR"},
    {530, "NOT_ALLOWED"},
    {540, "NOT_IMPLEMENTED"},
    {541, "INTERNAL_ERROR", Fault::server},
};

}  // namespace

void Calls::Channel::consume(bool acknowledges) {
  ++consumers;
  (acknowledges ? acked : unacked) = true;
}

// Which consumer it is, nothing visible says.
void Calls::Channel::cancel() {
  if (consumers > 0 && --consumers == 0) acked = unacked = false;
}

bool Calls::Channel::acknowledges() const {
  if (acked && unacked) return false;
  return acked || (settles && (!known || !unacked));
}

// `asks`: there is none.
std::size_t Calls::Channel::find(std::uint16_t method) const {
  std::size_t i = 0;
  while (i < asks && asked[i].method != method) ++i;
  return i;
}

// Those before it will not be answered any more.
std::uint32_t Calls::Channel::take(std::size_t ask) {
  const std::uint32_t call = asked[ask].call;
  std::copy(asked.begin() + static_cast<std::ptrdiff_t>(ask + 1), asked.begin() + asks, asked.begin());
  asks = static_cast<std::uint8_t>(asks - ask - 1);
  return call;
}

std::uint32_t Calls::next_call() {
  if (++calls_ == 0) ++calls_;
  return calls_;
}

// Null: there are too many.
Calls::Channel* Calls::channel(std::uint16_t number) {
  if (last_ && last_number_ == number) return last_;
  auto found = channels_.find(number);
  if (found == channels_.end()) {
    if (channels_.size() == kMostChannels) return nullptr;
    found = channels_.try_emplace(number).first;
    found->second.known = whole_;
  }
  last_number_ = number;
  last_ = &found->second;
  return last_;
}

void Calls::erase(std::uint16_t number) {
  const auto found = channels_.find(number);
  if (found == channels_.end()) return;
  forget(found->second);
  channels_.erase(found);
  last_ = nullptr;
}

void Calls::forget(Channel& c) {
  publishes_.clear(c.publishes);
  publishes_.clear(c.mandatory);
  deliveries_.clear(c.deliveries);
  c = {};
}

void Calls::lose() {
  channels_.clear();
  last_ = nullptr;
  publishes_ = {};
  deliveries_ = {};
  earlies_ = 0;
  further_earlies_ = 0;
  whole_ = false;
}

void Calls::end(Side side, const Read& m, Token& t) {
  publishes_.forget_settled();
  deliveries_.forget_settled();
  further_earlies_ = 0;
  t.ends = true;
  switch (m.method ? m.method->role : Role::none) {
    case Role::ask:
      ask(m, t);
      break;
    case Role::publish:
      publish(m, t);
      break;
    case Role::answer:
      answer(m, t);
      break;
    case Role::deliver:
      deliver(m, t);
      break;
    case Role::returned:
      returned(m, t);
      break;
    case Role::settle:
      settle(side, m, t);
      break;
    case Role::close:
      m.method->number == kConnectionClose ? close_connection(m, t) : close_channel(m, t);
      break;
    case Role::cancel:
      if (Channel* c = channel(m.channel)) c->cancel();
      break;
    case Role::closed:
      if (m.method->number >> 8 == kChannelClose >> 8) erase(m.channel);
      break;
    case Role::none:
      break;
  }
  if (t.call > 0) return;
  t.call = next_call();
  t.pushed = true;
  t.turned = side == Side::requests;
}

void Calls::ask(const Read& m, Token& t) {
  const std::uint16_t method = m.method->number;
  t.operation = m.method->name;
  Channel* c = closed_ ? nullptr : channel(m.channel);
  if (c && method == kChannelOpen) {
    forget(*c);
    c->known = true;
  }
  t.unanswered = !c || c->closed || c->leaves || method == kRecoverAsync || (m.bits & m.method->no_wait) != 0;
  if (c && !c->closed) {
    if (method == kConsume) c->consume((m.bits & kNoAck) == 0);
    if (method == kCancel && t.unanswered) c->cancel();
    if (method == kRecover || method == kRecoverAsync) deliveries_.clear(c->deliveries);
    if (method == kConfirmSelect && !c->confirms) c->confirms = c->counted = true;
    if (method == kChannelClose) c->leaves = true;
  }
  if (!t.unanswered) t.call = take_early(What::ask, m.channel, method);
  if (t.call > 0) return;
  t.call = next_call();
  if (t.unanswered) return;
  if (c->asks == Channel::kMostAsks || c->beyond > 0) {
    ++c->beyond;
    t.unanswered = true;
  } else {
    c->asked[c->asks++] = {method, t.call};
  }
}

void Calls::answer(const Read& m, Token& t) {
  Channel* c = channel(m.channel);
  if (!c) return;
  const std::uint16_t asked = m.method->answers;
  if (const std::size_t i = c->find(asked); i < c->asks) {
    t.call = c->take(i);
  } else if (c->beyond > 0) {
    if (c->asks == 0) --c->beyond;
  } else if (whole_ && !c->closed && add_early(What::ask, m.channel, asked, asked)) {
    t.call = further_call();
  }
  if (asked == kCancel) c->cancel();
  if (m.method->number == kGetOk) {
    c->delivered = std::max(c->delivered, m.tag);
    take_early(What::delivery, m.channel, m.tag);
  }
  if (asked == kChannelClose) erase(m.channel);
}

void Calls::publish(const Read& m, Token& t) {
  t.operation = "PUBLISH";
  Channel* c = closed_ ? nullptr : channel(m.channel);
  t.unanswered = !c || !c->confirms || c->closed || c->leaves;
  if (!t.unanswered) {
    const std::uint64_t tag = ++c->published;
    t.call = take_early(What::publish, m.channel, tag);
    if (t.call > 0) return;
    t.call = next_call();
    const bool mandatory = (m.bits & kMandatory) != 0;
    Outstanding::List& list = mandatory ? c->mandatory : c->publishes;
    t.unanswered = tag <= c->confirmed || !publishes_.add(list, m.channel, tag, t.call, m.print, mandatory);
    return;
  }
  t.call = next_call();
}

void Calls::deliver(const Read& m, Token& t) {
  t.operation = m.method->name;
  t.turned = true;
  Channel* c = closed_ ? nullptr : channel(m.channel);
  t.unanswered = !c || c->closed || c->leaves || !c->acknowledges() || m.tag <= c->delivered;
  if (c) c->delivered = std::max(c->delivered, m.tag);
  if (!t.unanswered) t.call = take_early(What::delivery, m.channel, m.tag);
  if (t.call > 0) return;
  t.call = next_call();
  if (!t.unanswered) t.unanswered = !deliveries_.add(c->deliveries, m.channel, m.tag, t.call);
}

void Calls::settle_publish(Channel& c, Outstanding::Place place) {
  const Outstanding::Message& m = publishes_.at(place);
  Outstanding::List& list = m.mandatory ? c.mandatory : c.publishes;
  if (!m.mandatory || (!m.doubtful && m.tag > c.doubtful)) return publishes_.settle(list, place);
  publishes_.drop(list, place);
  if (c.returns > 0) --c.returns;
}

// All up to the tag; 0: all.
void Calls::settle_publishes(Channel& c, std::uint64_t tag) {
  for (const Outstanding::List* list : {&c.publishes, &c.mandatory})
    while (list->first != Outstanding::kNone && (tag == 0 || publishes_.at(list->first).tag <= tag))
      settle_publish(c, list->first);
}

// An ack, nack or reject of the client for deliveries, of the server for publishes.
void Calls::settle(Side side, const Read& m, Token& t) {
  Channel* c = closed_ ? nullptr : channel(m.channel);
  if (!c) return;
  const bool client = side == Side::requests, multiple = m.method->number != kReject && (m.bits & kMultiple) != 0;
  if (client && multiple) {
    const Outstanding::List& list = c->deliveries;
    while (list.first != Outstanding::kNone && (m.tag == 0 || deliveries_.at(list.first).tag <= m.tag))
      deliveries_.settle(c->deliveries, list.first);
  } else if (multiple) {
    settle_publishes(*c, m.tag);
  } else if (client) {
    const Outstanding::Place place = deliveries_.find(m.channel, m.tag);
    if (place != Outstanding::kNone) deliveries_.settle(c->deliveries, place);
  } else {
    const Outstanding::Place place = publishes_.find(m.channel, m.tag);
    if (place != Outstanding::kNone) settle_publish(*c, place);
  }
  const std::uint64_t highest = client ? c->delivered : c->published;
  if (client) c->settles = true;
  if (m.tag > highest && whole_ && !c->closed && (client ? c->acked : c->confirms)) {
    if (m.tag - highest <= kMostEarly && (client || highest >= c->doubtful))
      add_early(client ? What::delivery : What::publish, m.channel, multiple ? highest + 1 : m.tag, m.tag);
    if (!client && multiple) c->confirmed = std::max(c->confirmed, m.tag);
  } else if (m.tag > highest && !client && !c->counted && (!c->known || c->confirms)) {
    // Publishes that were not seen: those from here on are counted from this one.
    publishes_.clear(c->publishes);
    publishes_.clear(c->mandatory);
    publishes_.forget_settled();
    c->confirms = true;
    c->published = c->confirmed = m.tag;
  }
  t.call = further_call();
  t.turned = client;
  t.failed = t.call > 0 && m.method->number != kAck;
}

// It comes before the ack of its publish, and does not say which one that is. Where several have its print, it counts
// how many were returned: if that is not all of them, what becomes of them is not known.
void Calls::returned(const Read& m, Token& t) {
  Channel* c = channel(m.channel);
  if (!c || !c->confirms) return;
  const auto can_be = [&](Outstanding::Place place) {
    const std::uint32_t print = publishes_.at(place).print;
    return print == m.print || print == 0 || m.print == 0;
  };
  if (c->mandatory.count > kMostCompared) {
    c->doubtful = c->published;
    return;
  }
  std::uint32_t many = 0;
  for (Outstanding::Place at = c->mandatory.first; at != Outstanding::kNone; at = publishes_.at(at).behind)
    many += can_be(at);
  if (many == 0) {  // it was recorded before its publish
    c->doubtful = std::max(c->doubtful, c->published + 1);
    return;
  }
  if (std::exchange(c->print, m.print) != m.print) c->returns = 0;
  const bool all = ++c->returns >= many;
  for (Outstanding::Place at = c->mandatory.first, next; at != Outstanding::kNone; at = next) {
    next = publishes_.at(at).behind;
    if (!can_be(at)) continue;
    all ? publishes_.settle(c->mandatory, at) : publishes_.doubt(at);
  }
  if (all) c->returns = 0;
  t.call = further_call();
  t.failed = all;
}

void Calls::close_channel(const Read& m, Token& t) {
  Channel* c = channel(m.channel);
  if (!c) return;
  if (const std::size_t i = c->find(m.culprit); i < c->asks) {
    t.call = c->take(i);
  } else if (m.culprit == kPublish && c->counted && c->publishes.count + c->mandatory.count == 1) {
    settle_publishes(*c, 0);
    t.call = further_call();
  }
  t.failed = t.call > 0;
  const bool known = c->known;
  forget(*c);
  c->known = known;
  c->closed = true;
}

// It does not say on which channel its culprit was asked.
void Calls::close_connection(const Read& m, Token& t) {
  if (closed_) return;
  closed_ = true;
  Channel* asks = nullptr;
  // The server names no method when it refuses a login.
  const std::uint16_t culprit = m.culprit == 0 ? kStartOk : m.culprit;
  std::size_t many = 0;
  for (auto& [number, c] : channels_)
    if (c.find(culprit) < c.asks) {
      ++many;
      asks = &c;
    }
  if (many == 1) t.call = asks->take(asks->find(culprit));
  t.failed = t.call > 0;
}

bool Calls::add_early(What what, std::uint16_t channel, std::uint64_t first, std::uint64_t last) {
  if (last - first >= kMostEarly - earlies_) return false;
  for (std::uint64_t tag = first; tag <= last; ++tag) {
    early_[earlies_++] = {what, channel, tag, next_call()};
    if (tag == first) further_early_ = calls_;
    ++further_earlies_;
    if (tag == last) break;
  }
  return true;
}

std::uint32_t Calls::take_early(What what, std::uint16_t channel, std::uint64_t tag) {
  for (std::size_t i = 0; i < earlies_; ++i) {
    const Early e = early_[i];
    if (e.what != what || e.channel != channel || e.tag != tag) continue;
    std::copy(early_.begin() + static_cast<std::ptrdiff_t>(i + 1),
              early_.begin() + static_cast<std::ptrdiff_t>(earlies_), early_.begin() + static_cast<std::ptrdiff_t>(i));
    --earlies_;
    return e.call;
  }
  return 0;
}

std::uint32_t Calls::further_call() {
  std::uint32_t call = publishes_.next_settled();
  if (call == 0) call = deliveries_.next_settled();
  if (call > 0 || further_earlies_ == 0) return call;
  call = further_early_;
  if (++further_early_ == 0) ++further_early_;
  --further_earlies_;
  return call;
}

std::string code(std::string_view bytes) {
  if (bytes.size() < 2) return "";
  const unsigned n = two(bytes.data() + bytes.size() - 2);
  const Code* found = std::find_if(std::begin(kCodes), std::end(kCodes), [&](const Code& c) { return c.number == n; });
  return found == std::end(kCodes) ? std::to_string(n) : std::string(found->name);
}

Fault fault(std::string_view error_code) {
  unsigned n = 0;
  std::from_chars(error_code.data(), error_code.data() + error_code.size(), n);
  for (const Code& c : kCodes)
    if (c.name == error_code || c.number == n) return c.fault;
  return Fault::client;
}

}  // namespace tailcap::formats::calls::amqp
