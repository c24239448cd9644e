#include <algorithm>
#include <cmath>
#include <map>

#include "analyze/tail/calls.h"
#include "analyze/tail/delivery/undelivered.h"
#include "analyze/tail/load/load_study.h"
#include "analyze/tail/rows/quantiles.h"
#include "analyze/tail/rows/routes.h"
#include "analyze/tail/rows/standing.h"
#include "analyze/tail/study.h"
#include "analyze/tail/tail_study.h"
#include "analyze/tail/verdict/failing.h"
#include "analyze/tail/verdict/unfinished.h"
#include "ground/memory.h"
#include "ground/number_sort.h"

namespace tailcap::tail {
namespace {

using formats::known;
using formats::nanoseconds;
using model::Band;
using model::CcdfPoint;
using model::Duration;
using model::Outcome;
using model::Request;
using model::RequestTable;
using model::RouteStudy;
using model::TimePoint;

constexpr std::size_t kCcdfPoints = 400;
constexpr std::int64_t kBuckets = 240;
constexpr std::size_t kSlowestOfRoute = 20;

bool failure(const model::Rows& rows, std::size_t i) {
  const Outcome outcome = rows.outcome(i);
  return outcome == Outcome::server_error || outcome == Outcome::client_error ||
         standing_of(rows, i) == DurationStanding::failed;
}

// rows: ascending.
std::vector<Band> bands(const RequestTable& table, const std::vector<std::uint32_t>& rows) {
  std::vector<ground::Ranked> order;
  order.reserve(rows.size());
  for (std::uint32_t i = 0; i < rows.size(); ++i) order.push_back({table.rows.duration(rows[i]).count(), i});
  ground::sort_ranked(order);
  std::vector<Band> out;
  std::vector<double> totals;
  std::vector<std::uint8_t> band_of(rows.size());
  const double n = static_cast<double>(rows.size());
  std::size_t at = 0;
  for (std::size_t b = 0; b + 1 < kBandEdges.size(); ++b) {
    Band band{.from = kBandEdges[b], .to = kBandEdges[b + 1]};
    // A request belongs to the band in which its rank ends, as in the quantiles: p50 is the last of the first band.
    const auto end = b + 2 == kBandEdges.size() ? rows.size() : static_cast<std::size_t>(std::ceil(band.to * n - 1e-9));
    double& total = totals.emplace_back();
    for (; at < end; ++at) {
      ++band.count;
      total += static_cast<double>(order[at].by);
      band_of[order[at].place] = static_cast<std::uint8_t>(b);
    }
    out.push_back(band);
  }
  // In the order of the table: in that of durations, each row would be a cache miss.
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto phases = table.rows.work(rows[i]).phases;
    Band& band = out[band_of[i]];
    for (std::size_t p = 0; p < phases.size(); ++p) band.phases[p] += static_cast<double>(phases[p]);
  }
  for (std::size_t b = 0; b < out.size(); ++b) {
    if (out[b].count == 0) continue;
    const auto count = static_cast<double>(out[b].count);
    out[b].mean = Duration{std::llround(totals[b] / count)};
    for (double& p : out[b].phases) p /= count;
  }
  return out;
}

// Both ends stay exact; in between points are as dense in value as in share, both on a logarithmic scale.
std::vector<CcdfPoint> ccdf(std::span<const std::int64_t> sorted) {
  std::vector<CcdfPoint> out;
  const std::size_t n = sorted.size();
  if (n == 0) return out;
  std::vector<std::size_t> ranks;  // indexes into sorted
  if (n <= kCcdfPoints) {
    for (std::size_t i = 0; i < n; ++i) ranks.push_back(i);
  } else {
    constexpr std::size_t half = kCcdfPoints / 2 - 1;
    const double count = static_cast<double>(n);
    const double low = std::log(static_cast<double>(std::max<std::int64_t>(1, sorted.front())));
    const double high = std::log(static_cast<double>(std::max<std::int64_t>(1, sorted.back())));
    for (std::size_t k = 0; k <= half; ++k) {
      const double part = static_cast<double>(k) / static_cast<double>(half);
      const auto above = static_cast<std::size_t>(std::pow(count, part));
      ranks.push_back(n - std::clamp<std::size_t>(above, 1, n));
      const double value = std::exp(low + (high - low) * part);
      const auto at = std::lower_bound(sorted.begin(), sorted.end(), value,
                                       [](std::int64_t x, double v) { return static_cast<double>(x) < v; });
      ranks.push_back(std::min(n - 1, static_cast<std::size_t>(at - sorted.begin())));
    }
    std::sort(ranks.begin(), ranks.end());
  }
  for (const std::size_t i : ranks) {
    const auto above =
        static_cast<std::size_t>(sorted.end() - std::upper_bound(sorted.begin(), sorted.end(), sorted[i]));
    const CcdfPoint point{Duration{sorted[i]}, static_cast<double>(above) / static_cast<double>(n)};
    if (out.empty() || out.back().at != point.at) out.push_back(point);
  }
  return out;
}

// 1, 2 or 5 times a power of ten, so that at most kBuckets cover the span.
std::int64_t bucket_width(std::int64_t span) {
  for (std::int64_t unit = 1'000'000; unit < INT64_MAX / 100; unit *= 10)
    for (const std::int64_t step : {unit, 2 * unit, 5 * unit})
      if (span / step < kBuckets) return step;
  return INT64_MAX / 10;
}

std::vector<TimePoint> over_time(const RequestTable& table, const std::vector<std::uint32_t>& rows,
                                 const model::Study& study) {
  std::vector<TimePoint> out;
  const std::int64_t begin = nanoseconds(study.begin),
                     width = bucket_width(std::max<std::int64_t>(0, nanoseconds(study.end) - begin));
  std::vector<std::int64_t> durations;
  std::int64_t bucket = -1;
  TimePoint point;
  const auto flush = [&] {
    if (bucket < 0) return;
    std::sort(durations.begin(), durations.end());
    const auto at = [&](double q) {
      const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(durations.size()) - 1e-9));
      return Duration{durations[std::max<std::size_t>(1, rank) - 1]};
    };
    if (!durations.empty()) {
      point.p50 = at(0.5);
      point.p99 = at(0.99);
      point.max = Duration{durations.back()};
    }
    out.push_back(point);
  };
  for (const std::uint32_t i : rows) {
    const formats::Time start = table.rows.start(i);
    if (!known(start)) continue;
    const std::int64_t b = std::clamp<std::int64_t>((nanoseconds(start) - begin) / width, 0, kBuckets);
    if (b != bucket) {
      flush();
      bucket = b;
      durations.clear();
      point = {.from = formats::time_from(begin + b * width)};
    }
    point.errors += failure(table.rows, i);
    if (!table.rows.has_duration(i)) continue;
    ++point.count;
    durations.push_back(table.rows.duration(i).count());
  }
  flush();
  return out;
}

