#include "analyze/views/report/pictures.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "analyze/flame/svg.h"
#include "analyze/model/label_group.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "analyze/views/flame/hot_function.h"

namespace tailcap::views {
namespace {

constexpr std::size_t kTriggers = 5;   // explained
constexpr std::size_t kRequests = 12;  // with a picture of their own
constexpr std::size_t kRoutes = 50;    // whose functions are named

// Said of a picture where the memory for stacks was full before the end of the capture.
std::string not_held(const RequestStacks& stacks) {
  const std::uint64_t n = stacks.left_out(formats::SampleKind::on_cpu);
  return n == 0 ? ""
                : "; the last " + report::count_text(n, "sample", "samples") +
                      " of the recording left out: too many for the memory set aside for them";
}

// It compares or describes requests that ended.
bool of_ended(const model::Verdict& v) {
  return v.kind == model::VerdictKind::tail || v.kind == model::VerdictKind::usual || v.kind == model::VerdictKind::few;
}

// What a thread is blocked in that has this part of a request's time; none: it is no wait, or may be any.
std::vector<model::Blocked> blocked_in(const model::VerdictPart& part) {
  using model::Blocked;
  switch (model::group_of(part.label)) {
    case model::LabelGroup::lock:
      if (part.label == model::Label::lock_session) return {Blocked::poll, Blocked::poll_one, Blocked::input};
      return {Blocked::futex, Blocked::file_lock};
    case model::LabelGroup::sleep:
      return {Blocked::sleep};
    case model::LabelGroup::downstream:
      return {Blocked::poll, Blocked::poll_one, Blocked::input, Blocked::output, Blocked::connect};
    case model::LabelGroup::io:
      return {Blocked::disk, Blocked::fault, Blocked::kernel, Blocked::input, Blocked::output};
    case model::LabelGroup::queue:
      if (part.label == model::Label::q_pool) return {Blocked::futex, Blocked::poll, Blocked::poll_one, Blocked::sleep};
      return {};
    default:
      return {};
  }
}

// Names the function of the first part that is a wait, if it is known where most of that time was spent.
void name_wait(const RequestStacks& stacks, const pipeline::Analysis& analysis, model::RouteStudy& route,
               const FlameChoice& choice) {
  model::Verdict& v = route.tail->verdict;
  for (std::uint32_t i = 0; i < v.parts.size(); ++i) {
    const auto blocked = blocked_in(v.parts[i]);
    if (blocked.empty()) continue;
    const auto found = stacks.waits_of_route(analysis.table.texts, route.method, route.route, choice, blocked);
    std::int64_t time = 0;
    for (const StackedWait& wait : found.waits) time += wait.time;
    const std::int64_t most = v.parts[i].slow * static_cast<std::int64_t>(found.requests);
    if (found.requests == 0 || 2 * time <= most || time > 2 * most) return;  // other waits than these
    v.waiting = waiting_function(found.waits);
    v.waiting_part = i;
    return;
  }
}

// … and they were on a CPU for a part of their time.
bool computes(const model::Verdict& v) {
  return of_ended(v) && std::ranges::any_of(v.parts, [](const model::VerdictPart& part) {
           const model::LabelGroup group = model::group_of(part.label);
           return group == model::LabelGroup::cpu || group == model::LabelGroup::scheduler;
         });
}

const model::RouteStudy* first_served(const model::Study& study) {
  const model::RouteStudy* first = nullptr;
  for (const auto& route : study.routes) {
    if (route.role != model::Role::server || route.count == 0) continue;
    if (route.tail && route.tail->verdict.level > model::VerdictLevel::note) return &route;
    if (!first) first = &route;
  }
  return first;
}

void add_slow(const RequestStacks& stacks, const pipeline::Analysis& analysis, model::PlotSet& figures) {
  const model::RouteStudy* const route = first_served(analysis.study);
  if (!route || route->method.empty() || route->route.empty()) return;
  FlameChoice choice;
  choice.title = report::printable(route->method + " " + route->route);
  choice.cohort = FlameRequests::slow;
  FlameResult result = stacks.of_route(analysis.table.texts, route->method, route->route, choice);
  if (result.flame.stacks.empty()) {
    choice.cohort = FlameRequests::all;
    result = stacks.of_route(analysis.table.texts, route->method, route->route, choice);
  }
  std::string image = flame::snapshot(result.flame);
  if (image.empty()) return;
  figures.drawn.push_back(
      {"flame-slow",
       "Where the processors' time went in " +
           std::string(choice.cohort == FlameRequests::slow ? "the slowest requests" : "the requests") + " of " +
           report::shortened(report::route_title(*route), 80) + ": " + result.flame.subtitle + not_held(stacks) +
           ". With search and zoom: tailcap flame FILE --route '" + choice.title + "'" +
           (choice.cohort == FlameRequests::slow ? " --cohort slow" : "") + " -o OUT.svg",
       std::nullopt, std::move(image)});
}

void add_requests(const RequestStacks& stacks, const pipeline::Analysis& analysis, model::PlotSet& figures) {
  std::vector<model::ExchangeId> ids;
  const auto want = [&](std::uint32_t row) {
    const model::ExchangeId id = analysis.table.rows.id(row);
    if (ids.size() < kRequests && analysis.table.rows.role(row) == model::Role::server &&
        std::find(ids.begin(), ids.end(), id) == ids.end())
      ids.push_back(id);
  };
  for (const auto& route : analysis.study.routes)
    if (route.tail)
      for (const auto& e : route.tail->exemplars) want(e.row);
  for (const std::uint32_t row : analysis.study.slowest) want(row);
  std::sort(ids.begin(), ids.end());
  for (const model::ExchangeId id : ids) {
    model::Flame flame;
    flame.stacks = stacks.of({&id, 1}, formats::SampleKind::on_cpu);
    if (flame.stacks.empty()) continue;
    const model::RequestSamples sum = sum_of(flame.stacks);
    const std::string name = report::id_text(id);
    figures.drawn.push_back({"samples-" + name,
                             name + ": " + report::count_text(sum.count, "sample", "samples") +
                                 " of the CPU, innermost most often " + report::shortened(sum.top, 80) + " (" +
                                 report::share_text(sum.of_top, sum.count) + ")" + not_held(stacks) +
                                 ". With search and zoom: tailcap flame FILE " + name + " -o OUT.svg",
                             std::nullopt, flame::snapshot(flame)});
  }
}

}  // namespace

void explain_triggers(const RequestStacks& stacks, pipeline::Analysis& analysis) {
  auto& triggers = analysis.study.triggers;
  for (std::size_t i = 0; i < std::min(triggers.size(), kTriggers); ++i) {
    model::Trigger& t = triggers[i];
    const bool computing = t.labelled && model::group_of(t.label) == model::LabelGroup::cpu;
    if (t.requests.empty() || (computing && analysis.study.quality.samples == 0)) continue;
    t.waiting = !computing;
    const auto kind = computing ? formats::SampleKind::on_cpu : formats::SampleKind::off_cpu;
    if (stacks.left_out(kind) > 0) continue;  // of some of them it may not be known; the command says so
    const model::RequestSamples sum = sum_of(stacks.of(t.requests, kind));
    t.stack = sum.stack;
    t.samples = sum.count;
    t.of_stack = sum.of_stack;
  }
}

void name_functions(const RequestStacks& stacks, pipeline::Analysis& analysis) {
  const bool sampled = analysis.study.quality.samples > 0 && stacks.left_out(formats::SampleKind::on_cpu) == 0;
  std::size_t named = 0;
  for (std::uint32_t i = 0; i < analysis.study.routes.size() && named < kRoutes; ++i) {
    model::RouteStudy& route = analysis.study.routes[i];
    if (!route.tail || !of_ended(route.tail->verdict) || route.role != model::Role::server || route.name_shared)
      continue;
    ++named;
    FlameChoice choice;
    model::Verdict& verdict = route.tail->verdict;
    if (verdict.kind == model::VerdictKind::tail) choice.cohort = FlameRequests::slow;
    if (sampled && computes(verdict))
      verdict.function =
          hot_function(stacks.of_route(analysis.table.texts, route.method, route.route, choice).flame.stacks);
    name_wait(stacks, analysis, route, choice);
    for (model::Verdict& v : analysis.study.verdicts)
      if (v.scope == model::VerdictScope::route && v.kind == verdict.kind && v.routes.size() == 1 &&
          v.routes.front() == i) {
        v.function = verdict.function;
        v.waiting = verdict.waiting;
        v.waiting_part = verdict.waiting_part;
      }
  }
}

void add_flames(const RequestStacks& stacks, const pipeline::Analysis& analysis, model::PlotSet& figures) {
  if (analysis.study.quality.samples == 0) return;
  add_slow(stacks, analysis, figures);
  add_requests(stacks, analysis, figures);
}

}  // namespace tailcap::views
