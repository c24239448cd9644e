#include "analyze/compare/run_sample.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace tailcap::compare {

using model::gate::Metric;
using model::gate::RouteRun;
using model::gate::RunObservation;

double quantile_of(std::span<const std::int64_t> sorted, double q) {
  assert(!sorted.empty());
  const double place = static_cast<double>(sorted.size() - 1) * q;
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double low = static_cast<double>(sorted[below]), high = static_cast<double>(sorted[above]);
  return low + (high - low) * (place - static_cast<double>(below));
}

std::size_t timed(const RouteRun& run) {
  return static_cast<std::size_t>(
      std::count_if(run.requests.begin(), run.requests.end(), [](const RunObservation& o) { return o.duration >= 0; }));
}

RunValue process_value(const RouteRun& run, std::size_t count) {
  RunValue out;
  double amount = 0, requests = 0;
  for (const auto& reading : run.read(count)) {
    amount += reading.amount;
    requests += reading.requests;
  }
  out.known = requests > 0;
  if (out.known)
    out.value = out.level = amount / requests;
  else
    out.missing = run.uncounted[count];
  if (!out.known && out.missing.empty())
    out.missing = "the recording is too short: counters of a process are read once a second";
  return out;
}

RunSample::Requests RunSample::first(const RouteRun& run, std::size_t limit) {
  std::size_t end = 0;
  for (std::size_t n = 0; end < run.requests.size() && (limit == 0 || n < limit); ++end)
    n += run.requests[end].duration >= 0;
  return Requests(run.requests).first(end);
}

std::int64_t own_time(const RouteRun& run, const RunObservation& o) {
  std::int64_t own = 0;
  for (std::size_t a = 0; a < o.accounts_n; ++a) {
    const auto& [account, ns] = run.accounts[o.accounts_at + a];
    if (account == model::gate::kNoAccount) return -1;
    if (!model::gate::waits_for_cpu(account)) own += ns;
  }
  return own;
}

RunSample::RunSample(const RouteRun& run, Requests requests) : run_(run), requests_(requests) {
  std::vector<std::pair<std::int64_t, std::size_t>> order;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].duration >= 0) order.emplace_back(requests[i].duration, i);
    if (requests[i].at_least >= 0) broken_.push_back(requests[i].at_least);
  }
  std::sort(order.begin(), order.end());
  std::sort(broken_.begin(), broken_.end());
  const std::size_t n = order.size();
  if (n == 0) return;
  const auto slowest = n - static_cast<std::size_t>(std::ceil(0.99 * static_cast<double>(n) - 1e-9));
  slow_ = slowest >= kLeastSlow ? slowest : 0;
  for (std::size_t i = 0; i < n; ++i) {
    sorted_.push_back(order[i].first);
    const RunObservation& o = requests[order[i].second];
    for (std::size_t a = 0; a < o.accounts_n; ++a) {
      const auto& [account, ns] = run.accounts[o.accounts_at + a];
      all_accounts_[account] += static_cast<double>(ns) / static_cast<double>(n);
      if (slow_ > 0 && i >= n - slow_) slow_accounts_[account] += static_cast<double>(ns) / static_cast<double>(slow_);
    }
  }
  read_own_times();
}

void RunSample::read_own_times() {
  std::vector<std::pair<std::int64_t, std::size_t>> order;
  for (std::size_t i = 0; i < requests_.size(); ++i)
    if (requests_[i].duration >= 0)
      if (const std::int64_t own = own_time(run_, requests_[i]); own >= 0) order.emplace_back(own, i);
  std::sort(order.begin(), order.end());
  for (const auto& [own, i] : order) own_.push_back(own);
  if (slow_ == 0 || order.size() < slow_) return;
  for (std::size_t at = order.size() - slow_; at < order.size(); ++at) {
    const RunObservation& o = requests_[order[at].second];
    for (std::size_t a = 0; a < o.accounts_n; ++a)
      if (const auto& [account, ns] = run_.accounts[o.accounts_at + a]; !model::gate::waits_for_cpu(account))
        own_accounts_[account] += static_cast<double>(ns) / static_cast<double>(slow_);
  }
}

std::string requests_text(std::size_t n) { return std::to_string(n) + (n == 1 ? " request" : " requests"); }

// Kernels leave an off-CPU interval out now and then.
constexpr double kMostUncounted = 0.01;

RunValue RunSample::share(bool failed) const {
  RunValue out;
  if (requests_.empty()) {
    out.missing = "a run has no request of it whose end is known";
    return out;
  }
  std::size_t errors = 0;
  for (const RunObservation& o : requests_) errors += failed ? o.failed : o.client_error;
  out.known = true;
  const double n = static_cast<double>(requests_.size());
  out.value = out.level = static_cast<double>(errors) / n;
  const double p = std::max(out.value, 1 / n);
  out.floor = p * (1 - p) / n;
  return out;
}

std::optional<std::int64_t> RunSample::usual(const Metric& metric) const {
  // The only number that more than half of them can have (Boyer and Moore).
  std::int64_t number = -1, lead = 0;
  const auto number_of = [&](const RunObservation& o) { return o.duration < 0 ? -1 : run_.number_of(o, metric); };
  for (const RunObservation& o : requests_) {
    const std::int64_t own = number_of(o);
    if (own < 0) continue;
    if (lead == 0) number = own;
    lead += own == number ? 1 : -1;
  }
  std::size_t all = 0, equal = 0;
  for (const RunObservation& o : requests_) {
    const std::int64_t own = number_of(o);
    all += own >= 0;
    equal += own >= 0 && own == number;
  }
  if (all == 0 || static_cast<double>(equal) < kUsual * static_cast<double>(all)) return std::nullopt;
  return number;
}

