#include "analyze/tail/load/load_study.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace tailcap::tail::load {
namespace {

using formats::known;
using formats::nanoseconds;
using model::Duration;
using model::Label;
using model::Role;

// Sooner than any person and most timers: the next request was ready and waiting.
constexpr std::int64_t kAtOnce = 1'000'000;
constexpr double kClosedLoop = 0.9;
constexpr std::uint64_t kLeastNext = 100;  // fewer say nothing about how a client works

}  // namespace

std::vector<model::HeadOfLine> head_of_line(const model::RequestTable& table, const std::vector<std::uint32_t>& rows) {
  struct Held {
    explicit Held(Label label) { of.label = label; }
    model::HeadOfLine of;
    std::int64_t in_request = 0;
    std::map<model::ConnectionId, std::uint64_t> connections;
  };
  std::array<Held, 3> all{Held(Label::q_hol_h1), Held(Label::q_hol_h2), Held(Label::net_reorder)};
  for (const std::uint32_t i : rows) {
    const model::ExchangeId id = table.rows.id(i);
    for (const model::AccountPart& p : table.partitions.parts(id))
      for (Held& held : all)
        if (held.of.label == p.label) held.in_request += p.time;
    for (Held& held : all) {
      const std::int64_t ns = std::exchange(held.in_request, 0);
      if (ns == 0) continue;
      held.of.time += ns;
      ++held.of.requests;
      ++held.connections[id.connection];
    }
  }
  std::vector<model::HeadOfLine> out;
  for (Held& held : all) {
    if (held.of.requests == 0) continue;
    held.of.connections = held.connections.size();
    for (const auto& [connection, count] : held.connections)
      if (count > held.of.worst_requests) {
        held.of.worst = connection;
        held.of.worst_requests = count;
      }
    out.push_back(held.of);
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.time > b.time; });
  return out;
}

std::optional<model::RetryStudy> retries(const model::RequestTable& table, const std::vector<std::uint32_t>& rows) {
  struct Call {
    std::uint32_t attempts = 0;
    std::int64_t begin = INT64_MAX, end = INT64_MIN, sum = 0;
    bool known = true;
  };
  std::map<model::ExchangeId, Call> calls;  // of those with several attempts, by the first
  model::RetryStudy out;
  std::set<model::ExchangeId> repeated;
  for (const std::uint32_t i : rows) {
    if (table.rows.role(i) != Role::client || !table.rows.has_rare(i)) continue;
    if (const model::Request row = table.rows[i]; row.attempt > 1 && row.attempt_of.connection != 0)
      repeated.insert(row.attempt_of);
  }
  if (repeated.empty()) return std::nullopt;
  for (const std::uint32_t i : rows) {
    const model::Request row = table.rows[i];
    ++out.attempts;
    const model::ExchangeId first = row.attempt > 1 ? row.attempt_of : row.id;
    if (!repeated.contains(first)) continue;
    Call& call = calls[first];
    ++call.attempts;
    const std::int64_t length = row.has_duration ? row.duration.count() : row.reset_after;
    call.known = call.known && known(row.start) && length >= 0;
    if (!call.known) continue;
    call.begin = std::min(call.begin, nanoseconds(row.start));
    call.end = std::max(call.end, nanoseconds(row.start) + length);
    call.sum += length;
  }
  std::uint64_t timed = 0, timed_attempts = 0;
  std::int64_t of_calls = 0, of_attempts = 0, further = 0;
  for (const auto& [first, call] : calls) {
    further += call.attempts - 1;
    if (call.attempts < 2) continue;
    ++out.retried;
    if (!call.known) continue;
    ++timed;
    timed_attempts += call.attempts;
    of_calls += call.end - call.begin;
    of_attempts += call.sum;
  }
  if (out.retried == 0) return std::nullopt;
  out.calls = out.attempts - static_cast<std::uint64_t>(further);
  if (timed > 0) {
    out.call_mean = Duration{of_calls / static_cast<std::int64_t>(timed)};
    out.attempt_mean = Duration{of_attempts / static_cast<std::int64_t>(timed_attempts)};
  }
  return out;
}

model::Arrivals arrivals(const model::RequestTable& table) {
  model::Arrivals out;
  bool served = false;
  for (std::size_t i = 0; i < table.rows.size() && !served; ++i) served = table.rows.role(i) == Role::server;
  out.role = served ? Role::server : Role::client;
  struct Last {
    std::int64_t end = 0;
    bool counted = false, known = false;
  };
  std::map<model::ConnectionId, Last> last;
  // In order of start: on a connection without streams the request before is the last one seen.
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    if (table.rows.role(i) != out.role || !known(table.rows.start(i))) continue;
    const model::Protocol protocol = table.rows.protocol(i);
    if (protocol != model::Protocol::http10 && protocol != model::Protocol::http11) continue;
    Last& before = last[table.rows.id(i).connection];
    const std::int64_t start = nanoseconds(table.rows.start(i));
    if (before.known) {
      out.connections += !before.counted;
      before.counted = true;
      ++out.next;
      out.at_once += start - before.end < kAtOnce;
    }
    before.known = table.rows.has_duration(i);
    before.end = start + table.rows.duration(i).count();
  }
  out.closed_loop =
      out.next >= kLeastNext && static_cast<double>(out.at_once) >= kClosedLoop * static_cast<double>(out.next);
  return out;
}

model::LoadStudy study_load(const model::RequestTable& table, const std::vector<std::uint32_t>& rows,
                            const model::Study& study, const slow::Links* links) {
  model::LoadStudy out;
  if (table.partitions.size() > 0) out.head_of_line = head_of_line(table, rows);
  // What was under way, and which calls and attempts belong together, is not known of the connections left out.
  if (study.quality.sampling.some()) return out;
  out.in_flight = in_flight_bands(table, rows);
  out.little = little_check(table, rows, study.begin, study.end);
  if (links) out.fan_out = fan_out(table, rows, *links);
  out.retries = retries(table, rows);
  return out;
}

}  // namespace tailcap::tail::load
