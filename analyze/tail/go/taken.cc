#include "analyze/tail/go/taken.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "formats/event.h"

namespace tailcap::tail::go {

using namespace formats;

namespace {

constexpr std::size_t kHot = 10, kFunctions = 65536;
constexpr std::string_view kUnknown = "[unknown]";

// The innermost frame that skip does not take; stacks begin with the outermost frame.
template <class Skip>
std::string_view innermost(std::string_view stack, Skip skip) {
  while (!stack.empty()) {
    const auto at = stack.rfind(';');
    const std::string_view name = at == stack.npos ? stack : stack.substr(at + 1);
    if (!skip(name)) return name;
    if (at == stack.npos) break;
    stack = stack.substr(0, at);
  }
  return kUnknown;
}

void add(std::unordered_map<std::string, model::GoHot>& hot, std::string_view function, std::uint64_t count,
         std::uint64_t bytes) {
  const std::string name(function);
  if (hot.size() >= kFunctions && !hot.contains(name)) return;
  model::GoHot& sums = hot[name];
  sums.function = name;
  sums.count += count;
  sums.bytes += bytes;
}

std::vector<model::GoHot> hottest(const std::unordered_map<std::string, model::GoHot>& hot) {
  std::vector<model::GoHot> all;
  for (const auto& [name, sums] : hot) all.push_back(sums);
  std::sort(all.begin(), all.end(), [](const model::GoHot& a, const model::GoHot& b) {
    if (a.bytes != b.bytes) return a.bytes > b.bytes;
    return a.count != b.count ? a.count > b.count : a.function < b.function;
  });
  if (all.size() > kHot) all.resize(kHot);
  return all;
}

}  // namespace

void Taken::push(const Event& event) {
  if (const auto* counted = std::get_if<GoAllocations>(&event.body)) {
    Process& p = processes_[event.thread.pid];
    p.counted = true;
    if (!known(p.first)) p.first = event.time;
    if (event.time > p.first) p.since_first += counted->count;
    p.last = known(p.last) ? std::max(p.last, event.time) : event.time;
    if (counted->count == 0 || (p.sizes.size() >= 64 && !p.sizes.contains(counted->least))) return;
    model::GoSizes& sizes = p.sizes[counted->least];
    sizes.least = counted->least;
    sizes.count += counted->count;
    sizes.bytes += counted->bytes;
    return;
  }
  const auto* sample = std::get_if<formats::Sample>(&event.body);
  if (!sample || (sample->kind != SampleKind::preempted && sample->kind != SampleKind::allocation)) return;
  Process& p = processes_[event.thread.pid];
  const bool allocation = sample->kind == SampleKind::allocation;
  if (allocation) {
    const auto by_runtime = [](std::string_view name) { return name.starts_with("runtime."); };
    add(p.hot, innermost(sample->user, by_runtime), sample->weight, sample->value * sample->weight);
  } else {
    const auto by_signal = [](std::string_view name) { return name.starts_with("runtime.asyncPreempt"); };
    add(p.preempted_at, innermost(sample->user, by_signal), sample->weight, 0);
    p.preemptions += sample->weight;
  }
  if (kept_ >= kMaxSamples) return;
  ++kept_;
  p.samples.push_back({event.time, event.goroutine, sample->value, sample->weight, allocation});
}

void Taken::fill(std::uint32_t pid, const std::vector<Delays::Stretch>& served, model::GoStudy& study) const {
  const auto found = processes_.find(pid);
  if (found == processes_.end()) return;
  const Process& p = found->second;
  study.preemptions = p.preemptions;
  study.preempted_at = hottest(p.preempted_at);
  study.allocations_told = p.counted;
  for (const auto& [least, sizes] : p.sizes) {
    study.sizes.push_back(sizes);
    study.allocations += sizes.count;
    study.allocated += sizes.bytes;
  }
  study.hot = hottest(p.hot);
  if (known(p.first) && p.last > p.first) {
    study.allocated_over = p.last - p.first;
    study.allocated_since = p.since_first;
  }
  std::vector<Delays::Stretch> stretches = served;
  std::sort(stretches.begin(), stretches.end(), [](const auto& a, const auto& b) {
    return a.goroutine != b.goroutine ? a.goroutine < b.goroutine : a.from < b.from;
  });
  std::map<std::string, model::GoShare> shares;
  for (const auto& stretch : stretches) ++shares[stretch.route].requests;
  for (const Sampled& s : p.samples) {
    // The last that had begun; if it is over by then, the goroutine served no request.
    const auto after = std::partition_point(stretches.begin(), stretches.end(), [&](const auto& x) {
      return x.goroutine != s.goroutine ? x.goroutine < s.goroutine : x.from <= s.time;
    });
    if (s.goroutine == 0 || after == stretches.begin()) continue;
    const auto& its = *std::prev(after);
    if (its.goroutine != s.goroutine || its.to < s.time) continue;
    model::GoShare& share = shares[its.route];
    if (s.allocation) {
      share.allocations += s.weight;
      share.bytes += s.value * s.weight;
    } else
      share.preemptions += s.weight;
  }
  for (auto& [route, share] : shares) {
    if (share.allocations + share.preemptions == 0) continue;
    share.route = route;
    study.shares.push_back(share);
  }
  std::stable_sort(study.shares.begin(), study.shares.end(), [](const auto& a, const auto& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.preemptions > b.preemptions;
  });
}

}  // namespace tailcap::tail::go
