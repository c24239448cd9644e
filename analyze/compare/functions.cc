#include "analyze/compare/functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>

#include "analyze/compare/several_tests.h"

namespace tailcap::compare {
namespace {

using model::gate::Comparison;
using model::gate::FunctionComparison;
using model::gate::FunctionRow;
using model::gate::FunctionSamples;
using model::gate::GateEstimate;
using model::gate::Metric;
using model::gate::RouteComparison;
using model::gate::RouteRun;
using model::gate::Run;

using Sides = std::array<const std::vector<const Run*>*, 2>;

constexpr std::size_t kMostRows = 50;
constexpr double kLeastTime = 50'000, kLeastShare = 0.01;  // ns; of the mean duration of the route's requests

// The samples of one function, by side and run; and of those that one caller called.
struct Counted {
  std::array<std::vector<double>, 2> runs;
  std::array<std::uint64_t, 2> samples{};
  std::map<std::string, std::array<double, 2>> per_request;  // by caller: sums of the runs' means, ns
};

struct RouteSamples {
  std::array<std::vector<const RouteRun*>, 2> runs;
  std::map<std::string, Counted> functions;
};

// Empty: not every run has requests of the route.
RouteSamples samples_of(const RouteComparison& route, const Sides& sides) {
  RouteSamples out;
  for (std::size_t side = 0; side < 2; ++side)
    for (const Run* run : *sides[side]) {
      const auto at = std::ranges::find(run->routes, route.name, &RouteRun::name);
      if (at == run->routes.end() || at->requests.empty()) return {};
      out.runs[side].push_back(&*at);
    }
  for (std::size_t side = 0; side < 2; ++side)
    for (std::size_t i = 0; i < out.runs[side].size(); ++i) {
      const RouteRun& run = *out.runs[side][i];
      const double each =
          static_cast<double>((*sides[side])[i]->sampling.period) / static_cast<double>(run.requests.size());
      for (const FunctionSamples& f : run.functions) {
        Counted& counted = out.functions[f.name];
        for (std::size_t s = 0; s < 2; ++s) counted.runs[s].resize(out.runs[s].size());
        counted.runs[side][i] += static_cast<double>(f.samples);
        counted.samples[side] += f.samples;
        counted.per_request[f.caller][side] += each * static_cast<double>(f.samples);
      }
    }
  return out;
}

// CPU time a request. Chance within a run alone makes the variance of a count, of one sample at least.
RunValue value_of(double samples, const RouteRun& route, const Run& run) {
  const double period = static_cast<double>(run.sampling.period), n = static_cast<double>(route.requests.size());
  RunValue out;
  out.known = true;
  out.value = out.level = samples * period / n;
  out.floor = std::max(1.0, samples) * period * period / (n * n);
  return out;
}

// As main_caller() takes them.
std::map<std::string, std::array<double, 2>> means_of(const Counted& counted, const RouteSamples& route) {
  std::map<std::string, std::array<double, 2>> out = counted.per_request;
  for (auto& [caller, sums] : out)
    for (std::size_t side = 0; side < 2; ++side) sums[side] /= static_cast<double>(route.runs[side].size());
  return out;
}

// Why nothing is compared.
std::string missing_of(const Sides& sides, const Comparison& c) {
  const char* const names[] = {"the base", "the new version"};
  for (std::size_t side = 0; side < 2; ++side)
    for (const Run* run : *sides[side]) {
      if (!run->sampling.any)
        return run->file + " of " + names[side] +
               " has no samples (`tailcap record` takes them, but not with --no-sample)";
      if (!run->sampling.missing.empty()) return run->file + ": " + run->sampling.missing;
    }
  if (!c.obstacles.empty()) return "the sides are not comparable";
  if (!c.uneven.empty()) return "times are not comparable";
  for (std::size_t side = 0; side < 2; ++side)
    if (sides[side]->size() < c.options.min_runs)
      return std::string(names[side]) + " has " + std::to_string(sides[side]->size()) + " of the " +
             std::to_string(c.options.min_runs) + " runs that are needed: how runs vary is not known";
  return {};
}

void add_route(std::size_t place, const Sides& sides, Pairs pairs, Comparison& out) {
  const RouteSamples route = samples_of(out.routes[place], sides);
  for (const auto& [name, counted] : route.functions) {
    if (counted.samples[0] + counted.samples[1] < kLeastSamples) continue;
    std::array<std::vector<RunValue>, 2> of;
    double slack = 0;
    for (std::size_t side = 0; side < 2; ++side)
      for (std::size_t i = 0; i < route.runs[side].size(); ++i) {
        const RouteRun& runs_route = *route.runs[side][i];
        const Run& run = *(*sides[side])[i];
        of[side].push_back(value_of(counted.runs[side][i], runs_route, run));
        slack = std::max(slack, value_of(static_cast<double>(run.sampling.undecided), runs_route, run).value);
      }
    const Metric time{Metric::Kind::label, static_cast<std::uint8_t>(model::gate::kNoAccount)};
    FunctionRow row{place,
                    name,
                    main_caller(means_of(counted, route)),
                    counted.samples[0],
                    counted.samples[1],
                    1,
                    estimate(time, of[0], of[1], out.options.level, pairs)};
    row.estimate.slack = slack;
    if (row.estimate.known) out.functions.rows.push_back(std::move(row));
  }
}

}  // namespace

std::string main_caller(const std::map<std::string, std::array<double, 2>>& by_caller) {
  double all = 0;
  for (const auto& [caller, times] : by_caller) all += times[1] - times[0];
  for (const auto& [caller, times] : by_caller)
    if (const double change = times[1] - times[0]; change * all > 0 && std::abs(change) > std::abs(all) / 2)
      return caller;
  return {};
}

bool worth_a_function(double size, double mean) { return size >= std::max(kLeastTime, kLeastShare * mean); }

void compare_functions(const std::vector<const Run*>& base, const std::vector<const Run*>& fresh, Pairs pairs,
                       Comparison& out) {
  FunctionComparison& all = out.functions;
  const Sides sides = {&base, &fresh};
  for (std::size_t side = 0; side < 2; ++side)
    for (const Run* run : *sides[side]) {
      all.sampled = all.sampled || run->sampling.any;
      for (const RouteRun& route : run->routes) (side == 0 ? all.base_samples : all.fresh_samples) += route.samples;
    }
  if (!all.sampled) return;
  all.missing = missing_of(sides, out);
  if (!all.missing.empty()) return;
  for (std::size_t i = 0; i < out.routes.size(); ++i)
    if (out.routes[i].absent.empty() && out.routes[i].name.role == model::Role::server) add_route(i, sides, pairs, out);
  all.compared = all.rows.size();
  std::vector<double> p;
  for (const FunctionRow& row : all.rows) p.push_back(row.estimate.p_two);
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0; i < all.rows.size(); ++i) {
    FunctionRow& row = all.rows[i];
    row.p_holm = adjusted[i];
    row.estimate.noticed =
        row.p_holm < out.options.level && sure(row.estimate) &&
        worth_a_function(std::abs(row.estimate.difference), static_cast<double>(out.routes[row.route].all.base));
  }
  std::ranges::stable_sort(all.rows, [](const FunctionRow& x, const FunctionRow& y) {
    if (x.estimate.noticed != y.estimate.noticed) return x.estimate.noticed;
    return std::abs(x.estimate.difference) > std::abs(y.estimate.difference);
  });
  if (all.rows.size() > kMostRows) all.rows.resize(kMostRows);
}

}  // namespace tailcap::compare
