#include "analyze/causes/handlers.h"

#include <algorithm>

namespace tailcap::causes {

void HandlerFinder::push(const flow::Exchange& e) {
  if (e.role != flow::Role::server || e.reader.pid == 0 || !formats::known(e.request.first_done)) return;
  if (e.reader.goroutine == 0 && e.writer.goroutine == 0) return;
  const formats::Time began = e.request.first_done;
  const formats::Time answered = formats::known(e.response.first_done) ? e.response.first_done : formats::kMaxTime;
  if (e.stream != 0) {
    if (kept_ >= kMaxStreams) return;
    streams_[{e.reader.pid, e.id.connection}].push_back({e.id, e.stream, e.reader.goroutine, e.writer.goroutine, began, answered, {}});
    ++kept_;
    return;
  }
  for (const std::uint64_t g : {e.writer.goroutine, e.reader.goroutine}) {
    const auto handled = goroutines_.handled({e.reader.pid, g}, began, answered);
    if (!handled.yes) continue;
    if (handled.name != 0) found_.emplace_back(e.id, handled.name);
    return;
  }
}

void HandlerFinder::settle(flow::RequestTable& table) {
  std::vector<flow::HandlerGoroutines::Entry> carriers;
  for (auto& [of, requests] : streams_) {
    find_carriers(of.first, requests, goroutines_);
    for (const Stream& r : requests) {
      if (r.carrier.handler != 0) found_.emplace_back(r.id, r.carrier.handler);
      if (r.carrier.number != 0) carriers.emplace_back(r.id, r.carrier.number);
    }
  }
  streams_.clear();
  std::sort(found_.begin(), found_.end());
  table.handlers.assign(std::move(found_));
  std::sort(carriers.begin(), carriers.end());
  table.handler_goroutines.assign(std::move(carriers));
}

}  // namespace tailcap::causes
