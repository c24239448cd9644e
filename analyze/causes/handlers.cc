#include "analyze/causes/handlers.h"

#include <algorithm>
#include <tuple>

#include "ground/memory.h"

namespace tailcap::causes {

using formats::kNoTime;
using formats::known;

namespace {

constexpr Kinds kEntered = kinds_of(formats::Kind::go_handler);

}  // namespace

void HandlerFinder::push(const model::Exchange& e) {
  if (e.role != model::Role::server || e.reader.pid == 0 || !formats::known(e.request.first_done)) return;
  if (e.reader.goroutine == 0 && e.writer.goroutine == 0) return;
  const formats::Time began = e.request.first_done;
  const formats::Time answered = formats::known(e.response.first_done) ? e.response.first_done : formats::kMaxTime;
  model::Served served{e.id,       e.reader.pid,
                       e.protocol, 0,
                       began,      formats::known(e.response.last_done) ? e.response.last_done : formats::kMaxTime};
  if (e.stream != 0) {
    if (kept_ >= kMaxStreams) return keep(served);
    streams_[{e.reader.pid, e.id.connection}].push_back(
        {e.id, e.stream, e.reader.goroutine, e.writer.goroutine, began, answered, {}});
    streamed_.push_back(served);
    ++kept_;
    return;
  }
  for (const std::uint64_t g : {e.writer.goroutine, e.reader.goroutine}) {
    const auto handled = goroutines_.handled({e.reader.pid, g}, began, answered);
    if (!handled.yes) continue;
    if (handled.name != 0)
      entered_.push_back({{e.id, handled.name}, began, known(e.response.first_done) ? answered : kNoTime});
    served.goroutine = g;
    return keep(served);
  }
  // No handler was seen: who reads and answers works on it.
  if (e.writer.goroutine == e.reader.goroutine) served.goroutine = e.writer.goroutine;
  keep(served);
}

void HandlerFinder::keep(const model::Served& served) {
  if (served_.size() < kMaxServed) served_.push_back(served);
}

void HandlerFinder::settle(model::RequestTable& table) {
  std::vector<model::HandlerGoroutines::Entry> carriers;
  for (auto& [of, requests] : streams_) {
    find_carriers(of.first, requests, goroutines_);
    for (const StreamGoroutine& r : requests) {
      if (r.carrier.handler != 0) found_.emplace_back(r.id, r.carrier.handler);
      if (r.carrier.number != 0) carriers.emplace_back(r.id, r.carrier.number);
    }
  }
  streams_.clear();
  // The innermost handler, or the answer after which its goroutine entered others, may be lost.
  for (const Entered& e : entered_)
    if (!goroutines_.losses().any(e.from, known(e.to) ? e.to : formats::kMaxTime,
                                  known(e.to) ? kEntered : kEntered | Losses::kSends))
      found_.push_back(e.handler);
  ground::release(entered_);
  std::sort(carriers.begin(), carriers.end());
  for (model::Served& s : streamed_) {
    const auto at = std::lower_bound(carriers.begin(), carriers.end(), std::pair{s.id, std::uint64_t{0}});
    if (at != carriers.end() && at->first == s.id) s.goroutine = at->second;
    keep(s);
  }
  ground::release(streamed_);
  std::sort(served_.begin(), served_.end(), [](const model::Served& a, const model::Served& b) {
    return std::tie(a.pid, a.begin, a.id) < std::tie(b.pid, b.begin, b.id);
  });
  std::sort(found_.begin(), found_.end());
  table.handlers.assign(std::move(found_));
  table.handler_goroutines.assign(std::move(carriers));
}

std::vector<model::Served> HandlerFinder::take_served() { return std::exchange(served_, {}); }

}  // namespace tailcap::causes
