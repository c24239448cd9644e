#include "analyze/compare/comparability.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "analyze/compare/software.h"
#include "analyze/compare/welch.h"
#include "analyze/model/sampling/sampling.h"
#include "analyze/model/study/cut_note.h"
#include "formats/printable.h"
#include "ground/text.h"

namespace tailcap::compare {
namespace {

using formats::printable;
using model::gate::Comparison;
using model::gate::Run;

constexpr double kMostLoad = 0.05;    // difference of the offered rates
constexpr double kMostMix = 0.10;     // share of requests that would have to be of other routes
constexpr double kMostStolen = 0.02;  // difference of the shares of CPU time that the hypervisor took
constexpr double kSomeStolen = 0.01;
constexpr std::size_t kEnoughRuns = 5;  // a side, to tell a difference between the sides from one between runs
constexpr double kByChance = 0.1;

using SideRuns = std::span<const Run>;

std::set<std::string> settings(SideRuns runs, const std::function<std::string(const Run&)>& of) {
  std::set<std::string> out;
  for (const Run& run : runs) out.insert(of(run));
  return out;
}

std::string listed(const std::set<std::string>& words) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : ", ") + (word.empty() ? "not known" : printable(word));
  return out;
}

std::string differ(const SideNames& names, const std::set<std::string>& base, const std::set<std::string>& fresh) {
  return listed(base) + " of " + names.base + ", " + listed(fresh) + " of " + names.fresh;
}

std::string rate(double per_second) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g/s", per_second);
  return text;
}

std::string note_of(const Run& run, std::string_view key) {
  for (const auto& [name, value] : run.preamble.notes)
    if (name == key) return value;
  return "";
}

void compare_machines(SideRuns base, SideRuns fresh, const SideNames& names, Comparison& out) {
  const auto one = [](const std::set<std::string>& b, const std::set<std::string>& n) {
    return b.size() == 1 && b == n && !b.begin()->empty();
  };
  const auto boot = [](const Run& r) { return r.preamble.boot_id; };
  const auto boots = settings(base, boot), fresh_boots = settings(fresh, boot);
  const bool same_boot = one(boots, fresh_boots);
  struct Fact {
    const char* name;
    std::function<std::string(const Run&)> of;
    bool machine;  // known to be equal where the boot is
  };
  const Fact facts[] = {
      {"host", [](const Run& r) { return r.preamble.host; }, true},
      {"kernel", [](const Run& r) { return r.preamble.kernel; }, true},
      {"architecture", [](const Run& r) { return r.preamble.architecture; }, true},
      {"number of CPUs", [](const Run& r) { return std::to_string(r.preamble.cpus); }, false},
      {"hook tier",
       [](const Run& r) { return std::string(1, "?abc"[std::min<int>(static_cast<int>(r.preamble.tier), 3)]); }, false},
  };
  for (const Fact& fact : facts) {
    if (fact.machine && same_boot) continue;
    const auto b = settings(base, fact.of), n = settings(fresh, fact.of);
    if (!one(b, n))
      out.obstacles.push_back("different environments: " + std::string(fact.name) + " " + differ(names, b, n));
  }
  // Recorders before this one did not say these, and most guests do not know the second.
  constexpr std::pair<const char*, const char*> kNoted[] = {{"CPU model", "tailcap.cpu.model"},
                                                            {"CPU governor", "tailcap.cpu.governor"}};
  for (const auto& [name, key] : kNoted) {
    const auto noted = [key = key](const Run& r) { return note_of(r, key); };
    auto b = settings(base, noted);
    auto n = settings(fresh, noted);
    b.erase("");
    n.erase("");
    if (b.empty() || n.empty() || (b == n && b.size() == 1)) continue;
    out.obstacles.push_back("different environments: " + std::string(name) + " " + differ(names, b, n));
  }
  if (boots.contains("") || fresh_boots.contains(""))
    out.remarks.push_back("whether the runs were recorded since one boot of one machine is not known");
  else if (!same_boot && out.obstacles.empty())
    out.remarks.push_back("the runs were not all recorded since one boot of one machine");
  const auto tool = [](const Run& r) { return r.preamble.tool_version; };
  if (settings(base, tool) != settings(fresh, tool))
    out.remarks.push_back("the sides were recorded by different versions of tailcap");
  const auto programs = [](const Run& r) {
    std::string all;
    for (const auto& p : r.preamble.programs) all += p + " ";
    return all;
  };
  if (settings(base, programs) != settings(fresh, programs))
    out.remarks.push_back("the sides were recorded with different probes, which cost the service different times");
}

