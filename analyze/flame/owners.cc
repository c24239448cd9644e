#include "analyze/flame/owners.h"

#include <algorithm>

#include "formats/event.h"
#include "formats/socket_event.h"
#include "formats/tls_event.h"

namespace tailcap::flame {

using formats::Time;

void Owners::add(std::uint32_t pid, std::uint32_t tid, const RequestTime& request) {
  threads_[{pid, tid}].requests.push_back(request);
  ended_.push_back({request, pid});
}

void Owners::sent(const formats::Event& event) {
  if (event.goroutine == 0) return;
  const auto* io = std::get_if<formats::Io>(&event.body);
  const auto* plain = std::get_if<formats::TlsIo>(&event.body);
  if (!(io && io->direction == formats::Direction::out) && !(plain && plain->direction == formats::Direction::out))
    return;
  if (!by_end_) {
    std::ranges::stable_sort(ended_, {}, [](const Ended& e) { return e.request.end; });
    by_end_ = true;
  }
  const auto same = std::ranges::equal_range(ended_, event.time, {}, [](const Ended& e) { return e.request.end; });
  const auto its = std::ranges::find_if(same, [&](const Ended& e) { return !e.sent && e.pid == event.thread.pid; });
  if (its == same.end()) return;
  its->sent = true;
  go_.insert(event.thread.pid);
  goroutines_[{event.thread.pid, event.goroutine}].requests.push_back(its->request);
}

void Owners::sort(std::map<Key, Line>& lines) {
  for (auto& [key, line] : lines) {
    if (line.reach.size() == line.requests.size()) continue;  // sorted already
    std::sort(line.requests.begin(), line.requests.end(), [](const RequestTime& a, const RequestTime& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    line.reach.clear();
    for (const RequestTime& r : line.requests)
      line.reach.push_back(line.reach.empty() ? r.end : std::max(line.reach.back(), r.end));
  }
}

void Owners::sort() {
  sort(threads_);
  sort(goroutines_);
}

const std::vector<Owners::Share>& Owners::of(formats::Thread thread, std::uint64_t goroutine, Time begin, Time end) {
  shares_.clear();
  if (goroutine == 0 && go_.contains(thread.pid)) return shares_;
  const auto& lines = goroutine != 0 ? goroutines_ : threads_;
  const auto found = lines.find({thread.pid, goroutine != 0 ? goroutine : thread.tid});
  if (found == lines.end()) return shares_;
  const Line& line = found->second;
  // Requests that begin by `end`, from the first one on that some request may reach.
  const auto last = std::upper_bound(line.requests.begin(), line.requests.end(), end,
                                     [](Time t, const RequestTime& r) { return t < r.begin; });
  const auto first = std::lower_bound(line.reach.begin(), line.reach.begin() + (last - line.requests.begin()), begin);
  std::vector<Time> borders = {begin, end};
  std::vector<const RequestTime*> under_way;
  for (auto r = line.requests.begin() + (first - line.reach.begin()); r != last; ++r) {
    if (r->end < begin) continue;
    under_way.push_back(&*r);
    if (r->begin > begin) borders.push_back(r->begin);
    if (r->end < end) borders.push_back(r->end);
  }
  std::sort(borders.begin(), borders.end());
  for (std::size_t i = 0; i + 1 < borders.size(); ++i) {
    const Time from = borders[i], to = borders[i + 1];
    if (from == to && begin != end) continue;
    std::size_t count = 0;
    Cohort cohort = Cohort::other;
    std::uint32_t request = 0;
    for (const RequestTime* r : under_way) {
      if (r->begin <= from && r->end >= to) {
        ++count;
        cohort = r->cohort;
        request = r->request;
      }
    }
    if (count > 0) shares_.push_back({from, to, cohort, count > 1, request});
  }
  return shares_;
}

}  // namespace tailcap::flame
