#include "analyze/causes/stream_goroutines.h"

#include <algorithm>

#include "analyze/causes/later.h"

namespace tailcap::causes {

using formats::Time;

namespace {

constexpr std::size_t kMaxOwn = 64;  // goroutines that may be the connection's own

// The first made for the first request, and so on, whether one begins with the first or with the last. Where both do
// not agree nothing is known.
void match(std::vector<StreamGoroutine>& requests, const std::vector<Goroutines::Child>& made) {
  std::sort(requests.begin(), requests.end(),
            [](const StreamGoroutine& a, const StreamGoroutine& b) { return a.stream < b.stream; });
  std::vector<std::uint64_t> forwards(requests.size());
  std::size_t next = 0;
  for (std::size_t n = 0; n < requests.size(); ++n) {
    while (next < made.size() && made[next].made < requests[n].began) ++next;
    if (next < made.size() && made[next].made <= or_later(requests[n].answered)) forwards[n] = made[next++].number;
  }
  std::size_t left = made.size();
  for (std::size_t n = requests.size(); n-- > 0;) {
    while (left > 0 && made[left - 1].made > or_later(requests[n].answered)) --left;
    if (left == 0 || made[left - 1].made < requests[n].began) continue;
    --left;
    if (made[left].number == forwards[n]) requests[n].carrier = made[left];
  }
}

// Those that were under way, one after the other without a pause, while events were lost: the order says nothing of
// them.
void doubt(std::vector<StreamGoroutine>& requests, const Losses& losses) {
  constexpr Kinds kMatched =
      Losses::kReads | Losses::kSends | kinds_of(formats::Kind::go_create) | kinds_of(formats::Kind::go_handler);
  const auto last = [](const StreamGoroutine& r) { return std::max({r.began, r.answered, r.carrier.made}); };
  std::sort(requests.begin(), requests.end(),
            [](const StreamGoroutine& a, const StreamGoroutine& b) { return a.began < b.began; });
  for (std::size_t from = 0, to = 0; from < requests.size(); from = to) {
    Time end = last(requests[from]);
    for (to = from + 1; to < requests.size() && requests[to].began <= end; ++to)
      end = std::max(end, last(requests[to]));
    if (!losses.any(requests[from].began, end, kMatched)) continue;
    for (std::size_t n = from; n < to; ++n) requests[n].carrier = {};
  }
}

}  // namespace

void find_carriers(std::uint32_t pid, std::vector<StreamGoroutine>& requests, const Goroutines& goroutines) {
  // The connection's goroutine made that which reads from it, or reads itself; or it made those that write.
  std::vector<std::uint64_t> own;
  const auto candidate = [&](std::uint64_t g) {
    if (g != 0 && std::find(own.begin(), own.end(), g) == own.end()) own.push_back(g);
  };
  for (const StreamGoroutine& r : requests) {
    for (const std::uint64_t g : {r.reader, r.writer}) {
      candidate(g);
      if (const Goroutines::Origin* made = g == 0 ? nullptr : goroutines.origin({pid, g})) candidate(made->creator);
    }
    if (own.size() >= kMaxOwn) break;
  }
  std::vector<Goroutines::Child> made;
  for (const std::uint64_t g : own) {
    std::vector<Goroutines::Child> children = goroutines.handlers_of({pid, g});
    // Handlers of two goroutines cannot be distinguished by their order.
    if (!children.empty() && !made.empty()) return;
    if (!children.empty()) made = std::move(children);
  }
  match(requests, made);
  doubt(requests, goroutines.losses());
}

}  // namespace tailcap::causes
