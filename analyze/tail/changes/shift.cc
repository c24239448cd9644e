#include "analyze/tail/changes/shift.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "analyze/tail/slow/bootstrap.h"

namespace tailcap::tail::changes {
namespace {

using model::Duration;
using model::Quantile;
using model::ShiftVerdict;
using model::Support;

constexpr double kSigma95 = 1.959963984540054;  // half the width of a 95 % interval, in standard deviations

double ns(Duration d) { return static_cast<double>(d.count()); }

// A crafted capture has requests of centuries.
Duration bounded(double n) { return Duration{std::llround(std::clamp(n, -9e18, 9e18))}; }

std::int64_t quantile_of(std::span<const std::int64_t> part, double q) {
  std::vector<std::int64_t> values(part.begin(), part.end());
  const auto rank = static_cast<std::ptrdiff_t>(std::clamp(std::ceil(q * static_cast<double>(values.size()) - 1e-9),
                                                           1.0, static_cast<double>(values.size()))) -
                    1;
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

// The percentile of each part of a side, in order of time. A part must have some requests beyond the percentile.
std::vector<std::int64_t> parts_of(const std::vector<std::int64_t>& durations, double q) {
  const auto least = static_cast<std::size_t>(5 / (1 - q));
  const std::size_t parts = std::min(kParts, durations.size() / least);
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < parts; ++i) {
    const std::size_t from = durations.size() * i / parts, to = durations.size() * (i + 1) / parts;
    out.push_back(quantile_of(std::span(durations).subspan(from, to - from), q));
  }
  return out;
}

double range(const std::vector<std::int64_t>& parts) {
  const auto [least, most] = std::minmax_element(parts.begin(), parts.end());
  return static_cast<double>(*most - *least);
}

// Why the difference does not come with the change; empty: it does, if it is not chance.
std::string objection(const ChangeSide& before, const ChangeSide& after, double difference, double relative, double q) {
  const bool median = q <= 0.5;
  const double size = std::abs(difference);
  if (relative < (median ? kLeastMedian : kLeastP99) ||
      size < static_cast<double>(median ? kLeastMedianGap : kLeastP99Gap))
    return "so small a difference comes and goes with no change at all";
  const auto b = parts_of(before.durations.in_order, q), a = parts_of(after.durations.in_order, q);
  if (std::min(a.size(), b.size()) < kLeastParts) return "too few requests to tell it from drift";
  if (size < kBeyondDrift * std::max(range(a), range(b)))
    return "within the time before or after it varies too much by itself";
  if (static_cast<double>(a.front() - b.back()) * (difference > 0 ? 1 : -1) < kLeastAtOnce * size)
    return "the requests next to it do not show the difference: it came earlier, later, or bit by bit";
  return {};
}

}  // namespace

Sample sample_of(const ChangeSide& side) { return Sample(side.durations.in_order, {}, side.durations.without_end); }

ShiftTest difference(const ChangeSide& before, const Sample& before_sample, const ChangeSide& after,
                     const Sample& after_sample, double q) {
  ShiftTest out;
  const Quantile b = before_sample.quantile(q, before.shortfall), a = after_sample.quantile(q, after.shortfall);
  out.shift.before = b.value;
  out.shift.after = a.value;
  for (const auto& [side, what] : {std::pair{&b, "before it "}, std::pair{&a, "after it "}}) {
    if (side->support == Support::full) continue;
    out.shift.reason = what + side->reason;
    return out;
  }
  // Independent estimates have intervals of their own: the distances of the ends add up as standard errors do.
  const double more = ns(a.value) - ns(b.value);
  const double down = std::hypot(ns(a.value) - ns(a.low), ns(b.high) - ns(b.value));
  const double up = std::hypot(ns(a.high) - ns(a.value), ns(b.value) - ns(b.low));
  out.shift.interval = true;
  out.shift.low = bounded(more - down);
  out.shift.high = bounded(more + up);
  out.shift.verdict = ShiftVerdict::none;
  const double towards_zero = more > 0 ? down : up;
  out.p = towards_zero > 0 ? std::erfc(kSigma95 * std::abs(more) / towards_zero / std::sqrt(2.0)) : more == 0 ? 1 : 0;
  if (out.shift.low.count() <= 0 && out.shift.high.count() >= 0)
    out.shift.reason = "the interval of the difference holds 0";
  return out;
}

ShiftTest compare(const ChangeSide& before, const Sample& before_sample, const ChangeSide& after,
                  const Sample& after_sample, double q) {
  ShiftTest out = difference(before, before_sample, after, after_sample, q);
  if (!out.shift.interval || !out.shift.reason.empty()) return out;
  const double more = ns(out.shift.difference());
  out.shift.reason = objection(before, after, more,
                               std::abs(more) / std::max(1.0, std::min(ns(out.shift.before), ns(out.shift.after))), q);
  return out;
}

void decide(std::vector<ShiftTest*>& all) {
  std::vector<double> p;
  std::vector<ShiftTest*> compared;
  for (ShiftTest* c : all)
    if (c->shift.interval) {
      compared.push_back(c);
      p.push_back(c->p);
    }
  const std::vector<bool> found = slow::discoveries(p);
  for (std::size_t i = 0; i < compared.size(); ++i) {
    model::Shift& shift = compared[i]->shift;
    if (!shift.reason.empty()) continue;
    if (found[i])
      shift.verdict = ShiftVerdict::shifted;
    else
      shift.reason = "of " + std::to_string(compared.size()) + " differences looked at, one as large as this is chance";
  }
}

}  // namespace tailcap::tail::changes