// Shares of connections that differ make other counts, and intervals of other widths.
void compare_sampling(SideRuns base, SideRuns fresh, const SideNames& names, Comparison& out) {
  const auto share = [](const Run& run) {
    const model::Sampling sampling = model::sampling_of(run.preamble.notes);
    return sampling.mixed    ? std::string("several shares")
           : sampling.none   ? std::string("none")
           : sampling.some() ? "1 of " + std::to_string(sampling.of)
                             : std::string("all");
  };
  const auto b = settings(base, share), n = settings(fresh, share);
  if (b.size() > 1 || b != n || b.contains("several shares"))
    out.obstacles.push_back("different shares of connections are recorded: " + differ(names, b, n));
  else if (!b.contains("all"))
    out.remarks.push_back(listed(b) + " connections is recorded: counts and rates are of those");
}

void find_parts(SideRuns base, SideRuns fresh, Comparison& out) {
  std::size_t parts = 0;
  for (const SideRuns runs : {base, fresh})
    for (const Run& run : runs) parts += model::CutNote::from_notes(run.preamble.notes).has_value();
  if (parts > 0)
    out.obstacles.push_back((parts == 1 ? std::string("a capture holds") : std::to_string(parts) + " captures hold") +
                            " a part of the requests only, chosen by what they are (`tailcap cut`)");
}

// Runs that are one recording are not independent.
void find_doubles(SideRuns base, SideRuns fresh, Comparison& out) {
  std::set<std::string> ids;
  std::size_t doubles = 0;
  for (const SideRuns runs : {base, fresh})
    for (const Run& run : runs)
      doubles += !run.preamble.capture_id.empty() && !ids.insert(run.preamble.capture_id).second;
  if (doubles > 0)
    out.obstacles.push_back(doubles == 1 ? "a capture was given twice"
                                         : std::to_string(doubles) + " captures were given twice");
}

// Runs of both sides alternate, so time that the hypervisor takes now and then hits both sides alike: the sides differ
// no more than runs of one side do.
bool explained_by_chance(std::span<const double> base, std::span<const double> fresh) {
  return base.size() >= kEnoughRuns && fresh.size() >= kEnoughRuns && welch(base, fresh).p_two() > kByChance;
}

void compare_loss(SideRuns base, SideRuns fresh, Comparison& out) {
  std::uint64_t lost = 0;
  bool stepped[2] = {false, false};
  double stolen[2] = {0, 0}, wall[2] = {0, 0};
  std::vector<double> shares[2];
  bool known = true;
  for (int side = 0; side < 2; ++side)
    for (const Run& run : side == 0 ? base : fresh) {
      lost += run.lost;
      stepped[side] = stepped[side] || run.clock_stepped;
      known = known && run.stolen >= 0;
      const auto of_run = static_cast<double>(std::max<std::int64_t>(0, run.stolen));
      const double time = static_cast<double>(run.end - run.begin) * run.preamble.cpus;
      stolen[side] += of_run;
      wall[side] += time;
      shares[side].push_back(time > 0 ? of_run / time : 0);
    }
  std::size_t parts = 0;
  for (const SideRuns runs : {base, fresh})
    parts += static_cast<std::size_t>(std::count_if(runs.begin(), runs.end(), [](const Run& r) { return !r.whole; }));
  if (parts > 0)
    out.obstacles.push_back((parts == 1 ? "a capture is" : std::to_string(parts) + " captures are") +
                            std::string(" damaged, cut short, or not read to the end"));
  if (lost > 0) out.remarks.push_back(std::to_string(lost) + (lost == 1 ? " event was lost" : " events were lost"));
  if (stepped[0] != stepped[1]) out.obstacles.push_back("the clock was set during runs of one side only");
  if (!known || !(wall[0] > 0) || !(wall[1] > 0)) return;
  const double b = stolen[0] / wall[0], n = stolen[1] / wall[1];
  const std::string both = "the hypervisor took " + ground::share_text(b) + " of the CPU time from the base and " +
                           ground::share_text(n) + " from the new runs";
  if (std::abs(b - n) > kMostStolen && !explained_by_chance(shares[0], shares[1]))
    out.uneven.push_back(both);
  else if (std::abs(b - n) > kMostStolen)
    out.remarks.push_back(both + ", which differs no more than from run to run");
  else if (std::max(b, n) > kSomeStolen)
    out.remarks.push_back("the hypervisor took up to " + ground::share_text(std::max(b, n)) + " of the CPU time");
}

