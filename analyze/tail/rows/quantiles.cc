#include "analyze/tail/rows/quantiles.h"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cassert>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "ground/number_sort.h"
#include "ground/text.h"

namespace tailcap::tail {
namespace {

using model::Duration;
using model::Quantile;
using model::Support;

constexpr double kAlpha = 0.025;       // each side of a 95 % interval
constexpr std::size_t kMinBlocks = 8;  // fewer say nothing about the variance between blocks
constexpr double kLeastBlocks = 16;    // a block is at most n / 16
constexpr double kBlockSeconds = 5;    // the design effect still grows below this
constexpr double kLowSupport = 10;     // effective requests beyond the quantile
constexpr double kMinPeriods = 30;     // autocorrelation times in the capture
constexpr std::size_t kMinBursts = 3;
constexpr double kMaxInFlight = 0.01;

std::string whole(double n) { return std::to_string(static_cast<std::uint64_t>(std::max(0.0, n))); }

// The variance of the means of blocks of `length` values. sum_of(b): of the values of a block; around: near their mean.
template <class Sum>
double block_variance(std::size_t blocks, std::size_t length, double around, Sum sum_of) {
  double sum = 0, squares = 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    const double block = static_cast<double>(sum_of(b)) / static_cast<double>(length) - around;
    sum += block;
    squares += block * block;
  }
  const double mean = sum / static_cast<double>(blocks);
  return std::max(0.0, (squares - static_cast<double>(blocks) * mean * mean) / static_cast<double>(blocks - 1));
}

template <class T>
double correlation_of(std::vector<T> values) {
  const std::size_t n = values.size();
  if (n < 2 * kMinBlocks) return 1;
  double mean = 0;
  for (const T v : values) mean += static_cast<double>(v);
  mean /= static_cast<double>(n);
  const auto sum_of = [&](std::size_t b) { return values[b]; };
  const double variance = block_variance(n, 1, mean, sum_of);
  if (!(variance > 0)) return 1;
  double longest = 1;
  for (std::size_t length = 2; length <= n / kMinBlocks; length *= 2) {
    const std::size_t blocks = n / length;
    for (std::size_t b = 0; b < blocks; ++b) values[b] = values[2 * b] + values[2 * b + 1];
    longest = std::max(longest, static_cast<double>(length) * block_variance(blocks, length, mean, sum_of) / variance);
  }
  return longest;
}

}  // namespace

double beta_quantile(double p, double a, double b) {
  assert(p > 0 && p < 1 && a > 0 && b > 0);
  // The default policy throws or promotes depending on the platform's long double; this one does neither.
  using namespace boost::math::policies;
  using Policy = policy<promote_double<false>, domain_error<errno_on_error>, overflow_error<errno_on_error>,
                        evaluation_error<errno_on_error>>;
  return boost::math::ibeta_inv(a, b, p, Policy{});
}

double correlation_time(std::vector<double> values) { return correlation_of(std::move(values)); }

Sample::Sample(std::vector<std::int64_t> in_order, std::vector<std::uint32_t> connections, WithoutEnd without_end)
    : in_order_(std::move(in_order)),
      cut_off_(std::move(without_end.cut_off)),
      broken_(!without_end.broken.empty()),
      connections_(std::move(connections)) {
  assert(connections_.empty() || connections_.size() == in_order_.size());
  std::sort(cut_off_.begin(), cut_off_.end());
  // There can be millions: at any time, in_order_ and one list of its length.
  const auto each = [&](auto value) {
    std::vector<decltype(value(std::int64_t{}))> out(size());
    std::transform(in_order_.begin(), in_order_.end(), out.begin(), value);
    return out;
  };
  if (!empty())
    correlation_ = correlation_of(
        each([](std::int64_t x) { return std::log(static_cast<double>(std::max<std::int64_t>(x, 1))); }));
  sorted_ = in_order_;
  ground::sort_numbers(sorted_);
  if (broken_) {
    ground::sort_numbers(without_end.broken);
    std::set_difference(sorted_.begin(), sorted_.end(), without_end.broken.begin(), without_end.broken.end(),
                        std::back_inserter(ended_));
  }
  if (empty()) return;
  const std::int64_t slow = at(0.95);
  correlation_ = std::max(correlation_, correlation_of(each([&](std::int64_t x) { return std::uint32_t{x > slow}; })));
}

std::uint64_t rank_of(double q, std::uint64_t n) {
  // 0.95 * 20 is a hair above 19 in binary: rounding noise must not move the rank.
  const double rank = std::ceil(q * static_cast<double>(n) - 1e-9);
  return static_cast<std::uint64_t>(std::clamp(rank, 1.0, static_cast<double>(n)));
}

std::int64_t Sample::at(double q) const {
  assert(!empty());
  return sorted_[rank_of(q, size()) - 1];
}

