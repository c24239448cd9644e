#include "analyze/views/compare/functions.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "analyze/model/sampling/budget.h"
#include "analyze/model/sampling/sample_rate.h"
#include "analyze/views/flame/frames.h"
#include "formats/printable.h"

namespace tailcap::views {
namespace {

using model::gate::RouteRun;
using model::gate::Run;

std::string without_line(std::string_view frame) {
  return of_script(frame) ? std::string(frame.substr(0, frame.rfind(':'))) + ")" : std::string(frame);
}

std::string missing_of(const RequestStacks& stacks, const formats::Preamble& preamble, std::int64_t period) {
  if (std::ranges::any_of(preamble.notes, [](const auto& note) { return note.first == model::kBudgetNote; }))
    return "recorded with --budget, which may have stopped taking samples";
  if (stacks.left_out(formats::SampleKind::on_cpu) > 0) return "it has more samples than are read";
  if (period == 0) return "it does not say how often samples were taken";
  return {};
}

}  // namespace

ProgramFunction program_function(std::string_view stack) {
  const std::vector<std::string_view> frames = frames_of(stack);
  const bool script = std::ranges::any_of(frames, of_script);
  ProgramFunction out;
  for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
    if (!of_application(*frame, script)) continue;
    if (!out.name.empty()) {
      out.caller = without_line(*frame);
      break;
    }
    out.name = without_line(*frame);
  }
  return out;
}

void read_functions(const RequestStacks& stacks, Run& run) {
  run.sampling.any = stacks.samples();
  if (!run.sampling.any) return;
  const std::uint32_t rate = model::sample_rate(run.preamble);
  run.sampling.period = rate == 0 ? 0 : 1'000'000'000 / rate;
  run.sampling.undecided = stacks.undecided_samples();
  run.sampling.missing = missing_of(stacks, run.preamble, run.sampling.period);
  for (RouteRun& route : run.routes) {
    if (route.name.role != model::Role::server) continue;
    std::vector<model::ExchangeId> ids;
    for (const auto& request : route.requests) ids.push_back(request.id);
    std::map<std::pair<std::string, std::string>, std::uint64_t> functions;
    for (const model::FoldedStack& stack : stacks.of(ids, formats::SampleKind::on_cpu)) {
      route.samples += stack.value;
      ProgramFunction function = program_function(stack.frames);
      if (!function.name.empty()) functions[{std::move(function.name), std::move(function.caller)}] += stack.value;
    }
    for (const auto& [function, samples] : functions)
      route.functions.push_back({function.first, function.second, samples});
  }
}

}  // namespace tailcap::views
