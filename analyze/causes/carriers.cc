#include "analyze/causes/carriers.h"

#include <map>
#include <unordered_map>

#include "analyze/causes/stream_goroutines.h"

namespace tailcap::causes {

using formats::kNoTime;
using formats::known;

void find_carrier(Note& s, std::uint32_t pid, const Goroutines& goroutines) {
  if (s.stream != 0) return;
  const auto handles = [&](std::uint64_t g) { return goroutines.handled({pid, g}, s.began, or_later(s.answered)).yes; };
  if (handles(s.writer_goroutine) || (s.writer_goroutine != 0 && s.writer_goroutine == s.reader_goroutine)) {
    s.goroutine = s.writer_goroutine;
    s.goroutine_sure = true;
  } else if (handles(s.reader_goroutine)) {
    s.goroutine = s.reader_goroutine;
    s.goroutine_sure = true;
  } else
    s.goroutine = s.writer_goroutine != 0 ? s.writer_goroutine : s.reader_goroutine;
}

void find_caller(Note& c, std::uint32_t pid, Goroutines& goroutines) {
  if (c.stream != 0 || c.writer_goroutine == 0) return;
  const Goroutines::Asked asked = goroutines.take_caller({pid, c.writer_goroutine}, c.began);
  const auto made_by = [&](std::uint64_t child, std::uint64_t creator) -> const Goroutines::Origin* {
    const auto* origin = child != 0 && creator != 0 ? goroutines.origin({pid, child}) : nullptr;
    return origin && origin->creator == creator ? origin : nullptr;
  };
  if (asked.caller != 0) {
    c.goroutine = asked.caller;
    c.made = asked.at;
  } else if (c.writer_goroutine == c.reader_goroutine) {
    c.goroutine = c.writer_goroutine;
  } else if (const auto* writer = made_by(c.writer_goroutine, c.reader_goroutine); writer && writer->at <= c.began) {
    // It has another one write a long call, so that both sides can be full, and reads the answer itself.
    c.goroutine = c.reader_goroutine;
    c.made = writer->at;
  } else if (const auto* reader = made_by(c.reader_goroutine, c.writer_goroutine); reader && reader->at >= c.began) {
    c.goroutine = c.writer_goroutine;  // another one reads the answer while it goes on writing
  }
  c.goroutine_sure = c.goroutine != 0;
}

// A dialler of Go has one or two goroutines of its own.
void find_dialler(Note& c, std::uint32_t pid, const Goroutines& goroutines) {
  constexpr int kDeepest = 4;
  Goroutine g{pid, c.writer_goroutine};
  for (int depth = 0; depth < kDeepest && g.number != 0; ++depth) {
    if (goroutines.handled(g, Time{}, c.began).yes) {
      c.goroutine = g.number;
      c.goroutine_sure = true;
      return;
    }
    const auto* origin = goroutines.origin(g);
    if (!origin) return;
    g.number = origin->creator;
    c.made = origin->at;
  }
}

void find_carriers(std::uint32_t pid, Process& process, const Goroutines& goroutines) {
  std::map<model::ConnectionId, std::vector<StreamGoroutine>> by_connection;
  std::map<model::ExchangeId, std::uint64_t> found;
  for (const Note& s : process.servers)
    if (s.stream != 0)
      by_connection[s.id.connection].push_back(
          {s.id, s.stream, s.reader_goroutine, s.writer_goroutine, s.began, s.answered, {}});
  for (auto& [connection, requests] : by_connection) {
    find_carriers(pid, requests, goroutines);
    for (const StreamGoroutine& r : requests)
      if (r.carrier.number != 0) found[r.id] = r.carrier.number;
  }
  for (Note& s : process.servers)
    if (const auto it = found.find(s.id); it != found.end()) {
      s.goroutine = it->second;
      s.goroutine_sure = true;
    }

  const Losses& losses = goroutines.losses();
  std::unordered_map<std::uint64_t, std::uint32_t> sent;  // calls over HTTP/2 by goroutine
  for (const Note& c : process.clients)
    if (c.stream != 0) ++sent[c.writer_goroutine];
  for (Note& c : process.clients) {
    if (c.stream == 0 || c.writer_goroutine == 0) continue;
    const Goroutine writer{pid, c.writer_goroutine};
    if (goroutines.writes_streams(writer)) {
      const Goroutines::Asked asked = goroutines.queued(writer, c.stream);
      if (asked.caller != 0 && asked.at <= c.began) {
        c.goroutine = asked.caller;
        c.made = asked.at;
        c.goroutine_sure = true;
      }
    } else if (sent[c.writer_goroutine] == 1) {
      // It may have sent others that were lost.
      const Goroutines::Origin* made = goroutines.origin(writer);
      if (losses.any(made ? made->at : kNoTime, std::max(c.began, c.ended), Losses::kSends)) continue;
      c.goroutine = c.writer_goroutine;
      c.goroutine_sure = true;
    }
  }
}

}  // namespace tailcap::causes
