#include "analyze/causes/goroutines.h"

#include <algorithm>
#include <tuple>

namespace tailcap::causes {

using formats::GoCallStep;
using formats::known;
using formats::Time;

void Goroutines::push(const formats::Event& event, model::TextPool& texts) {
  losses_.push(event);
  const Goroutine who{event.thread.pid, event.goroutine};
  if (const auto* create = std::get_if<formats::GoCreate>(&event.body)) {
    if (create->child != 0 && origins_.size() < kMaxGoroutines)
      origins_.try_emplace({who.pid, create->child}, Origin{event.goroutine, event.time});
  } else if (const auto* handler = std::get_if<formats::GoHandler>(&event.body)) {
    if (who.number != 0) enter(who, event.time, texts.intern(handler->name));
  } else if (const auto* c = std::get_if<formats::GoCall>(&event.body)) {
    if (who.number != 0) call(who, event.time, *c);
  }
}

void Goroutines::enter(Goroutine g, Time at, model::TextId name) {
  // A goroutine that is forgotten is not known to handle a request.
  if (handling_.size() >= kMaxHandling) handling_.clear();
  Handling& h = handling_[g];
  h.last[h.next++ % h.last.size()] = {at, name};
  const Origin* made = origin(g);
  if (!made || made->creator == 0 || children_kept_ >= kMaxGoroutines) return;
  auto& siblings = children_[{g.pid, made->creator}];
  const auto known_one = std::find_if(siblings.rbegin(), siblings.rend(),
                                      [&](const Child& c) { return c.number == g.number || c.made < made->at; });
  if (known_one != siblings.rend() && known_one->number == g.number) {
    known_one->handler = name;
    return;
  }
  siblings.insert(known_one.base(), {g.number, made->at, name});  // in order of their making
  ++children_kept_;
}

void Goroutines::call(Goroutine g, Time at, const formats::GoCall& call) {
  const Goroutine connection{g.pid, call.connection};
  if (call.step == GoCallStep::asked) {
    // Dropped entries lead to calls without a known caller.
    if (asked_.size() >= kMaxConnections) asked_.clear();
    asked_[connection] = {g.number, at};
  } else if (call.step == GoCallStep::sends) {
    if (senders_.size() >= kMaxConnections) senders_.clear();
    const auto asked = asked_.find(connection);
    Sender& sender = senders_[g];
    const Sent& before = sender.last[(sender.next + sender.last.size() - 1) % sender.last.size()];
    const Asked by = asked == asked_.end() ? Asked{} : asked->second;
    // A request with a body is sent in several pieces.
    if (known(before.at) && before.asked.caller == by.caller && before.asked.at == by.at) return;
    sender.last[sender.next++ % sender.last.size()] = {by, at, false};
  } else if (call.step == GoCallStep::queues) {
    if (queued_.size() >= kMaxConnections) queued_.clear();
    queued_[connection] = {g.number, at};
  } else if (call.step == GoCallStep::writes) {
    auto& streams = writers_[g].first;
    const auto queued = queued_.find(connection);
    if (queued == queued_.end()) return;  // a server's
    if (streams_kept_ < kMaxStreams && streams.try_emplace(call.stream, queued->second).second) ++streams_kept_;
    queued_.erase(queued);
  }
}

const Goroutines::Origin* Goroutines::origin(Goroutine g) const {
  const auto it = origins_.find(g);
  return it == origins_.end() ? nullptr : &it->second;
}

Goroutines::Handled Goroutines::handled(Goroutine g, Time from, Time to) const {
  const auto it = handling_.find(g);
  if (g.number == 0 || it == handling_.end()) return {};
  const Entry* last = nullptr;
  for (const Entry& e : it->second.last)
    if (known(e.at) && e.at >= from && e.at <= to && (!last || e.at >= last->at)) last = &e;
  return last ? Handled{true, last->name} : Handled{};
}

std::vector<Goroutines::Child> Goroutines::handlers_of(Goroutine creator) const {
  const auto it = children_.find(creator);
  return it == children_.end() ? std::vector<Child>{} : it->second;
}

Goroutines::Asked Goroutines::take_caller(Goroutine writer, Time sent) {
  const auto it = senders_.find(writer);
  if (it == senders_.end()) return {};
  Sent* latest = nullptr;
  for (Sent& s : it->second.last)
    if (known(s.at) && s.at <= sent && (!latest || s.at > latest->at)) latest = &s;
  if (!latest || latest->taken) return {};
  latest->taken = true;
  return latest->asked;
}

Goroutines::Asked Goroutines::queued(Goroutine writer, std::uint32_t stream) const {
  const auto it = writers_.find(writer);
  if (it == writers_.end() || stream == 0) return {};
  const auto found = it->second.first.find(stream);
  return found == it->second.first.end() ? Asked{} : found->second;
}

}  // namespace tailcap::causes