Sample::Effect Sample::effect_at(double q, std::int64_t value, double seconds) const {
  const double n = static_cast<double>(size());
  Effect effect;
  if (size() < 2 * kMinBlocks) return effect;
  double length = std::max(std::cbrt(n), 1.5 * correlation_ * std::max(1.0, std::cbrt(n / correlation_) / 2));
  if (seconds > 0) length = std::max(length, n * kBlockSeconds / seconds);
  length = std::clamp(length, 1.0, n / kLeastBlocks);
  const auto l = static_cast<std::size_t>(length);
  effect.blocks = size() / l;
  const auto of_block = [&](std::size_t b, auto counts) {
    const auto begin = in_order_.begin() + static_cast<std::ptrdiff_t>(b * l);
    return std::count_if(begin, in_order_.begin() + static_cast<std::ptrdiff_t>(std::min(size(), (b + 1) * l)), counts);
  };
  // A burst is a block that holds one of the requests at or beyond the quantile.
  for (std::size_t b = 0; b * l < size(); ++b)
    effect.bursts += of_block(b, [&](std::int64_t x) { return x >= value; }) > 0;
  const double variance = block_variance(
      effect.blocks, l, 0, [&](std::size_t b) { return of_block(b, [&](std::int64_t x) { return x > value; }); });
  effect.design = std::max(1.0, static_cast<double>(l) * variance / (q * (1 - q)));
  return effect;
}

// For connections chosen at random: the variance of the share beyond the value, a ratio of two sums over connections.
void Sample::add_connections(double q, std::int64_t value, Effect& effect) const {
  if (connections_.empty()) return;
  struct Sums {
    double all = 0, beyond = 0, at_or_beyond = 0;
  };
  std::unordered_map<std::uint32_t, Sums> sums;
  double beyond = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    Sums& of = sums[connections_[i]];
    ++of.all;
    of.beyond += in_order_[i] > value;
    of.at_or_beyond += in_order_[i] >= value;
    beyond += in_order_[i] > value;
  }
  const double n = static_cast<double>(size()), share = beyond / n, k = static_cast<double>(sums.size());
  std::vector<double> sizes, deviations;
  std::size_t slow = 0;
  double squares = 0;
  for (const auto& [connection, of] : sums) {
    sizes.push_back(of.all);
    deviations.push_back(of.beyond - share * of.all);
    squares += deviations.back() * deviations.back();
    slow += of.at_or_beyond > 0;
  }
  // The order of a hash table is not that of the numbers that come out.
  std::sort(sizes.begin(), sizes.end());
  std::sort(deviations.begin(), deviations.end());
  effect.few_connections = !model::support_of(sizes).enough() || (q >= 0.95 && slow < kMinBursts);
  if (k < 2) return;
  const double widened = model::support_of(deviations).factor() / model::ClusterSupport{0, 1e9}.factor();
  effect.design = std::max(effect.design, k / (k - 1) * squares / n / (q * (1 - q)) * widened * widened);
}

Sample::Extended Sample::extended(double q) const {
  Extended out;
  const auto beyond = std::upper_bound(cut_off_.begin(), cut_off_.end(), at(q));
  out.cut_off = static_cast<std::uint64_t>(cut_off_.end() - beyond);
  if (out.cut_off > 0) std::merge(sorted_.begin(), sorted_.end(), beyond, cut_off_.end(), std::back_inserter(out.own));
  return out;
}

Quantile Sample::quantile(double q, const Shortfall& shortfall) const {
  Weight weight;
  if (empty()) return quantile_of(q, weight, shortfall, {});
  const Extended more = extended(q);
  const std::vector<std::int64_t>&least = more.cut_off > 0 ? more.own : sorted_, &ended = broken_ ? ended_ : sorted_;
  Effect effect = effect_at(q, at(q), shortfall.seconds);
  add_connections(q, at(q), effect);
  const double n = static_cast<double>(least.size());
  weight = {least.size(), n / effect.design, n / correlation_, effect.blocks, effect.bursts, effect.few_connections};
  Shortfall rest = shortfall;
  rest.in_flight -= std::min(rest.in_flight, more.cut_off);
  return quantile_of(
      q, weight, rest, [&](std::uint64_t rank) { return least[rank - 1]; },
      [&](std::uint64_t rank) { return rank <= ended.size() ? ended[rank - 1] : kEndless; });
}

ObservedBounds Sample::bounds(double q, const Shortfall& shortfall) const {
  const Extended more = extended(q);
  const std::vector<std::int64_t>&sorted = more.cut_off > 0 ? more.own : sorted_, &ended = broken_ ? ended_ : sorted_;
  const std::uint64_t n = sorted.size(), open = shortfall.in_flight - std::min(shortfall.in_flight, more.cut_off);
  const bool cut = static_cast<double>(open) > kMaxInFlight * static_cast<double>(n + open);
  const std::uint64_t unknown = shortfall.tainted + (cut ? open : 0), rank = rank_of(q, n + unknown);
  return {.value = sorted[rank_of(q, n) - 1],
          .least = rank > unknown ? sorted[rank - unknown - 1] : 0,
          .most = rank <= ended.size() ? ended[rank - 1] : kEndless,
          .requests = n};
}

