#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "analyze/tail/load/load_study.h"

namespace tailcap::tail::load {
namespace {

using formats::nanoseconds;
using model::Duration;

constexpr std::size_t kShown = 5;
constexpr std::uint64_t kLeastRequests = 20;  // with several calls at once; fewer have no share worth a figure
constexpr std::size_t kForP99 = 2000;         // calls; with fewer the 95th percentile is looked at

struct Call {
  std::int64_t start = 0, end = 0;
  std::uint32_t row = 0;
};

// A request's calls with known ends, if at least two overlap.
std::vector<Call> parallel_calls(const model::RequestTable& table, const slow::Links& links, model::ExchangeId parent) {
  std::vector<Call> calls;
  for (const auto& [from, id] : links.calls_of(parent)) {
    const auto row = links.row_of(id);
    if (!row || !table.all().has_duration(*row) || !formats::known(table.all().start(*row))) continue;
    const std::int64_t start = nanoseconds(table.all().start(*row));
    calls.push_back({start, start + table.all().duration(*row).count(), *row});
  }
  std::sort(calls.begin(), calls.end(),
            [](const Call& a, const Call& b) { return std::tie(a.start, a.row) < std::tie(b.start, b.row); });
  bool overlap = false;
  std::int64_t until = INT64_MIN;
  for (const Call& c : calls) {
    overlap = overlap || c.start < until;
    until = std::max(until, c.end);
  }
  if (!overlap) calls.clear();
  return calls;
}

}  // namespace

std::optional<model::FanOut> fan_out(const model::RequestTable& table, const std::vector<std::uint32_t>& rows,
                                     const slow::Links& links) {
  struct Parent {
    std::uint32_t calls = 0;
    std::int64_t slowest = 0;
  };
  std::vector<Parent> parents;
  std::vector<std::int64_t> durations;
  std::map<std::tuple<model::TextId, model::TextId, model::TextId>, std::uint64_t> slowest;
  for (const std::uint32_t i : rows) {
    const auto calls = parallel_calls(table, links, table.rows.id(i));
    if (calls.empty()) continue;
    const auto longest = std::max_element(
        calls.begin(), calls.end(), [](const Call& a, const Call& b) { return a.end - a.start < b.end - b.start; });
    parents.push_back({static_cast<std::uint32_t>(calls.size()), longest->end - longest->start});
    for (const Call& c : calls) durations.push_back(c.end - c.start);
    const model::Request call = table.all()[longest->row];
    ++slowest[{call.method, call.route, call.authority}];
  }
  if (parents.size() < kLeastRequests) return std::nullopt;
  model::FanOut out;
  out.requests = parents.size();
  out.calls = static_cast<double>(durations.size()) / static_cast<double>(parents.size());
  out.quantile = durations.size() >= kForP99 ? 0.99 : 0.95;
  std::sort(durations.begin(), durations.end());
  const double n = static_cast<double>(durations.size());
  const std::int64_t limit = durations[static_cast<std::size_t>(std::ceil(out.quantile * n - 1e-9)) - 1];
  out.limit = Duration{limit};
  out.slow_calls =
      static_cast<double>(durations.end() - std::upper_bound(durations.begin(), durations.end(), limit)) / n;
  for (const Parent& p : parents) {
    out.observed += p.slowest > limit;
    out.independent += 1 - std::pow(1 - out.slow_calls, p.calls);
  }
  out.observed /= static_cast<double>(parents.size());
  out.independent /= static_cast<double>(parents.size());
  for (const auto& [call, count] : slowest)
    out.slowest.push_back({std::get<0>(call), std::get<1>(call), std::get<2>(call), count});
  std::stable_sort(out.slowest.begin(), out.slowest.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  if (out.slowest.size() > kShown) out.slowest.resize(kShown);
  return out;
}

}  // namespace tailcap::tail::load
