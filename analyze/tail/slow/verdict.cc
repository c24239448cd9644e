#include "analyze/tail/slow/verdict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "analyze/model/label_group.h"

namespace tailcap::tail::slow {
namespace {

using model::Label;
using model::LabelDifference;
using model::TailVerdict;

constexpr std::size_t kLookedAt = 20'000;  // requests in the sample for the quantiles
constexpr std::uint64_t kLeastBursts = 3;

double normal_below(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// The z of a quantile, by bisection: called a few times for a route.
double normal_quantile(double q) {
  double low = -10, high = 10;
  for (int i = 0; i < 60; ++i) (normal_below((low + high) / 2) < q ? low : high) = (low + high) / 2;
  return (low + high) / 2;
}

// 25th, 50th and 75th percentile.
std::array<double, 3> quartiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::array<double, 3> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = values[(values.size() - 1) * (i + 1) / 4];
  return out;
}

template <typename Time>
double ordinary(const std::vector<Item>& items, double from, Time time) {
  const std::size_t step = items.size() / kLookedAt + 1;
  std::vector<double> values;
  for (std::size_t i = 0; i < items.size(); i += step) values.push_back(time(items[i]));
  const auto [q25, q50, q75] = quartiles(std::move(values));
  return ordinary_mean_beyond(from, q25, q50, q75);
}

double time_under(std::span<const model::Part> parts, auto&& meant) {
  double ns = 0;
  for (const model::Part& p : parts)
    if (meant(p.label)) ns += static_cast<double>(p.time);
  return ns;
}

bool waits_for_cpu(Label label) { return label == Label::sched_runq || label == Label::sched_preempted; }

// The mean of the longest, from the quantile on. Not empty.
double mean_from(double from, std::vector<double> values) {
  const auto first = static_cast<std::ptrdiff_t>(
      std::min(static_cast<std::size_t>(from * static_cast<double>(values.size())), values.size() - 1));
  std::nth_element(values.begin(), values.begin() + first, values.end());
  return std::accumulate(values.begin() + first, values.end(), 0.0) /
         static_cast<double>(values.end() - values.begin() - first);
}

// For the route; in a short route the noise of the others counts, too.
double longest_waits(const std::vector<Item>& items, double from) {
  std::vector<double> waits;
  for (const Item& item : items) waits.push_back(time_under(item.parts, waits_for_cpu));
  return mean_from(from, std::move(waits));
}

// The difference that this label shows without any cause.
double noise_of(Label label, double noise) {
  using enum model::LabelGroup;
  if (waits_for_cpu(label) || label == Label::go_runnable || label == Label::q_notice) return kSchedulerNoise;
  const model::LabelGroup group = model::group_of(label);
  if (group == cpu) return kCpuNoise;
  const double least = static_cast<double>(kLeastGap) / 2;
  return group == lock || group == downstream || group == queue || group == io || group == memory
             ? std::max(least, kPassedOn * noise)
             : least;
}

bool nameable(Label label) { return !model::unexplained(label) && !model::causeless(label); }

bool is_cause(const LabelDifference& d) { return d.significant && d.stands_out; }

double share(std::int64_t part, std::int64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

// The reason that there is nothing to explain; empty: there is something.
std::string no_tail(const model::TailStudy& s) {
  if (s.gap() <= 0) return "they are not slower than typical requests of their kind";
  if (share(s.slow_mean, s.typical_mean) < kLeastRatio)
    return "the slow requests take less than 1.5 times as long as typical ones";
  if (s.gap() < kLeastGap) return "wake-ups, interrupts and cold caches make such a difference on any machine";
  return {};
}

std::string doubts(const model::TailStudy& s) {
  const double slow = static_cast<double>(s.slow_lossy) / static_cast<double>(s.slow);
  const double typical = static_cast<double>(s.typical_lossy) / static_cast<double>(s.typical);
  if (slow > kMostLossy || (slow > kLossyWorthALook && slow > 2 * typical))
    return "lost events cover parts of " + std::to_string(s.slow_lossy) + " of the " + std::to_string(s.slow) +
           " slow requests, more than of the others: what they waited for cannot be ranked";
  return {};
}

// The reason that the largest difference is no cause.
std::string why_not(const model::TailStudy& s, bool served, double noise) {
  const LabelDifference& first = s.labels.front();
  if (model::unexplained(first.label)) return "the largest part of the difference could not be explained";
  if (model::causeless(first.label))
    return "for the largest part of the difference it is known that they were blocked, and not by what";
  if (!served && first.label == Label::down_wait) return "it is the called service that takes so long";
  if (share(first.difference(), s.gap()) < kLeastShare) return "many small differences add up";
  if (static_cast<double>(first.difference()) < noise_of(first.label, noise))
    return "so busy a machine makes as much without any cause in the service";
  if (!first.significant || share(first.low, s.gap()) < kLeastSurely)
    return s.bursts < kLeastBursts ? "" : "the difference varies too much within the recording";
  return "it varies as much among the other requests";
}

}  // namespace

double longest_waits_for_cpu(const model::RequestTable& table) {
  std::vector<double> waits;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const auto parts = table.partitions.parts(table.rows.id(i));
    if (!parts.empty()) waits.push_back(time_under(parts, waits_for_cpu));
  }
  return waits.empty() ? 0 : mean_from(0.99, std::move(waits));
}

double ordinary_mean_beyond(double from, double q25, double q50, double q75) {
  constexpr double kQuartile = 0.6744897501960817;  // z of the 75th percentile
  if (q50 <= 0) return 0;
  const double upper = std::log(q75 / q50), lower = q25 > 0 ? std::log(q50 / q25) : upper;
  const double spread = std::max(0.0, std::min(upper, lower)) / kQuartile;
  return q50 * std::exp(spread * spread / 2) * normal_below(spread - normal_quantile(from)) / (1 - from);
}

void decide(const std::vector<Item>& items, bool served, double noise, model::TailStudy& s) {
  s.ordinary_slow_mean = static_cast<std::int64_t>(
      std::min(9e18, ordinary(items, s.slow_from, [](const Item& i) { return static_cast<double>(i.duration); })));
  s.reason = no_tail(s);
  s.verdict = s.reason.empty() ? TailVerdict::no_cause : TailVerdict::no_tail;
  if (s.gap() <= 0) return;
  noise = std::max(noise, longest_waits(items, s.slow_from));
  for (LabelDifference& d : s.labels) {
    if (share(d.difference(), s.gap()) < kFurtherShare || !nameable(d.label) ||
        static_cast<double>(d.difference()) < noise_of(d.label, noise))
      continue;
    if (!served && d.label == Label::down_wait) continue;
    const double expected = ordinary(items, s.slow_from, [&](const Item& item) {
      return time_under(item.parts, [&](Label l) { return l == d.label; });
    });
    const bool major = share(d.typical, s.typical_mean) < kMinorTypically && share(d.slow, s.slow_mean) >= kMajorSlow;
    d.stands_out = major || static_cast<double>(d.slow) > kBeyondOrdinary * expected;
  }
  if (s.verdict == TailVerdict::no_tail) return;
  s.reason = doubts(s);
  if (s.reason.empty() && s.slow_mean <= s.ordinary_slow_mean)
    s.reason = "the spread of the other requests already explains them";
  if (!s.reason.empty()) return;
  // labels are ordered by their differences. The largest one with a name must be a cause; only then may others be
  // causes, too.
  const auto main =
      std::find_if(s.labels.begin(), s.labels.end(), [](const LabelDifference& d) { return nameable(d.label); });
  if (main == s.labels.end() || !is_cause(*main) || share(main->difference(), s.gap()) < kLeastShare ||
      share(main->low, s.gap()) < kLeastSurely) {
    s.reason = why_not(s, served, noise);
    return;
  }
  for (const LabelDifference& d : s.labels)
    if (is_cause(d)) s.causes.push_back(d.label);
  s.verdict = TailVerdict::cause;
}

}  // namespace tailcap::tail::slow