Quantile quantile_of(double q, const Weight& weight, const Shortfall& shortfall, const RankedDuration& at_rank,
                     const RankedDuration& most) {
  Quantile result;
  result.q = q;
  if (weight.n == 0) {
    result.reason = "no request with a known duration";
    return result;
  }
  const double n = static_cast<double>(weight.n);
  const auto at = [&](double share) { return at_rank(rank_of(share, weight.n)); };
  const double all = n + static_cast<double>(shortfall.tainted);
  const double doubtful = static_cast<double>(shortfall.tainted) / all;
  const double open = static_cast<double>(shortfall.in_flight) / (n + static_cast<double>(shortfall.in_flight));
  result.effective_n = weight.effective;

  if (doubtful >= 1 - q) {
    result.reason = "the duration of " + ground::share_text(doubtful) +
                    " of the requests is unknown or in doubt; they could all be slower";
    return result;
  }
  if (open > kMaxInFlight && q >= 0.99) {
    result.reason = ground::share_text(open) +
                    " of the requests were under way when the recording began or ended, the slow ones more than others";
    return result;
  }
  if (open > kMaxInFlight && open >= 1 - q) {
    result.reason = ground::share_text(open) + " of the requests were under way when the recording began or ended";
    return result;
  }
  const double effective = result.effective_n;
  // The least value lies above the quantile, or the greatest below it, with more than 2.5 % probability.
  const bool no_lower = std::pow(1 - q, effective) > kAlpha, no_upper = std::pow(q, effective) > kAlpha;
  if (no_lower) {
    result.reason = whole(effective) + " independent requests are too few";
    return result;
  }
  result.value = Duration{at(q)};
  const double above = (1 - q) * effective, below = q * effective;
  const auto lower_at = [&](double p) {
    return at_rank(static_cast<std::uint64_t>(std::clamp(std::floor(p * n), 1.0, n)));
  };
  // What is unknown may all be faster, or all slower.
  const double missing = std::max(doubtful, open > kMaxInFlight ? open : 0.0);
  const double worst_low = (q - missing) / (1 - missing), worst_high = std::min(1.0, q / (1 - missing));
  result.low = Duration{lower_at(beta_quantile(kAlpha, below, above + 1))};
  if (missing > 0) result.low = std::min(result.low, Duration{worst_low > 0 ? at(worst_low) : at_rank(1)});
  const std::int64_t value_most = most ? most(rank_of(q, weight.n)) : result.value.count();
  const auto at_most = [&](double share) { return (most ? most : at_rank)(rank_of(share, weight.n)); };
  const bool apart = weight.independent < kMinPeriods || weight.few_connections ||
                     (q >= 0.95 && weight.blocks >= kMinBlocks && weight.bursts < kMinBursts);
  const double highest = no_upper ? q : beta_quantile(1 - kAlpha, below + 1, above);
  if (value_most == kEndless || (!no_upper && (value_most > at(highest) || at_most(highest) == kEndless)) ||
      (missing > 0 && at_most(worst_high) == kEndless)) {
    result.support = Support::at_least;
    if (apart) result.low = Duration{};
    result.reason = "requests that broke off or were cut off could have lasted longer";
    return result;
  }
  if (no_upper && !weight.few_connections) {
    result.support = Support::lower_only;
    result.reason = whole(effective) + " independent requests are too few for an upper bound";
    return result;
  }
  if (!no_upper) result.high = Duration{at_most(highest)};
  if (missing > 0) result.high = std::max(result.high, Duration{at_most(worst_high)});

  if (weight.independent < kMinPeriods) {
    result.support = Support::no_interval;
    result.low = result.high = Duration{};
    result.reason =
        "bursty traffic: these requests carry the information of " + whole(weight.independent) + "; record longer";
  } else if (weight.few_connections) {
    result.support = Support::no_interval;
    result.low = result.high = Duration{};
    result.reason = "too few of the recorded connections have such requests to say what the others have";
  } else if (q >= 0.95 && weight.blocks >= kMinBlocks && weight.bursts < kMinBursts) {
    result.support = Support::no_interval;
    result.low = result.high = Duration{};
    result.reason = "the slow requests lie in fewer than three bursts";
  } else if (effective * std::min(q, 1 - q) < kLowSupport) {
    result.support = Support::low;
    result.reason = "only " + whole(effective * std::min(q, 1 - q)) + " independent requests lie beyond it";
  } else if (missing > (1 - q) / 10) {
    result.support = Support::low;
    result.reason = "the interval allows for " + ground::share_text(missing) +
                    " of the requests whose duration is unknown or in doubt";
  } else {
    result.support = Support::full;
  }
  return result;
}

}  // namespace tailcap::tail
