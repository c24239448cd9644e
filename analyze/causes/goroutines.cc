#include "analyze/causes/goroutines.h"

#include <algorithm>
#include <tuple>

namespace tailcap::causes {

using formats::GoCallStep;
using formats::Time;

void Goroutines::push(const formats::Event& event) {
  const Goroutine who{event.thread.pid, event.goroutine};
  if (const auto* create = std::get_if<formats::GoCreate>(&event.body)) {
    if (create->child != 0 && origins_.size() < kMaxGoroutines)
      origins_.try_emplace({who.pid, create->child}, Origin{event.goroutine, event.time});
  } else if (std::holds_alternative<formats::GoHandler>(event.body)) {
    if (who.number != 0 && entries_.size() < kMaxEntries) entries_.push_back({who, event.time});
  } else if (const auto* call = std::get_if<formats::GoCall>(&event.body)) {
    if (who.number == 0) return;
    const Goroutine connection{who.pid, call->connection};
    if (call->step == GoCallStep::asked) {
      // What is forgotten makes calls whose caller is not known.
      if (asked_.size() >= kMaxConnections) asked_.clear();
      asked_[connection] = {who.number, event.time};
    } else if (call->step == GoCallStep::sends) {
      if (senders_.size() >= kMaxConnections) senders_.clear();
      const auto asked = asked_.find(connection);
      Sender& sender = senders_[who];
      const Sent& before = sender.last[(sender.next + sender.last.size() - 1) % sender.last.size()];
      const Asked by = asked == asked_.end() ? Asked{} : asked->second;
      // A request with a body is sent in several pieces.
      if (formats::known(before.at) && before.asked.caller == by.caller && before.asked.at == by.at) return;
      sender.last[sender.next++ % sender.last.size()] = {by, event.time, false};
    }
  }
}

const Goroutines::Origin* Goroutines::origin(Goroutine g) const {
  const auto it = origins_.find(g);
  return it == origins_.end() ? nullptr : &it->second;
}

bool Goroutines::handled(Goroutine g, Time from, Time to) const {
  const auto order = [](const Entry& e) { return std::tuple(e.by.pid, e.by.number, e.at); };
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), Entry{g, from},
                                   [&](const Entry& a, const Entry& b) { return order(a) < order(b); });
  return at != entries_.end() && at->by == g && at->at <= to;
}

std::vector<Goroutines::Child> Goroutines::handlers_of(Goroutine creator) const {
  const auto it = handlers_.find(creator);
  return it == handlers_.end() ? std::vector<Child>{} : it->second;
}

Goroutines::Asked Goroutines::take_caller(Goroutine writer, Time sent) {
  const auto it = senders_.find(writer);
  if (it == senders_.end()) return {};
  Sent* latest = nullptr;
  for (Sent& s : it->second.last)
    if (formats::known(s.at) && s.at <= sent && (!latest || s.at > latest->at)) latest = &s;
  if (!latest || latest->taken) return {};
  latest->taken = true;
  return latest->asked;
}

void Goroutines::settle() {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tuple(a.by.pid, a.by.number, a.at) < std::tuple(b.by.pid, b.by.number, b.at);
  });
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Goroutine g = entries_[i].by;
    if (i > 0 && entries_[i - 1].by == g) continue;
    const Origin* made = origin(g);
    if (made && made->creator != 0) handlers_[{g.pid, made->creator}].push_back({g.number, made->at});
  }
  for (auto& [creator, children] : handlers_)
    std::sort(children.begin(), children.end(), [](const Child& a, const Child& b) { return std::tuple(a.at, a.number) < std::tuple(b.at, b.number); });
}

}  // namespace tailcap::causes