model::HeldUp held_up(std::vector<std::int64_t>& ns) {
  model::HeldUp out;
  out.count = ns.size();
  if (ns.empty()) return out;
  const auto middle = ns.begin() + static_cast<std::ptrdiff_t>((ns.size() - 1) / 2);
  std::nth_element(ns.begin(), middle, ns.end());
  out.median = Duration{*middle};
  out.longest = Duration{*std::max_element(ns.begin(), ns.end())};
  return out;
}

void count_row(const model::Rows& rows, std::size_t i, model::RowBytes bytes, DurationStanding standing,
               RouteStudy& out) {
  if (rows.complete(i) && rows.has_duration(i)) {
    ++out.count;
    out.tainted += rows.taints(i) != 0;
  } else {
    ++out.incomplete;
  }
  out.latency_tainted += standing == DurationStanding::doubtful;
  out.of_store = is_store(rows.protocol(i));
  out.client_errors += rows.outcome(i) == Outcome::client_error;
  out.server_errors += rows.outcome(i) == Outcome::server_error;
  out.other_failures += standing == DurationStanding::failed;
  if (bytes.request >= 0)
    out.request_bytes += static_cast<std::uint64_t>(bytes.request);
  else
    ++out.request_bytes_unknown;
  if (bytes.response >= 0)
    out.response_bytes += static_cast<std::uint64_t>(bytes.response);
  else
    ++out.response_bytes_unknown;
}

// As Durations::push, until the first byte of the response.
bool push_first_byte(const Request& row, DurationStanding standing, formats::Time end, Durations& out,
                     Shortfall& shortfall) {
  const bool known = row.first_byte.count() >= 0;
  if (standing == DurationStanding::clean && !known) {
    ++shortfall.tainted;
    return false;
  }
  if ((standing != DurationStanding::clean && standing != DurationStanding::failed) || !known)
    return out.push(row, standing, end, shortfall);
  out.in_order.push_back(row.first_byte.count());
  return true;
}

