#include "analyze/protocols/http2/late_start.h"

#include <utility>

#include "analyze/protocols/http2/stream.h"

namespace tailcap::protocols::http2 {

using model::Direction;

std::optional<bool> sends_requests(const std::vector<HeldRun>& frames) {
  Sender trial;
  trial.start_late();
  trial.found_border();
  std::optional<bool> asks;
  SenderItem item;
  for (const HeldRun& held : frames) {
    const model::ByteRun run = held.view();
    Cursor cursor(run);
    while (trial.next(cursor, item)) {
      if (item.kind == SenderItem::Kind::lost && item.why == model::Taint::malformed) return std::nullopt;
      if (item.block_step == hpack::Step::invalid) return std::nullopt;
      if (item.kind != SenderItem::Kind::headers || item.block_step != hpack::Step::done || item.frame.stream % 2 == 0)
        continue;
      const Glance seen = glance(trial.fields, item.block_step);
      if (seen.request == seen.response) continue;
      // Pseudo-fields come first (RFC 9113, 8.3).
      if (trial.fields[0].name_known && !trial.fields[0].name.starts_with(':')) return std::nullopt;
      if (asks && *asks != seen.request) return std::nullopt;
      asks = seen.request;
    }
  }
  return asks;
}

void Http2LateStart::Side::give_up() {
  search.clear();
  scout.reset();
  waiting.clear();
  bytes = 0;
}

void Http2LateStart::scout(Side& s, const model::ByteRun& run) {
  Cursor cursor(run);
  SenderItem item;
  while (s.scout->next(cursor, item)) {
    if (client_ || item.kind != SenderItem::Kind::headers || item.frame.stream % 2 == 0) continue;
    const Glance seen = glance(s.scout->fields, item.block_step);
    if (seen.request == seen.response) continue;
    const Direction other = run.direction == Direction::in ? Direction::out : Direction::in;
    client_ = seen.request ? run.direction : other;
  }
}

// There is a border in front of what the search holds.
void Http2LateStart::believe(Side& s) {
  s.waiting = s.search.take();
  s.scout = std::make_unique<Sender>();
  s.scout->start_late();
  s.scout->found_border();
  for (const HeldRun& held : s.waiting) {
    s.bytes += held.bytes.size();
    scout(s, held.view());
  }
}

void Http2LateStart::push(const model::ByteRun& run) {
  Side& s = side(run.direction);
  if (run.gap > 0) s.give_up();
  if (run.length == 0) return;
  if (s.scout) {
    s.waiting.emplace_back(run);
    s.bytes += s.waiting.back().bytes.size();
    scout(s, run);
  } else if (s.search.push(run) || ((s.search.whole() || s.search.hidden()) && sends_requests(s.search.held()))) {
    believe(s);
  }
  if (s.scout && ((s.scout->lost() && !client_) || s.waiting.size() > 2 * Resync::kMaxHeldRuns ||
                  s.bytes > 2 * Resync::kMaxHeldBytes))
    s.give_up();
}

std::optional<Direction> Http2LateStart::client(bool now) {
  if (!client_) return std::nullopt;
  const std::size_t waited = sides_[0].waiting.size() + sides_[1].waiting.size();
  for (Side& s : sides_) {
    if (s.scout) continue;
    // The other direction is HTTP/2 for certain: two headers in a row, or whole frames, are enough here.
    if (s.search.headers() >= 2 || s.search.whole())
      believe(s);
    else if (s.search.headers() == 1 && !now && waited < kMaxWait)
      return std::nullopt;
  }
  return client_;
}

}  // namespace tailcap::protocols::http2
