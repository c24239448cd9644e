#include "analyze/causes/carriers.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace tailcap::causes {

using formats::known;

namespace {

Time or_later(Time t) { return known(t) ? t : formats::kMaxTime; }

void carrier_of(Note& s, std::uint32_t pid, const Goroutines& goroutines) {
  const auto handles = [&](std::uint64_t g) { return g != 0 && goroutines.handled({pid, g}, s.began, or_later(s.answered)); };
  if (handles(s.writer_goroutine) || (s.writer_goroutine != 0 && s.writer_goroutine == s.reader_goroutine))
    s.goroutine = s.writer_goroutine, s.goroutine_sure = true;
  else if (handles(s.reader_goroutine))
    s.goroutine = s.reader_goroutine, s.goroutine_sure = true;
  else
    s.goroutine = s.writer_goroutine != 0 ? s.writer_goroutine : s.reader_goroutine;
}

// The requests of one connection, and the goroutines that its own one made for handlers: the first for the first, and so
// on, whether one begins with the first or with the last. Where both do not agree nothing is known.
void match(std::vector<Note*>& requests, const std::vector<Goroutines::Child>& made) {
  std::sort(requests.begin(), requests.end(), [](const Note* a, const Note* b) { return a->stream < b->stream; });
  std::vector<std::uint64_t> forwards(requests.size());
  std::size_t next = 0;
  for (std::size_t n = 0; n < requests.size(); ++n) {
    while (next < made.size() && made[next].at < requests[n]->began) ++next;
    if (next < made.size() && made[next].at <= or_later(requests[n]->answered)) forwards[n] = made[next++].number;
  }
  std::size_t left = made.size();
  for (std::size_t n = requests.size(); n-- > 0;) {
    while (left > 0 && made[left - 1].at > or_later(requests[n]->answered)) --left;
    if (left == 0 || made[left - 1].at < requests[n]->began) continue;
    if (made[--left].number != forwards[n]) continue;
    requests[n]->goroutine = forwards[n], requests[n]->goroutine_sure = true;
  }
}

void carriers_of_streams(std::uint32_t pid, std::vector<Note*>& requests, const Goroutines& goroutines) {
  // The connection's goroutine made that which reads from it, or reads itself; or it made those that write.
  std::vector<std::uint64_t> own;
  const auto candidate = [&](std::uint64_t g) {
    if (g != 0 && std::find(own.begin(), own.end(), g) == own.end()) own.push_back(g);
  };
  for (const Note* r : requests) {
    for (const std::uint64_t g : {r->reader_goroutine, r->writer_goroutine}) {
      candidate(g);
      if (const Goroutines::Origin* made = g == 0 ? nullptr : goroutines.origin({pid, g})) candidate(made->creator);
    }
    if (own.size() > 64) break;
  }
  std::vector<Goroutines::Child> made;
  for (const std::uint64_t g : own) {
    std::vector<Goroutines::Child> children = goroutines.handlers_of({pid, g});
    // Handlers of two goroutines cannot be told apart by their order.
    if (!children.empty() && !made.empty()) return;
    if (!children.empty()) made = std::move(children);
  }
  match(requests, made);
}

}  // namespace

void find_carriers(std::uint32_t pid, Process& process, const Goroutines& goroutines) {
  std::map<flow::ConnectionId, std::vector<Note*>> by_connection;
  for (Note& s : process.servers) {
    if (s.stream == 0) carrier_of(s, pid, goroutines);
    else by_connection[s.id.connection].push_back(&s);
  }
  for (auto& [connection, requests] : by_connection) carriers_of_streams(pid, requests, goroutines);

  std::unordered_map<std::uint64_t, std::uint32_t> sent;  // calls over HTTP/2 by goroutine
  for (const Note& c : process.clients)
    if (c.stream != 0) ++sent[c.writer_goroutine];
  for (Note& c : process.clients) {
    if (c.goroutine != 0) {  // by the program's own hand-over
      c.goroutine_sure = true;
    } else if (c.stream == 0 ? c.writer_goroutine == c.reader_goroutine : sent[c.writer_goroutine] == 1) {
      c.goroutine = c.writer_goroutine;
      c.goroutine_sure = c.goroutine != 0;
    }
  }
}

}  // namespace tailcap::causes
