#include "analyze/views/flame/waiting_function.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <string_view>

#include "analyze/views/flame/frames.h"

namespace tailcap::views {

namespace {

// Which waits have stacks does not depend on what they wait in, so these speak for all.
constexpr std::uint64_t kLeastStacks = 10;

using Times = std::map<std::string_view, std::int64_t>;

// That with most of the time, if that is more than half of it.
std::string_view most_of(const Times& times, std::int64_t all) {
  const auto best = std::ranges::max_element(times, {}, [](const auto& each) { return each.second; });
  return best == times.end() || 2 * best->second <= all ? std::string_view{} : best->first;
}

// What a function called, from the frames inside it. A script called a function of its own, or else the last one that
// has a name: what is between them is the interpreter.
std::string_view called_in(std::span<const std::string_view> frames, bool script) {
  const auto next = std::ranges::find_if(frames, script ? of_script : has_name);
  if (next != frames.end()) return *next;
  const auto last = std::find_if(frames.rbegin(), frames.rend(), has_name);
  return last == frames.rend() ? std::string_view{} : *last;
}

}  // namespace

std::optional<model::WaitingFunction> waiting_function(const std::vector<StackedWait>& waits) {
  model::WaitingFunction out;
  std::int64_t all_time = 0, with_scripts = 0;
  std::vector<std::vector<std::string_view>> all;
  for (const StackedWait& wait : waits) {
    ++out.waits;
    all_time += wait.time;
    auto& frames = all.emplace_back();
    if (!wait.stack) continue;
    frames = frames_of(*wait.stack);
    ++out.stacks;
    out.time += wait.time;
    with_scripts += std::ranges::any_of(frames, of_script) ? wait.time : 0;
  }
  if (out.stacks < kLeastStacks && 2 * out.time <= all_time) return std::nullopt;
  const bool script = 2 * with_scripts > out.time;
  Times in;  // the time of waits with this function
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const std::string_view frame : std::set(all[i].begin(), all[i].end())) in[frame] += waits[i].time;
  Times innermost;  // of those in most of the time
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto at = std::find_if(all[i].rbegin(), all[i].rend(),
                                 [&](std::string_view f) { return of_application(f, script) && 2 * in[f] > out.time; });
    if (at != all[i].rend()) innermost[*at] += waits[i].time;
  }
  const auto best = std::ranges::max_element(innermost, {}, [](const auto& each) { return each.second; });
  if (best == innermost.end()) return std::nullopt;
  const std::string_view name = best->first;
  Times callers, called;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto last = std::find(all[i].rbegin(), all[i].rend(), name);  // the innermost, where it calls itself
    if (last == all[i].rend()) continue;
    const auto out_of =
        std::find_if(last + 1, all[i].rend(), [&](auto f) { return f != name && counts_by_name(f, script); });
    if (out_of != all[i].rend() && !of_runtime(*out_of)) callers[*out_of] += waits[i].time;
    if (const std::string_view inner = called_in({last.base(), all[i].end()}, script); !inner.empty())
      called[inner] += waits[i].time;
  }
  out.name = name;
  out.inside = in[name];
  out.caller = most_of(callers, out.inside);
  out.called = most_of(called, out.inside);
  return out;
}

}  // namespace tailcap::views
