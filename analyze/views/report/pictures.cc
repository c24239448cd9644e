#include "analyze/views/report/pictures.h"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "analyze/flame/svg.h"
#include "analyze/model/label_group.h"
#include "analyze/query/route_filter.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "analyze/views/flame/request_samples.h"
#include "analyze/views/flame/stacks.h"

namespace tailcap::views {
namespace {

constexpr std::size_t kTriggers = 5;   // explained: each reads the capture again
constexpr std::size_t kRequests = 12;  // with a picture of their own

// Nothing where there is nothing to show.
FlameResult flame_or_nothing(const std::string& file, const FlameChoice& choice) {
  try {
    return flame_of(file, choice);
  } catch (const std::runtime_error&) {
    return {};
  }
}

const model::RouteStudy* first_served(const model::Study& study) {
  const model::RouteStudy* first = nullptr;
  for (const auto& route : study.routes) {
    if (route.role != model::Role::server || route.count == 0) continue;
    if (route.tail && route.tail->verdict.level > model::Level::note) return &route;
    if (!first) first = &route;
  }
  return first;
}

void add_slow(const std::string& file, const model::Study& study, model::Figures& figures) {
  const model::RouteStudy* const route = first_served(study);
  if (!route || route->method.empty() || route->route.empty()) return;
  FlameChoice choice;
  choice.title = report::printable(route->method + " " + route->route);
  choice.requests.filters.emplace_back(query::route_expression(route->method + " " + route->route));
  if (route->route.find('{') != route->route.npos) choice.requests.routes = {route->route};
  choice.cohort = FlameRequests::slow;
  FlameResult result = flame_or_nothing(file, choice);
  if (result.flame.stacks.empty()) {
    choice.cohort = FlameRequests::all;
    result = flame_or_nothing(file, choice);
  }
  std::string image = flame::snapshot(result.flame);
  if (image.empty()) return;
  figures.drawn.push_back(
      {"flame-slow",
       "Where the processors' time went in " +
           std::string(choice.cohort == FlameRequests::slow ? "the slowest requests" : "the requests") + " of " +
           report::shortened(report::route_title(*route), 80) + ": " + result.flame.subtitle +
           ". With search and zoom: tailcap flame FILE --route '" + choice.title + "'" +
           (choice.cohort == FlameRequests::slow ? " --cohort slow" : "") + " -o OUT.svg",
       std::nullopt, std::move(image)});
}

void add_requests(const std::string& file, const pipeline::Analysis& analysis, model::Figures& figures) {
  FlameChoice choice;
  choice.by_request = true;
  const auto want = [&](std::uint32_t row) {
    const model::ExchangeId id = analysis.table.rows.id(row);
    if (choice.ids.size() < kRequests && analysis.table.rows.role(row) == model::Role::server &&
        std::find(choice.ids.begin(), choice.ids.end(), id) == choice.ids.end())
      choice.ids.push_back(id);
  };
  for (const auto& route : analysis.study.routes)
    if (route.tail)
      for (const auto& e : route.tail->exemplars) want(e.row);
  for (const std::uint32_t row : analysis.study.slowest) want(row);
  if (choice.ids.empty()) return;
  std::sort(choice.ids.begin(), choice.ids.end());
  for (auto& [id, stacks] : flame_or_nothing(file, choice).by_request) {
    model::Flame flame;
    flame.stacks = std::move(stacks);
    const model::RequestSamples sum = sum_of(flame.stacks);
    const std::string name = report::id_text(id);
    figures.drawn.push_back({"samples-" + name,
                             name + ": " + report::count_text(sum.count, "sample", "samples") +
                                 " of the CPU, innermost most often " + report::shortened(sum.top, 80) + " (" +
                                 report::share_text(sum.of_top, sum.count) +
                                 "). With search and zoom: tailcap flame FILE " + name + " -o OUT.svg",
                             std::nullopt, flame::snapshot(flame)});
  }
}

}  // namespace

void explain_triggers(const std::string& file, pipeline::Analysis& analysis) {
  auto& triggers = analysis.study.triggers;
  for (std::size_t i = 0; i < std::min(triggers.size(), kTriggers); ++i) {
    model::Trigger& t = triggers[i];
    const bool computing = t.labelled && model::group_of(t.label) == model::LabelGroup::cpu;
    if (t.requests.empty() || (computing && analysis.study.quality.samples == 0)) continue;
    FlameChoice choice;
    choice.ids = t.requests;
    std::sort(choice.ids.begin(), choice.ids.end());
    choice.off_cpu = t.waiting = !computing;
    const model::RequestSamples sum = sum_of(flame_or_nothing(file, choice).flame.stacks);
    t.stack = sum.stack;
    t.samples = sum.count;
    t.of_stack = sum.of_stack;
  }
}

void add_flames(const std::string& file, const pipeline::Analysis& analysis, model::Figures& figures) {
  if (analysis.study.quality.samples == 0) return;
  add_slow(file, analysis.study, figures);
  add_requests(file, analysis, figures);
}

}  // namespace tailcap::views
