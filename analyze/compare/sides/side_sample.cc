#include "analyze/compare/sides/side_sample.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "ground/fnv.h"

namespace tailcap::compare {
namespace {

using model::gate::RunObservation;

constexpr double kTailFrom = 0.95;  // where a drawn p99 can lie

// Standard deviation of values that come one by one.
struct Moments {
  double n = 0, mean = 0, squares = 0;
  void add(double value) {
    ++n;
    const double off = value - mean;
    mean += off / n;
    squares += off * (value - mean);
  }
  double deviation() const { return n > 1 ? std::sqrt(squares / (n - 1)) : 0; }
};

}  // namespace

SideSample::SideSample(const model::gate::RouteRun& run, double seconds, const std::vector<std::string>& callees)
    : run_(run), width_(kFirstCallee + callees.size()), totals_(width_), errors_(width_), spans_(width_) {
  const std::size_t n = run.requests.size();
  const double correlation = seconds > 0 ? std::max(1.0, run.decorrelation * static_cast<double>(n) / seconds) : 1;
  groupings_[0].blocks = model::blocks_in_time(n, correlation, seconds);
  std::vector<std::uint32_t> connections;
  for (const RunObservation& o : run.requests) connections.push_back(o.id.connection);
  groupings_[1].blocks = model::groups_of_connections(connections);
  for (Grouping& g : groupings_) g.sums.assign(g.blocks.count * width_, 0);
  read(callees);
  std::sort(own_.begin(), own_.end());
  draw_errors();
}

void SideSample::add(std::size_t request, std::size_t column, double amount) {
  for (Grouping& g : groupings_)
    if (g.blocks.count > 0) g.sums[g.blocks.of[request] * width_ + column] += amount;
  totals_[column] += amount;
}

void SideSample::read(const std::vector<std::string>& callees) {
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < callees.size(); ++i) places[callees[i]] = i;
  std::vector<std::size_t> place_of;
  for (const auto& [name, calls] : run_.callees) place_of.push_back(places.contains(name) ? places[name] : SIZE_MAX);
  std::vector<double> calls(callees.size());
  auto made = run_.made.begin();
  bool first = true;
  for (std::size_t i = 0; i < run_.requests.size(); ++i) {
    const RunObservation& o = run_.requests[i];
    add(i, kAll, 1);
    if (o.failed) add(i, kFailed, 1);
    if (o.client_error) add(i, kClientError, 1);
    if (o.duration < 0) continue;
    seed_ = ground::fnv_step(seed_, static_cast<std::uint64_t>(o.duration));
    add(i, kTimed, 1);
    std::int64_t own = o.duration;
    for (std::uint32_t a = o.accounts_at; a < o.accounts_at + o.accounts_n; ++a) {
      const auto& [account, ns] = run_.accounts[a];
      add(i, kFirstAccount + account, static_cast<double>(ns));
      if (model::gate::waits_for_cpu(account)) own -= ns;
    }
    add(i, kOwn, static_cast<double>(own));
    own_.emplace_back(own, static_cast<std::uint32_t>(i));
    std::fill(calls.begin(), calls.end(), 0.0);
    for (; made != run_.made.end() && made->request <= i; ++made)
      if (place_of[made->callee] != SIZE_MAX) calls[place_of[made->callee]] += made->calls;
    const auto note = [&](std::size_t column, double value) {
      if (value != 0) add(i, column, value);
      Span& span = spans_[column];
      span = first ? Span{value, value} : Span{std::min(span.least, value), std::max(span.most, value)};
    };
    for (std::size_t c = 0; c < model::gate::kCounts; ++c) {
      unknown_[c] = unknown_[c] || o.counts[c] < 0;
      note(kFirstCount + c, static_cast<double>(std::max<std::int64_t>(0, o.counts[c])));
    }
    for (std::size_t c = 0; c < calls.size(); ++c) note(kFirstCallee + c, calls[c]);
    first = false;
  }
}