std::array<model::Quantile, model::kQuantiles.size()> quantiles(const Sample& sample, const Shortfall& shortfall) {
  std::array<model::Quantile, model::kQuantiles.size()> out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = sample.quantile(model::kQuantiles[i], shortfall);
  return out;
}

// Counts requests and gathers their durations.
class Tally {
 public:
  Tally(const model::Study& study, std::size_t requests)
      : study_(study), sampled_(study.quality.sampling.some()), seconds_(seconds_of(study)) {
    durations_.in_order.reserve(requests);  // no second copy when they grow
  }

  void push(const model::Rows& rows, std::size_t i, model::RowBytes bytes, DurationStanding standing, RouteStudy& out) {
    count_row(rows, i, bytes, standing, out);
    if (durations_.push(rows, i, standing, study_.end, shortfall_) && sampled_)
      connections_.push_back(rows.id(i).connection);
  }
  // After the last request. without_end is left.
  Sample sample(RouteStudy& out) {
    if (seconds_ > 0) out.per_second = static_cast<double>(out.count) / seconds_;
    complete(shortfall_);
    Sample sample(std::move(durations_.in_order), std::move(connections_), durations_.without_end);
    out.latency = quantiles(sample, shortfall_);
    return sample;
  }
  void complete(Shortfall& shortfall) const {
    // Requests of which nothing was seen could all be of this route, and slower than any.
    shortfall.tainted += study_.quality.unseen;
    shortfall.seconds = seconds_;
  }
  const WithoutEnd& without_end() const { return durations_.without_end; }

 private:
  static double seconds_of(const model::Study& study) {
    return static_cast<double>((study.end - study.begin).count()) * 1e-9;
  }

  const model::Study& study_;
  const bool sampled_;
  const double seconds_;
  Durations durations_;
  Shortfall shortfall_;
  std::vector<std::uint32_t> connections_;  // where they are sampled: of the durations
};

// rows: with a duration.
verdict::Ended ended_of(const RequestTable& table, const std::vector<std::uint32_t>& rows) {
  verdict::Ended out;
  std::vector<std::int64_t>& all = out.durations;
  for (const std::uint32_t row : rows)
    if (standing_of(table.rows, row) == DurationStanding::clean) all.push_back(table.rows.duration(row).count());
  if (all.empty()) return out;
  const auto rank = all.begin() + static_cast<std::ptrdiff_t>((all.size() * 99 + 99) / 100 - 1);
  std::nth_element(all.begin(), rank, all.end());
  out.usual = *rank;
  return out;
}

std::vector<std::uint32_t> slowest_of_route(const RequestTable& table, std::vector<std::uint32_t> rows) {
  const auto shown = rows.begin() + static_cast<std::ptrdiff_t>(std::min(kSlowestOfRoute, rows.size()));
  std::partial_sort(rows.begin(), shown, rows.end(), [&](std::uint32_t a, std::uint32_t b) {
    const auto x = table.rows.duration(a), y = table.rows.duration(b);
    return x != y ? x > y : a < b;
  });
  return {rows.begin(), shown};
}

model::Estimate estimate_of(const std::map<model::ConnectionId, double>& by_connection,
                            const model::Sampling& sampling) {
  std::vector<double> sizes;
  for (const auto& [connection, requests] : by_connection) sizes.push_back(requests);
  return model::whole_of(sizes, sampling.of);
}

}  // namespace

RouteStudy count_calls(const RequestTable& table, const std::vector<std::uint32_t>& rows, const model::Study& study) {
  RouteStudy out;
  Tally tally(study, rows.size());
  for (const std::uint32_t i : rows) tally.push(table.rows, i, table.rows.bytes(i), standing_of(table.rows, i), out);
  tally.sample(out);
  return out;
}