// Half the sum of the differences of the shares. For what was served, if anything was, but for what recorded requests
// asked for: calls are no load.
double mix_difference(SideRuns base, SideRuns fresh) {
  bool served = false;
  for (const SideRuns runs : {base, fresh})
    for (const Run& run : runs)
      for (const auto& route : run.routes) served = served || route.name.role == model::Role::server;
  const auto load = [&](const model::gate::RouteRun& route) {
    return served == (route.name.role == model::Role::server);
  };
  const auto offered = [](const model::gate::RouteRun& route) {
    return static_cast<double>(route.requests.size() - std::min<std::size_t>(route.requests.size(), route.called));
  };
  std::map<model::gate::RouteName, double> shares;
  const auto add = [&](SideRuns runs, double sign) {
    double all = 0;
    for (const Run& run : runs)
      for (const auto& route : run.routes)
        if (load(route)) all += offered(route);
    for (const Run& run : runs)
      for (const auto& route : run.routes)
        if (all > 0 && load(route)) shares[route.name] += sign * offered(route) / all;
  };
  add(base, 1);
  add(fresh, -1);
  double sum = 0;
  for (const auto& [name, share] : shares) sum += std::abs(share);
  return sum / 2;
}

std::size_t closed_loops(SideRuns runs) {
  return static_cast<std::size_t>(std::count_if(runs.begin(), runs.end(), [](const Run& r) { return r.closed_loop; }));
}

// What most runs of a side were. On a busy machine an open loop is late at times, and sends each request at once after
// the answer before it, as a closed loop does.
void compare_load(SideRuns base, SideRuns fresh, const SideNames& names, Comparison& out) {
  const std::size_t b = closed_loops(base), n = closed_loops(fresh);
  const bool b_closed = 2 * b > base.size(), n_closed = 2 * n > fresh.size();
  const auto loop = [](bool closed) { return std::string(closed ? "a closed loop of " : "an open loop of "); };
  out.closed_loop = b_closed && n_closed;
  if (b_closed != n_closed)
    out.uneven.push_back("different load: " + loop(b_closed) + names.base + ", " + loop(n_closed) + names.fresh);
  else if (!out.closed_loop && b + n > 0)
    out.remarks.push_back("the load of " + std::to_string(b + n) + " of " + std::to_string(base.size() + fresh.size()) +
                          " runs came as a closed loop does: the load was late there");
  if (out.closed_loop)
    out.remarks.push_back(
        "the load is a closed loop: it slows down with the service, so slow periods are under-sampled and the rate is "
        "no offered rate");
  else if (b_closed == n_closed && out.base_rate > 0 && out.fresh_rate > 0 &&
           std::abs(out.fresh_rate - out.base_rate) > kMostLoad * std::max(out.base_rate, out.fresh_rate))
    out.uneven.push_back("different load: " + rate(out.base_rate) + " of " + names.base + ", " + rate(out.fresh_rate) +
                         " of " + names.fresh + "; more than 5 % apart");
  const auto none = [](SideRuns runs) {
    return std::all_of(runs.begin(), runs.end(), [](const Run& r) { return r.requests == 0; });
  };
  if (none(base) != none(fresh))
    out.obstacles.push_back("different load: no requests of " + (none(base) ? names.base : names.fresh));
  else if (const double mix = mix_difference(base, fresh); mix > kMostMix)
    out.obstacles.push_back("different mix of routes: " + ground::share_text(mix) +
                            " of the requests are of other routes");
}

