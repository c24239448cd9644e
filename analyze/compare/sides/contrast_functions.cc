#include "analyze/compare/sides/contrast_functions.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "analyze/compare/functions.h"
#include "analyze/compare/welch.h"

namespace tailcap::compare {
namespace {

using model::difference::Contrast;
using model::difference::FunctionContrast;
using model::difference::RouteDifference;
using model::gate::Metric;

constexpr Metric kTime{Metric::Kind::label, static_cast<std::uint8_t>(model::gate::kNoAccount)};
constexpr double kClustered = 2;  // samples of one request are alike: the variance of a count, times this
constexpr std::size_t kMostFunctions = 50;

struct Counted {
  std::array<std::uint64_t, 2> samples{};
  std::map<std::string, std::array<double, 2>> by_caller;  // ns a request
};

struct Scale {
  double each = 0;  // ns a request for a sample
};

Scale scale_of(const RoutePair& pair, std::size_t side) {
  return {static_cast<double>(pair.runs[side]->sampling.period) /
          static_cast<double>(pair.routes[side]->requests.size())};
}

}  // namespace

std::string no_functions(const model::gate::Run& a, const model::gate::Run& b) {
  const char* name = "A";
  for (const auto* run : {&a, &b}) {
    if (!run->sampling.any)
      return std::string(name) + " has no samples (`tailcap record` takes them, but not with --no-sample)";
    if (!run->sampling.missing.empty()) return std::string(name) + ": " + run->sampling.missing;
    name = "B";
  }
  return {};
}

std::vector<FunctionContrast> contrast_functions(const RoutePair& pair, const Surroundings& around) {
  std::vector<FunctionContrast> out;
  if (!no_functions(*pair.runs[0], *pair.runs[1]).empty()) return out;
  std::map<std::string, Counted> functions;
  for (std::size_t side = 0; side < 2; ++side)
    for (const auto& f : pair.routes[side]->functions) {
      Counted& counted = functions[f.name];
      counted.samples[side] += f.samples;
      counted.by_caller[f.caller][side] += scale_of(pair, side).each * static_cast<double>(f.samples);
    }
  const double noise = noise_of_label(static_cast<std::size_t>(model::Label::cpu), around);
  for (const auto& [name, counted] : functions) {
    if (counted.samples[0] + counted.samples[1] < kLeastSamples) continue;
    FunctionContrast f{name, main_caller(counted.by_caller), counted.samples, {}};
    Effect effect;
    double variance = 0;
    for (std::size_t side = 0; side < 2; ++side) {
      const double each = scale_of(pair, side).each, samples = static_cast<double>(counted.samples[side]);
      f.time.level[side] = each * samples;
      variance += kClustered * std::max(1.0, samples) * each * each;
    }
    const double most = noise * std::max(f.time.level[0], f.time.level[1]);
    effect.difference = f.time.level[1] - f.time.level[0];
    effect.se = std::sqrt(variance + most * most);
    effect.df = 1e6;
    f.time.metric = kTime;
    f.time.known = true;
    f.time.change = effect.difference;
    f.time.low = effect.bound(0.025);
    f.time.high = effect.bound(0.975);
    f.time.p = effect.p_two();
    f.time.detectable = effect.se;
    // Samples inside several requests at once may all be in this function.
    for (std::size_t side = 0; side < 2; ++side)
      f.time.slack =
          std::max(f.time.slack, scale_of(pair, side).each * static_cast<double>(pair.runs[side]->sampling.undecided));
    out.push_back(std::move(f));
  }
  std::ranges::stable_sort(
      out, [](const auto& x, const auto& y) { return std::abs(x.time.change) > std::abs(y.time.change); });
  if (out.size() > kMostFunctions) out.resize(kMostFunctions);
  return out;
}

bool worth_saying_of_function(const Contrast& c, const RouteDifference& route) {
  const auto* own = route.find(Metric::Kind::own_mean);
  const double size = std::abs(c.change);
  return size > c.slack && worth_a_function(size, own ? own->level[0] : 0);
}

}  // namespace tailcap::compare
