#include "analyze/causes/parents/jobs.h"

#include <algorithm>
#include <set>
#include <utility>

#include "analyze/causes/later.h"

namespace tailcap::causes {

using formats::known;

void Jobs::index(const std::vector<ChannelTransfer>& taken) {
  if (taken.empty()) return;
  items_.reserve(taken.size());
  const auto act = [&](std::uint64_t goroutine, Time at) {
    const auto [one, fresh] = active_.try_emplace(goroutine, at, at);
    if (!fresh) one->second = {std::min(one->second.first, at), std::max(one->second.second, at)};
  };
  for (const ChannelTransfer& t : taken) {
    act(t.goroutine, t.at);
    if (t.giver != 0) act(t.giver, t.given);
  }
  std::unordered_map<std::uint64_t, std::int64_t> last;              // the request of what a goroutine took last
  std::set<std::pair<std::uint64_t, std::uint64_t>> givers, takers;  // with the channel
  for (const ChannelTransfer& t : taken) {
    Item item{t};
    const Descent::Found found = giver_of(t);
    if (found.server >= 0) {
      item.server = found.server;
      item.direct = true;
      item.sure = found.sure;
    } else if (const auto before = last.find(t.giver); before != last.end()) {
      item.server = before->second;
    }
    last[t.goroutine] = item.server;
    by_taker_[t.goroutine].push_back(static_cast<std::uint32_t>(items_.size()));
    items_.push_back(item);
    if (t.channel == 0) continue;
    givers.insert({t.channel, t.giver});
    takers.insert({t.channel, t.goroutine});
    Channel& c = channels_[t.channel];
    c.jobs = c.jobs || item.direct;
    c.answers = c.answers || descent_.serves(t.goroutine);
  }
  for (const auto& one : takers)
    if (givers.contains(one)) channels_[one.first].answers = true;
  for (std::uint32_t n = 0; n < process_.clients.size(); ++n)
    if (const std::uint64_t g = process_.clients[n].goroutine) calls_[g].push_back(n);
}

// One that a request made is at that request as long as it is seen only during it: workers of a pool outlive it.
Descent::Found Jobs::giver_of(const ChannelTransfer& taken) const {
  if (taken.giver == 0) return {};
  const Descent::Found found = descent_.of(taken.giver, taken.given);
  if (found.server < 0 || descent_.serves(taken.giver)) return found;
  const Note& s = process_.servers[static_cast<std::size_t>(found.server)];
  const auto& [first, last] = active_.at(taken.giver);
  return first >= s.began && last <= or_later(s.ended) ? found : Descent::Found{};
}

bool Jobs::loops(const std::vector<std::uint32_t>& mine, std::uint64_t channel) const {
  std::size_t times = 0;
  for (const std::uint32_t n : mine)
    if (items_[n].taken.channel == channel && ++times == 2) return true;
  return false;
}

// Whether it is over with the one when it takes the next: it made calls meanwhile, or the request was answered.
bool Jobs::finished(const Item& job, const Item& next, const Note& call) const {
  if (job.server == next.server) return true;
  if (job.server >= 0 && or_later(process_.servers[static_cast<std::size_t>(job.server)].ended) <= next.taken.at)
    return true;
  const auto calls = calls_.find(call.goroutine);
  return calls != calls_.end() && std::any_of(calls->second.begin(), calls->second.end(), [&](std::uint32_t n) {
           const Time made = process_.clients[n].made;
           return made >= job.taken.at && made <= next.taken.at;
         });
}

Descent::Found Jobs::of(const Note& call) const {
  const auto at = by_taker_.find(call.goroutine);
  if (call.goroutine == 0 || at == by_taker_.end() || descent_.serves(call.goroutine)) return {};
  const auto& mine = at->second;
  auto next = std::upper_bound(mine.begin(), mine.end(), call.made,
                               [&](Time t, std::uint32_t n) { return t < items_[n].taken.at; });
  std::vector<std::int64_t> others;  // what it took meanwhile is of these
  const Item* job = nullptr;
  for (std::size_t looked = 0; next != mine.begin(); ++looked) {
    if (looked == kMaxLooked) return {};
    const Item& item = items_[*--next];
    const auto channel = channels_.find(item.taken.channel);
    const bool anchor = channel != channels_.end() && !channel->second.answers && loops(mine, item.taken.channel);
    if (anchor && channel->second.jobs) {
      if (job) {  // the one before: it was not several at once
        if (!finished(item, *job, call)) return {job->server, false};
        break;
      }
      if (!item.direct) return {};  // no request's, or it is not known whose
      job = &item;
      continue;
    }
    if (job) continue;
    if (item.taken.channel == 0 && item.direct) return {};
    if (item.direct || (anchor && item.server >= 0))
      others.push_back(item.server);
    else if (anchor)
      return {};
  }
  if (!job || std::any_of(others.begin(), others.end(), [&](std::int64_t s) { return s != job->server; })) return {};
  const Note& s = process_.servers[static_cast<std::size_t>(job->server)];
  const bool over = or_later(s.ended) < call.made;
  return {job->server, job->sure && call.goroutine_sure && s.whole && !over};
}

}  // namespace tailcap::causes