void compare_versions(SideRuns base, SideRuns fresh, Comparison& out) {
  const auto version = [](const Run& r) {
    for (auto note = r.preamble.notes.rbegin(); note != r.preamble.notes.rend(); ++note)
      if (note->first == "version") return note->second;
    return std::string();
  };
  const auto b = settings(base, version), n = settings(fresh, version);
  if (out.options.self) {
    out.same_version = "the base";
    return;
  }
  if (b.size() == 1 && b == n && !b.begin()->empty()) {
    out.same_version = "version " + printable(*b.begin());
    return;
  }
  if (b == n && b.size() > 1) out.remarks.push_back("both sides hold the versions " + listed(b));
  const auto builds = [](const Run& r) {
    std::set<std::string> ids;
    for (const auto& [file, of_file] : r.software.build_ids) ids.insert(of_file.begin(), of_file.end());
    std::string all;
    for (const std::string& id : ids) all += id + " ";
    return all;
  };
  const auto old_builds = settings(base, builds), new_builds = settings(fresh, builds);
  if (b == n && old_builds == new_builds && old_builds.size() == 1 && !old_builds.begin()->empty())
    out.remarks.push_back(
        "both sides answer with equal builds; an interpreter or a changed configuration keeps its build. "
        "`--note version=…` says what was recorded");
}

}  // namespace

bool interleaved(SideRuns base, SideRuns fresh) {
  std::vector<std::pair<std::int64_t, int>> order;
  for (const Run& run : base) order.emplace_back(run.begin, 0);
  for (const Run& run : fresh) order.emplace_back(run.begin, 1);
  if (base.empty() || fresh.empty() || std::any_of(order.begin(), order.end(), [](auto& r) { return r.first == 0; }))
    return false;
  std::sort(order.begin(), order.end());
  // ABBAABBA: at most two of a side in a row, and both sides in the middle; more where a side has more runs.
  const double kb = static_cast<double>(base.size()), kn = static_cast<double>(fresh.size());
  const std::size_t most = 2 * static_cast<std::size_t>(std::ceil(std::max(kb, kn) / std::min(kb, kn)));
  std::size_t streak = 0;
  double places[2] = {0, 0};
  for (std::size_t i = 0; i < order.size(); ++i) {
    streak = i > 0 && order[i].second == order[i - 1].second ? streak + 1 : 1;
    if (streak > most) return false;
    places[order[i].second] += static_cast<double>(i);
  }
  // ABAB: one place apart.
  const double apart = std::abs(places[0] / kb - places[1] / kn);
  return order.size() == 2 || apart <= std::max(1.0, static_cast<double>(order.size()) / 6);
}

void compare_sides(SideRuns base, SideRuns fresh, Comparison& out, const SideNames& names) {
  out.base_runs = base.size();
  out.fresh_runs = fresh.size();
  std::uint64_t base_requests = 0, fresh_requests = 0;
  for (const Run& run : base) out.base_seconds += run.seconds, base_requests += run.requests;
  for (const Run& run : fresh) out.fresh_seconds += run.seconds, fresh_requests += run.requests;
  if (out.base_seconds > 0) out.base_rate = static_cast<double>(base_requests) / out.base_seconds;
  if (out.fresh_seconds > 0) out.fresh_rate = static_cast<double>(fresh_requests) / out.fresh_seconds;
  out.interleaved = interleaved(base, fresh);
  if (base.empty() || fresh.empty()) {
    out.obstacles.push_back("a side has no runs");
    return;
  }
  find_doubles(base, fresh, out);
  compare_machines(base, fresh, names, out);
  compare_sampling(base, fresh, names, out);
  find_parts(base, fresh, out);
  compare_loss(base, fresh, out);
  compare_load(base, fresh, names, out);
  compare_versions(base, fresh, out);
  if (!out.options.self) out.software = software_changes(base, fresh);
}

}  // namespace tailcap::compare
