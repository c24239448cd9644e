#include "analyze/causes/parents/descent.h"

#include <algorithm>

namespace tailcap::causes {

using formats::known;

namespace {

constexpr Kinds kCalls = Losses::kSends | kinds_of(formats::Kind::go_call) | kinds_of(formats::Kind::go_create);

}  // namespace

void Descent::index() {
  if (!process_.go) return;
  for (std::uint32_t n = 0; n < process_.servers.size(); ++n)
    if (const std::uint64_t g = process_.servers[n].goroutine) servers_[g].push_back(n);
  for (std::uint32_t n = 0; n < process_.clients.size(); ++n)
    if (const std::uint64_t g = process_.clients[n].goroutine) calls_[g].push_back(n);
}

Descent::Found Descent::of(const Note& call) const {
  if (call.goroutine == 0) return {};
  // The last channel transfer before it names the goroutine that asked; a later transfer may be lost.
  if (call.made < call.began &&
      goroutines_.losses().any(call.made, call.began, Losses::kSends | kinds_of(formats::Kind::go_call)))
    return {-1, false, true};
  std::uint64_t g = call.goroutine;
  Time at = call.made;
  for (int step = 0; step < kMaxSteps; ++step) {
    if (servers_.contains(g)) {
      Found found = working_on(g, at);
      if (found.server < 0) return found;
      const Note& s = process_.servers[static_cast<std::size_t>(found.server)];
      found.sure = found.sure && call.goroutine_sure && s.whole;
      if (step == 0) return found;
      // Made for the request, but used after it: it may have been for another even before. One call alone is rather
      // what the request left behind.
      if (goroutines_.losses().any(s.began, std::max({s.ended, call.made, call.ended}), kCalls))
        return {-1, false, true};
      if (only_during(call.goroutine, s)) return found;
      return calls_.at(call.goroutine).size() > 1 ? Found{} : Found{found.server, false};
    }
    const Goroutines::Origin* made = goroutines_.origin({pid_, g});
    if (!made) return {-1, false, goroutines_.losses().any(formats::kNoTime, at, kinds_of(formats::Kind::go_create))};
    if (made->creator == 0 || made->at > at) return {};
    g = made->creator;
    at = made->at;
  }
  return {};
}

Descent::Found Descent::of(std::uint64_t goroutine, Time at) const {
  for (int step = 0; step < kMaxSteps; ++step) {
    if (servers_.contains(goroutine)) {
      Found found = working_on(goroutine, at);
      found.sure = found.server >= 0 && found.sure && process_.servers[static_cast<std::size_t>(found.server)].whole;
      return found;
    }
    const Goroutines::Origin* made = goroutines_.origin({pid_, goroutine});
    if (!made || made->creator == 0 || made->at > at) return {};
    goroutine = made->creator;
    at = made->at;
  }
  return {};
}

// What a goroutine that serves requests worked on at that time.
Descent::Found Descent::working_on(std::uint64_t goroutine, Time at) const {
  const auto& mine = servers_.at(goroutine);
  const auto& all = process_.servers;
  auto after =
      std::upper_bound(mine.begin(), mine.end(), at, [&](Time t, std::uint32_t n) { return t < all[n].began; });
  if (after == mine.begin()) return {};
  const std::uint32_t last = *--after;
  const Note& s = all[last];
  if (!sees(s, at) && goroutines_.losses().any(s.began, at, Losses::kReads | Losses::kSends)) return {-1, false, true};
  // It may go on after the answer is out; but not if the answer is another goroutine's.
  const bool over = or_later(s.ended) < at;
  if (over && !s.goroutine_sure) return {};
  // One after the other: a goroutine that has two at a time works on neither of them for sure.
  const Note* before = after == mine.begin() ? nullptr : &all[*std::prev(after)];
  const bool next = before && before->stream == 0 && before->id.connection == s.id.connection;
  if (before && !next && or_later(before->answered) > s.began) return {};
  return {last, s.goroutine_sure && !over};
}

// It was seen from its first byte to its answer, and is under way at that time.
bool Descent::sees(const Note& server, Time at) const {
  return server.whole && known(server.answered) && server.answered >= at;
}

bool Descent::only_during(std::uint64_t goroutine, const Note& server) const {
  const auto it = calls_.find(goroutine);
  return it != calls_.end() && std::all_of(it->second.begin(), it->second.end(), [&](std::uint32_t n) {
           const Time made = process_.clients[n].made;
           return made >= server.began && made <= or_later(server.ended);
         });
}

}  // namespace tailcap::causes
