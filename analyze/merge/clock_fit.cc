#include "analyze/merge/clock_fit.h"

#include <algorithm>
#include <cmath>

namespace tailcap::merge {

using formats::kMaxTime;
using formats::nanoseconds;
using formats::time_from;

namespace {

// In a recording of ten hours, half a second each. Only the tighter of two points in one interval is kept; drift
// within half a second matters less than a delay of the network.
constexpr std::size_t kStretches = 1u << 16;
constexpr int kSteps = 200;  // of a search that keeps two thirds each time: the result is far below a nanosecond

struct Point {
  long double x, y;
};
using Hull = std::vector<Point>;

// The points that a line above all (sign 1) or below all (sign -1) can touch. Ordered by x.
Hull hull_of(const std::vector<Point>& points, int sign) {
  Hull hull;
  for (const Point& p : points) {
    while (hull.size() >= 2) {
      const Point &a = hull[hull.size() - 2], &b = hull.back();
      const long double turn = (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
      if (sign > 0 ? turn < 0 : turn > 0) break;
      hull.pop_back();
    }
    hull.push_back(p);
  }
  return hull;
}

// The possible lines with one drift: at x = 0 they pass between floor and ceiling.
struct Corridor {
  Hull lower, upper;

  long double floor(long double drift) const {
    long double best = -INFINITY;
    for (const Point& p : lower) best = std::max(best, p.y - drift * p.x);
    return best;
  }
  long double ceiling(long double drift) const {
    long double best = INFINITY;
    for (const Point& p : upper) best = std::min(best, p.y - drift * p.x);
    return best;
  }
  long double width(long double drift) const { return ceiling(drift) - floor(drift); }
};

// The maximum in [a, b] of a function without a valley.
template <class F>
long double highest(long double a, long double b, F&& f) {
  for (int i = 0; i < kSteps; ++i) {
    const long double p = a + (b - a) / 3, q = b - (b - a) / 3;
    if (f(p) < f(q))
      a = p;
    else
      b = q;
  }
  return (a + b) / 2;
}

// The last drift towards `outside` that leaves room, starting from one that does.
long double edge(const Corridor& c, long double inside, long double outside) {
  if (c.width(outside) >= 0) return outside;
  for (int i = 0; i < kSteps; ++i) {
    const long double middle = (inside + outside) / 2;
    (c.width(middle) >= 0 ? inside : outside) = middle;
  }
  return inside;
}

struct Drifts {
  long double lower = 0, upper = 0,
              width = 0;  // width: what is left between the bounds where there is most; negative: none
  bool bounded = false;   // the bounds limit it, not only what clocks are able to
};

Drifts drifts_of(const Corridor& c) {
  const long double widest = highest(-kMaxDrift, kMaxDrift, [&](long double d) { return c.width(d); });
  Drifts out{widest, widest, c.width(widest), true};
  if (out.width < 0) return out;
  out.lower = edge(c, widest, -kMaxDrift);
  out.upper = edge(c, widest, kMaxDrift);
  out.bounded = out.lower > -kMaxDrift && out.upper < kMaxDrift;
  return out;
}

std::int64_t rounded(long double x) {
  constexpr long double limit = 4e18L;
  return static_cast<std::int64_t>(std::llround(std::clamp(x, -limit, limit)));
}

}  // namespace

std::int64_t ClockEstimate::ours_of(Time theirs) const {
  const long double since = static_cast<long double>(nanoseconds(theirs)) - static_cast<long double>(nanoseconds(at));
  return rounded(static_cast<long double>(nanoseconds(theirs)) + static_cast<long double>(offset) + drift * since);
}

std::int64_t ClockEstimate::error_at(Time theirs) const {
  const std::int64_t outside = std::max({std::int64_t{0}, (theirs - last).count(), (first - theirs).count()});
  const long double slope = std::max(std::fabs(drift_upper - drift), std::fabs(drift - drift_lower));
  return rounded(static_cast<long double>(error) + std::ceil(slope * static_cast<long double>(outside)));
}

ClockEstimate chained(const ClockEstimate& outer, const ClockEstimate& inner) {
  ClockEstimate e = inner;
  const auto middle = [&](Time t) {
    return time_from(std::clamp<std::int64_t>(inner.ours_of(t), 0, nanoseconds(kMaxTime)));
  };
  e.offset = outer.ours_of(middle(inner.at)) - nanoseconds(inner.at);
  const auto both = [](long double a, long double b) { return (1 + a) * (1 + b) - 1; };
  e.drift = both(outer.drift, inner.drift);
  e.drift_lower = both(outer.drift_lower, inner.drift_lower);
  e.drift_upper = both(outer.drift_upper, inner.drift_upper);
  e.drift_bounded = outer.drift_bounded && inner.drift_bounded;
  const std::int64_t more = std::max(outer.error_at(middle(inner.first)), outer.error_at(middle(inner.last))) + 2;
  // An error on the second clock is about as large on the third.
  const std::int64_t stretched = rounded(static_cast<long double>(inner.error) * (1 + kMaxDrift));
  e.lower = e.offset - (inner.offset - inner.lower) - more;
  e.upper = e.offset + (inner.upper - inner.offset) + more;
  e.error = stretched + more;
  e.contradiction = std::max(outer.contradiction, inner.contradiction);
  return e;
}

ClockFit::ClockFit(Time first, Time last)
    : first_(first),
      last_(std::max(last, first + formats::Duration{1})),
      lower_(kStretches),
      upper_(kStretches),
      likely_lower_(kStretches),
      likely_upper_(kStretches) {}

ClockFit::Bound& ClockFit::slot(Bounds& bounds, Time theirs) const {
  const auto length = static_cast<long double>((last_ - first_).count());
  const auto since = static_cast<long double>((std::clamp(theirs, first_, last_) - first_).count());
  return bounds[std::min(kStretches - 1, static_cast<std::size_t>(since / length * kStretches))];
}

// Clocks are read in whole nanoseconds: hence the bound is one less, or one more.
void ClockFit::at_least(Bounds& bounds, Time ours, Time theirs) const {
  const std::int64_t at = (theirs - first_).count(), offset = (ours - theirs).count() - 1;
  Bound& b = slot(bounds, theirs);
  if (!b.there || offset > b.offset || (offset == b.offset && at < b.at)) b = {at, offset, true};
}

void ClockFit::at_most(Bounds& bounds, Time ours, Time theirs) const {
  const std::int64_t at = (theirs - first_).count(), offset = (ours - theirs).count() + 1;
  Bound& b = slot(bounds, theirs);
  if (!b.there || offset < b.offset || (offset == b.offset && at < b.at)) b = {at, offset, true};
}

void ClockFit::before(Time ours, Time likely, Time theirs) {
  ++forth_;
  at_least(lower_, ours, theirs);
  at_least(likely_lower_, likely, theirs);
}

void ClockFit::after(Time ours, Time theirs, Time likely) {
  ++back_;
  at_most(upper_, ours, theirs);
  at_most(likely_upper_, ours, likely);
}

ClockEstimate ClockFit::estimate() const {
  ClockEstimate e;
  e.forth = forth_;
  e.back = back_;
  e.first = first_;
  e.last = last_;
  e.at = first_ + (last_ - first_) / 2;
  if (forth_ + back_ == 0) return e;
  // Everything is relative to one of the bounds and the middle, so that uptimes cost no precision.
  const Bounds& any = forth_ > 0 ? lower_ : upper_;
  const std::int64_t base = std::find_if(any.begin(), any.end(), [](const Bound& b) { return b.there; })->offset;
  const std::int64_t middle = (e.at - first_).count();
  const auto points = [&](const Bounds& bounds) {
    std::vector<Point> out;
    for (const Bound& b : bounds)
      if (b.there)
        out.push_back({static_cast<long double>(b.at) - static_cast<long double>(middle),
                       static_cast<long double>(b.offset) - static_cast<long double>(base)});
    std::sort(out.begin(), out.end(),
              [](const Point& a, const Point& b) { return a.x != b.x ? a.x < b.x : a.y < b.y; });
    return out;
  };
  const Corridor c{hull_of(points(lower_), 1), hull_of(points(upper_), -1)};
  const auto absolute = [&](long double y) { return base + rounded(y); };
  if (forth_ == 0 || back_ == 0) {
    // Only one side is bounded: use the loosest bound that any drift allows.
    if (forth_ > 0)
      e.lower = absolute(std::floor(std::min(c.floor(kMaxDrift), c.floor(-kMaxDrift))));
    else
      e.upper = absolute(std::ceil(std::max(c.ceiling(kMaxDrift), c.ceiling(-kMaxDrift))));
    return e;
  }
  e.determined = true;
  const Drifts possible = drifts_of(c);
  e.drift_lower = possible.lower;
  e.drift_upper = possible.upper;
  e.drift_bounded = possible.bounded;
  if (possible.width < 0) e.contradiction = std::max<std::int64_t>(1, rounded(std::ceil(-possible.width)));
  // Sends that were stamped after their arrival may leave no room for the likely lines; even then their middle is the
  // best guess.
  const Corridor likely{hull_of(points(likely_lower_), 1), hull_of(points(likely_upper_), -1)};
  const Drifts guess = drifts_of(likely);
  e.drift = std::clamp(guess.bounded ? (guess.lower + guess.upper) / 2 : 0, e.drift_lower, e.drift_upper);
  long double line = (likely.floor(e.drift) + likely.ceiling(e.drift)) / 2;
  if (e.contradiction == 0)
    line = std::clamp(line, std::min(c.floor(e.drift), c.ceiling(e.drift)),
                      std::max(c.floor(e.drift), c.ceiling(e.drift)));
  e.offset = absolute(line);
  // The highest and the lowest line that pass at x.
  const auto top = [&](long double x) {
    const auto height = [&](long double d) { return c.ceiling(d) + d * x; };
    return height(highest(e.drift_lower, e.drift_upper, height));
  };
  const auto bottom = [&](long double x) {
    const auto height = [&](long double d) { return c.floor(d) + d * x; };
    return height(highest(e.drift_lower, e.drift_upper, [&](long double d) { return -height(d); }));
  };
  long double low = bottom(0), high = top(0);
  if (e.contradiction > 0) std::swap(low, high);
  e.lower = absolute(std::floor(low)) - 1;
  e.upper = absolute(std::ceil(high)) + 1;
  long double error = 0;
  for (const Time end : {first_, last_}) {
    const auto x = static_cast<long double>((end - e.at).count());
    error = std::max({error, std::fabs(top(x) - (line + e.drift * x)), std::fabs(bottom(x) - (line + e.drift * x))});
  }
  e.error = rounded(std::ceil(error)) + 1;
  return e;
}

}  // namespace tailcap::merge