RouteStudy study_route(const RequestTable& table, const std::vector<std::uint32_t>& rows, const model::Study& study,
                       const slow::Links* links) {
  RouteStudy out;
  const Request any = table.rows[rows.front()];
  out.method = table.texts[any.method];
  out.route = table.texts[any.route];
  out.role = any.role;

  std::map<model::TextId, std::uint64_t> comms, handlers;
  Tally tally(study, rows.size());
  Shortfall first_shortfall;
  Durations first_bytes;
  std::vector<std::int64_t> windows, turns, places;
  std::array<std::vector<std::int64_t>, 3> setups;  // names, connects, TLS handshakes
  std::vector<std::uint32_t> by_duration, timed;
  first_bytes.in_order.reserve(rows.size());
  by_duration.reserve(rows.size());
  timed.reserve(rows.size());
  std::vector<std::uint32_t> first_byte_of;     // connections
  std::map<model::ConnectionId, double> sizes;  // requests
  const bool sampled = study.quality.sampling.some();
  bool calls = false;
  for (const std::uint32_t i : rows) {
    const Request row = table.rows[i];
    const DurationStanding standing = standing_of(row);
    tally.push(table.rows, i, {row.request_bytes, row.response_bytes}, standing, out);
    if (row.complete && row.has_duration) ++sizes[row.id.connection];
    calls = calls || model::is_call(row);
    if (const auto ns =
            std::max<std::int64_t>(0, row.request_flow_control) + std::max<std::int64_t>(0, row.response_flow_control);
        ns > 0)
      windows.push_back(ns);
    if (row.behind_others > 0) turns.push_back(row.behind_others);
    if (row.stream_limit >= 0) places.push_back(row.stream_limit);
    if (const model::Setup* s = table.setups.find(row.id)) {
      const std::array<Duration, 3> parts = {s->dns(), s->connect(), s->tls()};
      for (std::size_t n = 0; n < parts.size(); ++n)
        if (parts[n].count() >= 0) setups[n].push_back(parts[n].count());
    }
    ++comms[row.comm];
    if (const model::TextId handler = table.handlers.find(row.id); handler != 0) ++handlers[handler];
    if (row.has_duration) timed.push_back(i);
    if (standing == DurationStanding::clean && row.has_phases) by_duration.push_back(i);
    if (push_first_byte(row, standing, study.end, first_bytes, first_shortfall) && sampled)
      first_byte_of.push_back(row.id.connection);
  }
  out.flow_control = held_up(windows);
  out.behind_others = held_up(turns);
  out.stream_limit = held_up(places);
  out.dns = held_up(setups[0]);
  out.connect = held_up(setups[1]);
  out.tls_handshake = held_up(setups[2]);
  if (calls) out.calls = study_calls(table, rows);
  const auto most = std::max_element(comms.begin(), comms.end(), [&](const auto& a, const auto& b) {
    return a.second != b.second ? a.second < b.second : table.texts[a.first] > table.texts[b.first];
  });
  out.comm = table.texts[most->first];
  for (const auto& [handler, n] : handlers) out.handlers.emplace_back(table.texts[handler], n);
  std::sort(out.handlers.begin(), out.handlers.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  out.connections = sizes.size();
  if (study.quality.sampling.scales() && out.count > 0) out.all = estimate_of(sizes, study.quality.sampling);

  tally.complete(first_shortfall);
  // Routes can have millions of requests: each list of them is dropped where it is no longer needed.
  out.first_byte =
      quantiles(Sample(std::move(first_bytes.in_order), std::move(first_byte_of), std::move(first_bytes.without_end)),
                first_shortfall);
  Sample latency = tally.sample(out);
  const double correlation = latency.correlation();
  out.independent_periods = static_cast<double>(latency.size()) / correlation;
  std::vector<std::int64_t> sorted = std::move(latency).take_sorted();
  out.ccdf = ccdf(sorted);
  ground::release(sorted);
  out.bands = bands(table, by_duration);
  ground::release(by_duration);
  out.over_time = over_time(table, rows, study);
  verdict::Ended ended;
  if (links && table.unfinished.size() > 0) ended = ended_of(table, timed);
  out.slowest = slowest_of_route(table, std::move(timed));
  out.load = load::study_load(table, rows, study, links);
  if (links && table.partitions.size() > 0)
    out.tail = study_tail(
        table, rows, study, *links,
        {correlation, &out.latency[2], &out.latency[3], &tally.without_end(), out.route == kOtherRoute, sampled});
  if (links && out.server_errors + out.other_failures > 0)
    out.failing = verdict::failing_verdict(rows, {table, study, *links});
  if (links && table.unfinished.size() > 0)
    out.unfinished = verdict::unfinished_verdict(rows, ended, {table, study, *links});
  if (links) out.undelivered = delivery::undelivered_verdict(rows, {table, study, *links});
  return out;
}

}  // namespace tailcap::tail