void SideSample::draw_errors() {
  std::vector<std::size_t> columns;
  for (std::size_t c = kOwn; c < width_; ++c)
    if (totals_[c] != 0) columns.push_back(c);
  std::vector<double> sums(width_);
  for (const Grouping& g : groupings_) {
    if (g.blocks.count == 0) continue;
    model::Draws draws(seed_);
    std::vector<double> times(g.blocks.count);
    std::vector<Moments> moments(columns.size());
    for (std::size_t r = 0; r < model::kReplicates; ++r) {
      model::draw(draws, times);
      double all = 0, timed = 0;
      std::fill(sums.begin(), sums.end(), 0.0);
      for (std::size_t b = 0; b < times.size(); ++b) {
        if (times[b] == 0) continue;
        const double* const row = &g.sums[b * width_];
        all += times[b] * row[kAll];
        timed += times[b] * row[kTimed];
        for (const std::size_t c : columns) sums[c] += times[b] * row[c];
      }
      for (std::size_t k = 0; k < columns.size(); ++k) {
        const double n = columns[k] == kFailed || columns[k] == kClientError ? all : timed;
        if (n > 0) moments[k].add(sums[columns[k]] / n);
      }
    }
    for (std::size_t k = 0; k < columns.size(); ++k)
      errors_[columns[k]] = std::max(errors_[columns[k]], moments[k].deviation());
  }
}

SideValue SideSample::of_timed(std::size_t column) const {
  return {.value = totals_[column] / static_cast<double>(size()), .se = errors_[column]};
}

SideValue SideSample::own_p99() const {
  SideValue out;
  if (size() < kLeastOfP99) return {.known = false};
  const std::size_t rank = static_cast<std::size_t>(std::ceil(0.99 * static_cast<double>(size()) - 1e-9)) - 1;
  out.value = static_cast<double>(std::max<std::int64_t>(1, own_[rank].first));
  for (const Grouping& g : groupings_)
    if (g.blocks.count > 0) out.se = std::max(out.se, p99_error(g.blocks));
  return out;
}

// That of its logarithm.
double SideSample::p99_error(const model::TimeBlocks& blocks) const {
  const auto from = static_cast<std::size_t>(kTailFrom * static_cast<double>(size()));
  std::vector<double> below(blocks.count), all(blocks.count), times(blocks.count);
  for (std::size_t i = 0; i < size(); ++i) {
    const std::uint32_t block = blocks.of[own_[i].second];
    ++all[block];
    if (i < from) ++below[block];
  }
  model::Draws draws(seed_);
  Moments moments;
  for (std::size_t r = 0; r < model::kReplicates; ++r) {
    model::draw(draws, times);
    double total = 0, passed = 0;
    for (std::size_t b = 0; b < times.size(); ++b) {
      total += times[b] * all[b];
      passed += times[b] * below[b];
    }
    std::size_t i = from;
    while (i + 1 < size() && (passed += times[blocks.of[own_[i].second]]) < 0.99 * total) ++i;
    moments.add(std::log(static_cast<double>(std::max<std::int64_t>(1, own_[i].first))));
  }
  return moments.deviation();
}

SideValue SideSample::share(bool failed) const {
  const std::size_t column = failed ? kFailed : kClientError;
  const double n = static_cast<double>(all()), least = (totals_[column] + 1) / (n + 2);
  // At least what chance alone makes, with one more than there were.
  return {.value = totals_[column] / n, .se = std::max(errors_[column], std::sqrt(least * (1 - least) / n))};
}

SideValue SideSample::count(std::size_t which) const {
  const std::size_t column = kFirstCount + which;
  SideValue out = of_timed(column);
  const Span& span = spans_[column];
  out.known = !unknown_[which];
  out.constant = span.least == span.most;
  if (!out.constant) out.se = std::max(out.se, std::sqrt(totals_[column] + 1) / static_cast<double>(size()));
  return out;
}

SideValue SideSample::calls_of(std::size_t callee) const {
  const std::size_t column = kFirstCallee + callee;
  SideValue out = of_timed(column);
  const Span& span = spans_[column];
  out.constant = span.least == span.most;
  if (!out.constant) out.se = std::max(out.se, std::sqrt(totals_[column] + 1) / static_cast<double>(size()));
  return out;
}

std::uint64_t SideSample::calls_in_all(std::size_t callee) const {
  return static_cast<std::uint64_t>(totals_[kFirstCallee + callee]);
}

}  // namespace tailcap::compare
