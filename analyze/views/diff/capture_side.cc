#include "analyze/views/diff/capture_side.h"

#include <algorithm>
#include <set>

#include "analyze/compare/sides/diff.h"
#include "analyze/views/compare/run_of.h"
#include "analyze/views/flame/request_stacks.h"
#include "analyze/views/topology/topology.h"
#include "formats/sample.h"

namespace tailcap::views {
namespace {

using model::difference::CaptureSide;
using model::difference::ReportedRoute;
using model::difference::Setting;
using SettingKind = Setting::Kind;

// A route of the report.
const model::RouteStudy* study_of(const model::gate::RouteName& name, const model::Study& study) {
  for (const model::RouteStudy& r : study.routes)
    if (r.role == name.role && r.method == name.method && r.route == name.route && r.comm == name.comm) return &r;
  return nullptr;
}

ReportedRoute facts_of(const model::RouteStudy& route, const model::RequestTable& table) {
  ReportedRoute out;
  for (std::size_t i = 0; i < model::kQuantiles.size(); ++i) {
    if (model::kQuantiles[i] == 0.50) out.p50 = route.latency[i];
    if (model::kQuantiles[i] == 0.99) out.p99 = route.latency[i];
  }
  for (const model::TimePoint& point : route.over_time)
    out.over_time.push_back(point.count > 0 ? point.p50.count() : -1);
  if (!route.slowest.empty()) {
    out.slowest = table.rows.id(route.slowest.front());
    out.longest = table.rows.duration(route.slowest.front()).count();
  }
  return out;
}

// The options of the recorder, without what names this recording only.
void add_recorder_options(const formats::Preamble& preamble, std::vector<Setting>& out) {
  const std::set<std::string> own = {"-o", "--output", "-p", "--pid", "-d", "--duration", "--note"};
  bool value_of_own = false;
  const auto& words = preamble.command_line;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (value_of_own) {
      value_of_own = false;
      continue;
    }
    value_of_own = own.contains(word);
    if (value_of_own || !word.starts_with("-") || own.contains(word.substr(0, word.find('=')))) continue;
    const bool valued = i + 1 < words.size() && !words[i + 1].starts_with("-");
    out.push_back({SettingKind::recorder, "options", valued ? word + " " + words[i + 1] : word});
  }
}

std::vector<Setting> settings_of(const model::Quality& quality) {
  const formats::Preamble& p = quality.preamble;
  std::vector<Setting> out = {{SettingKind::machine, "host", p.host},
                              {SettingKind::machine, "kernel", p.kernel},
                              {SettingKind::machine, "architecture", p.architecture},
                              {SettingKind::machine, "CPUs", std::to_string(p.cpus)},
                              {SettingKind::machine, "boot", p.boot_id},
                              {SettingKind::recorder, "tailcap", p.tool_version},
                              {SettingKind::recorder, "hook tier", formats::name_of(p.tier)},
                              {SettingKind::recorder, "payload", std::to_string(p.payload_limit) + " bytes"}};
  add_recorder_options(p, out);
  for (const std::string& program : p.programs) out.push_back({SettingKind::recorder, "hooks", program});
  for (const auto& [key, value] : p.notes) {
    if (key == "tailcap.cpu.model") out.push_back({SettingKind::machine, "CPU model", value});
    if (key == "tailcap.cpu.governor") out.push_back({SettingKind::machine, "CPU governor", value});
    if (!key.starts_with("tailcap.")) out.push_back({SettingKind::note, key, value});
  }
  for (const model::ProcessSummary& process : quality.processes)
    if (!process.command_line.empty()) out.push_back({SettingKind::program, process.comm, process.command_line});
  std::erase_if(out, [](const Setting& s) { return s.value.empty(); });
  return out;
}

void read_stacks(const RequestStacks& stacks, const model::gate::Run& run, CaptureSide& side) {
  std::vector<model::ExchangeId> ids;
  for (const auto& route : run.routes)
    if (route.name.role == model::Role::server)
      for (const auto& request : route.requests) ids.push_back(request.id);
  side.served = ids.size();
  side.stacks = stacks.of(ids, formats::SampleKind::on_cpu);
}

double under_way(const model::gate::Run& run) {
  double served = 0, made = 0;
  for (const auto& route : run.routes)
    for (const auto& request : route.requests)
      (route.name.role == model::Role::server ? served : made) +=
          static_cast<double>(std::max<std::int64_t>(0, std::max(request.duration, request.at_least)));
  return run.seconds > 0 ? (served > 0 ? served : made) / 1e9 / run.seconds : 0;
}

}  // namespace

CaptureSideRead read_side(const std::string& path, pipeline::Options options, std::string part) {
  CaptureSideRead out;
  CaptureSide& side = out.side;
  side.part = std::move(part);
  const auto further = [&](const pipeline::Analysis& analysis, const RequestStacks& stacks,
                           const model::gate::Run& run) {
    for (const auto& route : run.routes) {
      const model::RouteStudy* const study = study_of(route.name, analysis.study);
      side.facts.push_back(study ? facts_of(*study, analysis.table) : ReportedRoute{});
    }
    side.topology = topology_of(analysis);
    read_stacks(stacks, run, side);
    side.settings = settings_of(analysis.study.quality);
    side.events = analysis.study.quality.events;
    side.under_way = under_way(run);
    out.damaged = analysis.damaged;
  };
  RunRead read = read_run(path, std::move(options), 0.0, further);
  side.run = std::move(read.run);
  out.wrong = std::move(read.wrong);
  return out;
}

model::difference::Difference difference_of(CaptureSideRead& a, CaptureSideRead& b) {
  name_routes({&a.side.run, &b.side.run});
  return compare::diff(a.side, b.side);
}

}  // namespace tailcap::views
