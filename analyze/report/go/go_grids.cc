#include "analyze/report/go/go_grids.h"

#include <algorithm>
#include <cstdio>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "ground/text.h"

namespace tailcap::report {
namespace {

using model::GoBusy;
using model::GoDelay;
using model::GoLeft;
using model::GoStudy;

constexpr std::size_t kRoutesShown = 5, kLeftShown = 20, kBusyShown = 20, kTakenShown = 10;
constexpr const char* kRanges[GoDelay::kBuckets] = {"below 1 µs", "to 10 µs", "to 100 µs", "to 1 ms", "to 5 ms",
                                                    "to 10 ms",   "to 20 ms", "to 100 ms", "longer"};

std::string go_name(const GoStudy& g) {
  return (g.comm.empty() ? "process" : printable(g.comm)) + " " + pid_text(g.pid);
}
std::string or_unknown(const std::string& text) { return text.empty() ? "?" : printable(text); }
std::string nanoseconds_text(model::Duration d) {
  return count_text(static_cast<std::uint64_t>(std::max<std::int64_t>(d.count(), 0)));
}

std::string known_share(double share) { return share < 0 ? "?" : ground::share_text(share); }

std::string histogram(const GoDelay& d) {
  std::string out;
  for (std::size_t i = 0; i < d.histogram.size(); ++i)
    if (d.histogram[i] > 0)
      out += (out.empty() ? "" : ", ") + std::string(kRanges[i]) + " " + count_text(d.histogram[i]);
  return out;
}

Grid delays(const model::Study& study) {
  Grid grid;
  grid.title = "Goroutines that could run and waited for their turn";
  grid.header = {"waits", "p50 ns", "p99 ns", "max ns", "process", "serving"};
  grid.names = 2;
  std::string without;
  for (const GoStudy& g : study.go) {
    if (!g.states_told) {
      without += (without.empty() ? "" : ", ") + go_name(g);
      continue;
    }
    for (std::size_t i = 0; i < g.delays.size() && i <= kRoutesShown && grid.rows.size() < 200; ++i) {
      const GoDelay& d = g.delays[i];
      grid.rows.push_back({count_text(d.count), nanoseconds_text(d.median),
                           d.count < GoDelay::kForP99 ? "–" : nanoseconds_text(d.p99), nanoseconds_text(d.longest),
                           go_name(g), d.route.empty() ? "anything" : printable(d.route)});
    }
    if (!g.delays.empty())
      grid.notes.push_back(go_name(g) + ", from ready to running: " + histogram(g.delays[0]) + ".");
    if (g.delays_left_out > 0)
      grid.notes.push_back(go_name(g) + ": " + count_text(g.delays_left_out) + " more waits were not kept.");
  }
  if (!without.empty())
    grid.notes.push_back("How long goroutines wait for their turn is not recorded of " + without +
                         "; `tailcap record --profile deep` does.");
  return grid;
}

Grid taken(const model::Study& study) {
  Grid grid;
  grid.title = "What requests allocate, and how often they are preempted";
  grid.header = {"requests", "allocations", "a request", "bytes", "a request", "preempted", "process", "route"};
  grid.names = 2;
  bool estimated = false;
  for (const GoStudy& g : study.go) {
    for (std::size_t i = 0; i < g.shares.size() && i < kTakenShown; ++i) {
      const auto& s = g.shares[i];
      const auto bytes = [&](std::uint64_t n) { return g.allocations_told ? bytes_text(n) : "–"; };
      const auto count = [&](std::uint64_t n) { return g.allocations_told ? count_text(n) : "–"; };
      const std::uint64_t requests = std::max<std::uint64_t>(s.requests, 1);
      grid.rows.push_back({count_text(s.requests), count(s.allocations), count(s.allocations / requests),
                           bytes(s.bytes), bytes(s.bytes / requests), count_text(s.preemptions), go_name(g),
                           printable(s.route)});
      estimated |= s.allocations > 0;
    }
    std::string sizes;
    for (const auto& c : g.sizes)
      sizes += (sizes.empty() ? "" : ", ") + bytes_text(c.least) + " " + count_text(c.count);
    if (!sizes.empty())
      grid.notes.push_back(
          go_name(g) + ", allocations by size, each class from this number of bytes up to twice that: " + sizes + ".");
    std::string hot;
    for (std::size_t i = 0; i < g.hot.size() && i < 5; ++i)
      hot += (hot.empty() ? "" : ", ") + printable(g.hot[i].function) + " " + bytes_text(g.hot[i].bytes);
    if (!hot.empty())
      grid.notes.push_back(go_name(g) + ", where most is allocated: " + hot +
                           ". `tailcap flame --measure allocations` shows the stacks.");
  }
  if (estimated)
    grid.notes.push_back(
        "By route and function these are estimates: of allocations below 32 KiB one in about 512 KiB is looked at.");
  return grid;
}

Grid left_behind(const model::Study& study) {
  Grid grid;
  grid.title = "Left behind: goroutines that outlive their request";
  grid.header = {"goroutines", "there", "requests", "longest", "e.g.", "process", "handler", "started in", "run"};
  grid.names = 4;
  for (const GoStudy& g : study.go) {
    for (std::size_t i = 0; i < g.left.size() && i < kLeftShown; ++i) {
      const GoLeft& l = g.left[i];
      grid.rows.push_back({count_text(l.count()), count_text(l.alive), count_text(l.requests), duration_text(l.longest),
                           id_text(l.example), go_name(g), or_unknown(l.handler), or_unknown(l.from),
                           or_unknown(l.function)});
    }
    if (g.left.size() > kLeftShown)
      grid.notes.push_back(go_name(g) + ": " + count_text(g.left.size() - kLeftShown) +
                           " more kinds; --json has them all.");
    if (g.left_in_doubt > 0)
      grid.notes.push_back(
          go_name(g) + ": of " + count_text(g.left_in_doubt, "more goroutine", "more goroutines") +
          " that requests made it is not known whether they ended, because events were lost or left out.");
  }
  if (!grid.rows.empty()) {
    const auto& limits = study.go[0].limits;
    grid.notes.insert(grid.notes.begin(),
                      "Made while a request was served, and there more than " + duration_text(limits.left_after) +
                          " after its end; `there`: still, when the recording or the process ended.");
  }
  return grid;
}

Grid busy(const model::Study& study) {
  Grid grid;
  grid.title = "Busy seconds";
  grid.header = {"at", "goroutines", "threads", "process"};
  grid.names = 1;
  for (const GoStudy& g : study.go) {
    std::size_t shown = 0;
    for (const GoBusy& b : g.busy) {
      if (std::max(b.goroutines, b.threads) < g.limits.busy || shown++ >= kBusyShown) continue;
      grid.rows.push_back(
          {offset_text(b.from, study.begin), known_share(b.goroutines), known_share(b.threads), go_name(g)});
    }
    if (g.busy.empty()) continue;
    const bool told = std::any_of(g.busy.begin(), g.busy.end(), [](const GoBusy& b) { return b.goroutines >= 0; });
    grid.notes.push_back(
        go_name(g) + ": " + count_text(g.busy_seconds) + " of " + count_text(g.busy.size(), "second", "seconds") +
        " at " + ground::share_text(g.limits.busy) + " or more of " +
        (told ? "GOMAXPROCS (" + count_text(g.processors) +
                    ") with a running goroutine, or of its CPUs with a running thread."
         : !g.states_told ? "its CPUs with a running thread; running goroutines need `tailcap record --profile deep`."
                          : "its CPUs with a running thread; GOMAXPROCS is not known."));
  }
  return grid;
}

}  // namespace

std::vector<Grid> go_grids(const model::Study& study) {
  if (study.go.empty()) return {};
  std::vector<Grid> out;
  for (Grid grid : {delays(study), taken(study), left_behind(study), busy(study)})
    if (!grid.empty()) out.push_back(std::move(grid));
  return out;
}

}  // namespace tailcap::report
