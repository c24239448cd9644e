#include "analyze/compare/sides/diff.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <tuple>

#include "analyze/compare/curve.h"
#include "analyze/compare/run_sample.h"
#include "analyze/compare/sides/contrast_functions.h"
#include "analyze/compare/sides/contrasts.h"
#include "analyze/compare/sides/rank.h"
#include "analyze/compare/software.h"
#include "analyze/model/label_group.h"

namespace tailcap::compare {
namespace {

using model::difference::CaptureSide;
using model::difference::Difference;
using model::difference::EdgeDifference;
using model::difference::RouteDifference;
using model::difference::Setting;
using model::difference::SideSummary;
using model::gate::RouteName;
using model::gate::RouteRun;

using TwoSides = std::array<const CaptureSide*, 2>;

// On a CPU, and waiting for one, of the requests that were served.
void add_cpu_times(const CaptureSide& side, SideSummary& out) {
  double n = 0;
  for (const RouteRun& route : side.run.routes) {
    if (route.name.role != model::Role::server) continue;
    for (const auto& request : route.requests) n += request.duration >= 0;
    for (const auto& [account, ns] : route.accounts) {
      if (model::gate::waits_for_cpu(account))
        out.cpu_waits += static_cast<double>(ns);
      else if (account != model::gate::kNoAccount &&
               model::group_of(static_cast<model::Label>(account)) == model::LabelGroup::cpu)
        out.cpu += static_cast<double>(ns);
    }
  }
  if (n == 0) return;
  out.cpu /= n;
  out.cpu_waits /= n;
}

SideSummary summary_of(const CaptureSide& side) {
  SideSummary out{.file = side.run.file,
                  .path = side.run.path,
                  .part = side.part,
                  .begin = side.run.begin,
                  .end = side.run.end,
                  .seconds = side.run.seconds,
                  .per_second = side.run.rate(),
                  .under_way = side.under_way,
                  .requests = side.run.requests,
                  .whole = side.run.whole,
                  .lost = side.run.lost,
                  .undecided_calls = side.run.undecided_calls};
  add_cpu_times(side, out);
  return out;
}

std::size_t timed_requests(const RouteRun& run) {
  return static_cast<std::size_t>(
      std::ranges::count_if(run.requests, [](const auto& request) { return request.duration >= 0; }));
}

void compare_route(const TwoSides& sides, const RoutePair& pair, const Surroundings& around, RouteDifference& out) {
  for (std::size_t side = 0; side < 2; ++side) {
    const RouteRun* const run = pair.routes[side];
    if (!run) continue;
    out.requests[side] = run->requests.size();
    const double seconds = sides[side]->run.seconds;
    out.per_second[side] = seconds > 0 ? static_cast<double>(run->requests.size()) / seconds : 0;
    out.facts[side] = sides[side]->facts[static_cast<std::size_t>(run - sides[side]->run.routes.data())];
    out.curve[side] = curve_of(std::span(&run, 1));
  }
  const char* const names[] = {"A", "B"};
  for (std::size_t side = 0; side < 2; ++side)
    if (out.requests[side] == 0) {
      out.missing = std::string("only ") + names[1 - side] + " has such requests";
      return;
    }
  for (std::size_t side = 0; side < 2; ++side)
    if (const std::size_t n = timed_requests(*pair.routes[side]); n < SideSample::kLeast) {
      out.missing = requests_text(n) + " of " + names[side] +
                    " with a duration: " + std::to_string(SideSample::kLeast) + " are needed";
      return;
    }
  contrast_route(pair, around, out);
}

void compare_routes(const TwoSides& sides, const Surroundings& around, Difference& out) {
  std::map<RouteName, std::array<const RouteRun*, 2>> pairs;
  for (std::size_t side = 0; side < 2; ++side)
    for (const RouteRun& route : sides[side]->run.routes)
      if (!route.requests.empty()) pairs[route.name][side] = &route;
  for (const auto& [name, runs] : pairs) {
    RouteDifference& route = out.routes.emplace_back();
    route.name = name;
    compare_route(sides, {{&sides[0]->run, &sides[1]->run}, runs}, around, route);
  }
  std::ranges::stable_sort(out.routes, [](const RouteDifference& x, const RouteDifference& y) {
    if (x.name.role != y.name.role) return x.name.role == model::Role::server;
    return x.requests[0] + x.requests[1] > y.requests[0] + y.requests[1];
  });
}

void compare_edges(const TwoSides& sides, Difference& out) {
  std::map<std::tuple<std::string, std::string, std::string>, EdgeDifference> edges;
  for (std::size_t side = 0; side < 2; ++side) {
    const model::Topology& t = sides[side]->topology;
    for (const model::TopologyCall& call : t.calls) {
      const std::string from = t.nodes[call.from].shown(), to = t.nodes[call.to].shown();
      EdgeDifference& edge = edges[{from, to, call.protocol}];
      edge.from = from;
      edge.to = to;
      edge.protocol = call.protocol;
      edge.calls[side] += call.calls.count + call.calls.incomplete;
      edge.failed[side] += call.calls.server_errors + call.calls.other_failures;
      edge.per_second[side] += call.calls.per_second;
      edge.p50[side] = call.calls.latency[0];
    }
  }
  for (auto& [key, edge] : edges) out.edges.push_back(std::move(edge));
  const auto one_sided = [](const EdgeDifference& e) { return e.calls[0] == 0 || e.calls[1] == 0; };
  std::ranges::stable_sort(out.edges, [&](const EdgeDifference& x, const EdgeDifference& y) {
    if (one_sided(x) != one_sided(y)) return one_sided(x);
    return x.calls[0] + x.calls[1] > y.calls[0] + y.calls[1];
  });
}

void compare_settings(const TwoSides& sides, Difference& out) {
  using Values = std::array<std::set<std::string>, 2>;
  std::map<std::pair<Setting::Kind, std::string>, Values> all;
  for (std::size_t side = 0; side < 2; ++side)
    for (const Setting& s : sides[side]->settings) all[{s.kind, s.name}][side].insert(s.value);
  // What one side has and the other has not.
  const auto own = [](const std::set<std::string>& values, const std::set<std::string>& others) {
    std::string text;
    for (const std::string& value : values)
      if (!others.contains(value)) text += (text.empty() ? "" : ", ") + value;
    return text;
  };
  for (const auto& [key, values] : all)
    if (values[0] != values[1])
      out.settings.push_back({key.first, key.second, own(values[0], values[1]), own(values[1], values[0])});
}

// B against A, as if A had served as many requests.
void compare_stacks(const TwoSides& sides, Difference& out) {
  if (sides[0]->stacks.empty() || sides[1]->stacks.empty() || sides[0]->served == 0) return;
  std::map<std::string, model::FoldedStack> stacks;
  const double scale = static_cast<double>(sides[1]->served) / static_cast<double>(sides[0]->served);
  for (const model::FoldedStack& s : sides[1]->stacks) stacks[s.frames] = {s.frames, s.value, 0};
  for (const model::FoldedStack& s : sides[0]->stacks) {
    model::FoldedStack& stack = stacks.try_emplace(s.frames, model::FoldedStack{s.frames, 0, 0}).first->second;
    stack.typical += static_cast<std::uint64_t>(std::llround(scale * static_cast<double>(s.value)));
  }
  out.flame.comparison = true;
  for (auto& [frames, stack] : stacks) out.flame.stacks.push_back(std::move(stack));
}

bool one_capture(const CaptureSide& a, const CaptureSide& b) {
  return a.part == b.part && a.events == b.events && a.run.requests == b.run.requests && a.run.begin == b.run.begin &&
         a.run.end == b.run.end;
}

}  // namespace

Difference diff(const CaptureSide& a, const CaptureSide& b) {
  Difference out;
  const TwoSides sides{&a, &b};
  out.sides = {summary_of(a), summary_of(b)};
  const bool same_id = !a.run.preamble.capture_id.empty() && a.run.preamble.capture_id == b.run.preamble.capture_id;
  out.same = same_id && one_capture(a, b);
  out.one_recording = same_id;
  compare_routes(sides, surroundings_of(out.sides[0], out.sides[1]), out);
  if (!out.same) mark_changes(out.routes);
  for (const RouteDifference& route : out.routes)
    out.compared +=
        static_cast<std::size_t>(std::ranges::count_if(route.metrics, [](const auto& c) { return c.known; }));
  rank_changes(out);
  compare_edges(sides, out);
  out.software = software_changes(std::span(&a.run, 1), std::span(&b.run, 1));
  compare_settings(sides, out);
  out.no_functions = no_functions(a.run, b.run);
  compare_stacks(sides, out);
  return out;
}

}  // namespace tailcap::compare