RunValue RunSample::count(const Metric& metric) const {
  if (metric.of_process()) return process_value(run_, metric.which);
  RunValue out;
  std::size_t n = 0, unknown = 0;
  double sum = 0, squares = 0;
  out.constant = true;
  std::int64_t first = -1, most = 0;
  for (const RunObservation& o : requests_) {
    if (o.duration < 0) continue;
    const std::int64_t count = run_.number_of(o, metric);
    if (count < 0) {
      ++unknown;
      continue;
    }
    if (first < 0) first = count;
    most = std::max(most, count);
    out.constant = out.constant && count == first;
    sum += static_cast<double>(count);
    squares += static_cast<double>(count) * static_cast<double>(count);
    ++n;
  }
  const std::size_t all = n + unknown;
  const double share = all == 0 ? 1 : static_cast<double>(unknown) / static_cast<double>(all);
  if (n == 0 || share > (metric.of_carrier() ? kMostUncounted : 0)) {
    out.constant = false;
    out.missing =
        all == 0 ? "a run has no complete request of it" : "it is not known of " + requests_text(unknown) + " of a run";
    if (const std::string& why = run_.why_unknown(metric); all > 0 && !why.empty()) out.missing += ": " + why;
    return out;
  }
  if (unknown > 0) {
    out.constant = false;
    out.slack = share * static_cast<double>(most);
  }
  out.known = true;
  out.usual = out.constant ? std::optional(first) : usual(metric);
  out.value = out.level = sum / static_cast<double>(n);
  if (!out.constant)
    out.floor = std::max(0.0, squares / static_cast<double>(n) - out.value * out.value) / static_cast<double>(n);
  return out;
}

RunValue RunSample::value(const Metric& metric) const {
  if (metric.share()) return share(metric.kind == Metric::Kind::errors);
  if (metric.counted()) return count(metric);
  RunValue out;
  if (sorted_.empty()) {
    out.missing = "a run has no complete request of it";
    return out;
  }
  if (metric.kind == Metric::Kind::label) {
    out.known = true;
    out.value = out.level = all_accounts_[metric.which];
    out.at_least = broken_off() > kMostBroken;
    out.floor = 1;
    return out;
  }
  out = metric.of_own_time()                ? own(metric.quantile())
        : metric.kind == Metric::Kind::mean ? mean()
                                            : percentile(*metric.quantile());
  if (!out.missing.empty()) return out;
  out.known = true;
  out.value = std::log(std::max(1.0, out.level));
  return out;
}

double RunSample::broken_off() const {
  return broken_.empty() ? 0 : static_cast<double>(broken_.size()) / static_cast<double>(broken_.size() + size());
}

RunValue RunSample::mean() const {
  RunValue out;
  double sum = 0;
  for (const auto* some : {&sorted_, &broken_})
    for (const std::int64_t d : *some) sum += static_cast<double>(d);
  out.level = sum / static_cast<double>(sorted_.size() + broken_.size());
  out.at_least = broken_off() > kMostBroken;
  return out;
}

// At least: what broke off has its place at what it lasted. At most: it is slower than all others.
RunValue RunSample::percentile(double q) const {
  RunValue out;
  std::vector<std::int64_t> least;
  std::merge(sorted_.begin(), sorted_.end(), broken_.begin(), broken_.end(), std::back_inserter(least));
  if (requests_.size() == run_.requests.size() && !run_.cut_off.empty()) {
    // The recording cut off others that had lasted longer by then.
    const double without = quantile_of(least, q);
    for (const std::int64_t ns : run_.cut_off)
      if (static_cast<double>(ns) > without) least.push_back(ns);
    std::sort(least.begin(), least.end());
  }
  out.level = quantile_of(least, q);
  if (least.size() == sorted_.size()) return out;
  const auto needed = static_cast<std::size_t>(std::ceil(static_cast<double>(least.size() - 1) * q)) + 1;
  out.at_least = needed > sorted_.size();
  if (out.at_least) return out;
  const double place = static_cast<double>(least.size() - 1) * q / static_cast<double>(sorted_.size() - 1);
  out.slack = quantile_of(sorted_, std::min(1.0, place)) / std::max(1.0, out.level) - 1;
  return out;
}

// Which part was a wait is not known of requests that broke off, and of those without an account.
RunValue RunSample::own(std::optional<double> q) const {
  RunValue out;
  const std::size_t unknown = sorted_.size() - own_.size() + broken_.size();
  if (own_.empty() || static_cast<double>(unknown) > kMostBroken * static_cast<double>(sorted_.size() + broken_.size()))
    out.missing = "how long " + requests_text(unknown) + " of a run waited for a CPU is not known";
  else if (q)
    out.level = quantile_of(own_, *q);
  else
    out.level = std::accumulate(own_.begin(), own_.end(), 0.0) / static_cast<double>(own_.size());
  return out;
}

std::vector<RunValue> run_values(const std::vector<RunSample>& runs, const Metric& metric) {
  std::vector<RunValue> out;
  for (const RunSample& run : runs) out.push_back(run.value(metric));
  return out;
}

}  // namespace tailcap::compare
