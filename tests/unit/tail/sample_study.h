// A handmade study with everything a report can contain: loss, refusals, marks, hostile names.
#pragma once

#include <cmath>

#include "analyze/model/study/study.h"
#include "formats/recorder_event.h"

namespace tailcap::tests {

struct SampleStudy {
  model::Study study;
  model::RequestTable table;
};

inline formats::Duration ms(double n) { return formats::Duration{std::llround(n * 1e6)}; }
inline formats::Time at(double seconds) { return formats::time_from(5'000'000'000'000 + std::llround(seconds * 1e9)); }

inline model::Request sample_request(model::TextPool& texts, std::uint32_t connection, double start,
                                     double milliseconds, std::string_view path,
                                     model::Role role = model::Role::server) {
  model::Request r;
  r.id = {connection, 3};
  r.start = at(start);
  r.duration = ms(milliseconds);
  r.first_byte = ms(milliseconds * 0.9);
  r.method = texts.intern("GET");
  r.path = texts.intern(path);
  r.comm = texts.intern("nginx");
  r.pid = 17;
  r.tid = 18;
  r.status = 200;
  r.role = role;
  r.protocol = model::Protocol::http11;
  r.outcome = model::Outcome::ok;
  r.complete = r.has_duration = r.has_phases = true;
  const std::int64_t total = r.duration.count();
  r.phases = std::array<std::int64_t, 6>{total / 50, total / 100, 0, 0, total - total / 50 - total / 100 - total / 20,
                                         total / 20};
  return r;
}

inline model::Quantile sample_quantile(double q, double value) {
  return {q, model::Support::full, ms(value), ms(value * 0.96), ms(value * 1.05), 3300, ""};
}

inline model::RouteStudy sample_route(std::string method, std::string name, double base, std::uint64_t count,
                                      model::Role role = model::Role::server) {
  model::RouteStudy r;
  r.method = std::move(method);
  r.route = std::move(name);
  r.role = role;
  r.comm = "nginx";
  r.count = count;
  r.per_second = static_cast<double>(count) / 30;
  r.server_errors = count / 200;
  r.client_errors = count / 100;
  r.response_bytes = count * 1234;
  const double factors[] = {1, 2, 3, 12, 40};
  for (std::size_t i = 0; i < 5; ++i) {
    r.latency[i] = sample_quantile(model::kQuantiles[i], base * factors[i]);
    r.first_byte[i] = sample_quantile(model::kQuantiles[i], base * factors[i] * 0.9);
  }
  model::TailStudy& tail = r.tail.emplace();
  const double cuts[] = {0, 0.5, 0.9, 0.99, 1};
  const double means[] = {0.8, 1.5, 6, 30};
  for (int i = 0; i < 4; ++i) {
    model::Band b;
    b.from = cuts[i];
    b.to = cuts[i + 1];
    b.count = static_cast<std::uint64_t>(std::llround(static_cast<double>(count) * (b.to - b.from)));
    const double mean = base * means[i] * 1e6;
    b.phases = {mean * 0.02, mean * 0.01, 0, 0, 0, mean * 0.05};
    b.phases[4] = mean - b.phases[0] - b.phases[1] - b.phases[5];
    b.mean = formats::Duration{std::llround(mean)};
    r.bands.push_back(b);
    const auto lock = b.mean.count() * 9 / 10;
    tail.bands.push_back({b.from,
                          b.to,
                          b.count,
                          b.mean.count(),
                          {{model::Label::lock_futex, lock}, {model::Label::cpu, b.mean.count() - lock}}});
  }
  for (int i = 0; i <= 200; ++i) {
    const double share = std::pow(10, -i / 50.0);  // 1 to 1e-4
    r.ccdf.push_back({ms(base * 0.5 * std::pow(share, -0.6)), share});
  }
  for (int i = 0; i < 60; ++i) {
    model::TimePoint p;
    p.from = at(i * 0.5);
    p.count = i == 21 ? 0 : 100;
    const double wave = 1 + 0.3 * std::sin(i / 5.0) + (i == 40 ? 5 : 0);
    p.p50 = ms(base * wave);
    p.p99 = ms(base * 12 * wave);
    p.max = ms(base * 25 * wave);
    r.over_time.push_back(p);
  }
  return r;
}

inline SampleStudy sample_study() {
  SampleStudy s;
  auto& q = s.study.quality;
  s.study.begin = at(0);
  s.study.end = at(30);
  q.preamble.host = "web-1";
  q.preamble.kernel = "6.18.0";
  q.preamble.cpus = 2;
  q.preamble.tier = formats::HookTier::a;
  q.preamble.tier_reason = "sock_send_length is there";
  q.preamble.payload_limit = 4096;
  q.preamble.targets = {"pid 17"};
  q.preamble.notes = {{"version", "1.2.3"}};
  q.file.state = formats::CaptureState::complete;
  q.file.file_bytes = 1'234'567;
  q.file.blocks = 130;
  q.file.first = at(0);
  q.file.last = at(30);
  q.duration = ms(30000);
  q.events = 1'234'567;
  q.requests = 24'710;
  q.exchanges = 24'710;
  q.complete = 24'690;
  q.incomplete = 18;
  q.unknown = 2;
  q.tainted = 0;
  q.connections = 123;
  q.connections_http = 120;
  q.connections_other = 3;
  q.retransmits = 4;
  q.realtime_offset = 1'772'368'496'789'000'000 - 5'000'000'000'000;
  q.clock_error = formats::Duration{1200};
  q.recorder_cpu = ms(430);
  q.recorder_resident = 23'000'000;
  q.recorder_known = true;
  q.program_runs = 1'300'000;
  q.program_time = ms(250);
  q.processes = {{17, "nginx", "nginx -g daemon off;", 24'700, true, ""}};
  s.study.routes.push_back(sample_route("GET", "/users/{}", 1.2, 12'345));
  s.study.routes.push_back(sample_route("POST", "/orders", 4.1, 12'000));
  s.study.routes.push_back(sample_route("GET", "/health", 0.08, 345));
  auto& small = s.study.routes[2].latency;
  small[3] = {0.99, model::Support::low, ms(0.9), ms(0.7), ms(4.2), 345, ""};
  small[4] = {0.999,
              model::Support::lower_only,
              ms(0.9),
              ms(0.9),
              {},
              345,
              "p99.9 needs 3,688 independent requests for an upper bound, there are 345"};
  s.study.routes.push_back(sample_route("GET", "/prices", 2.5, 4'000, model::Role::client));
  for (int i = 0; i < 12; ++i) {
    auto row = sample_request(s.table.texts, static_cast<std::uint32_t>(12 + i), 3.21 + i, 60 - 4 * i,
                              i % 3 ? "/users/" + std::to_string(700 + i) : std::string("/orders"));
    row.id.index = static_cast<std::uint32_t>(1 + 5 * i);
    s.table.rows.push_back(row);
    s.study.slowest.push_back(static_cast<std::uint32_t>(i));
    s.study.routes[i % 3 ? 0 : 1].slowest.push_back(static_cast<std::uint32_t>(i));
  }
  s.study.failures = {{"10.0.0.9:5432", "refused", 17}, {"10.0.0.7:80", "timed out", 2}};
  return s;
}

// The same with everything that can go wrong: loss, damage, clear-text headers, refusals, and malicious names.
inline SampleStudy hostile_study() {
  SampleStudy s = sample_study();
  auto& q = s.study.quality;
  const std::string evil =
      "<script>alert(1)</script>'\"`touch /tmp/tailcap-owned`$(touch /tmp/tailcap-owned)\x1b[2J\n# x | y \xff&amp;";
  q.preamble.redaction = formats::Redaction::none;
  q.preamble.notes = {{evil, evil}};
  q.preamble.host = evil;
  q.preamble.targets = {evil};
  q.preamble.tier_reason = evil;
  q.file.state = formats::CaptureState::truncated;
  q.file.damaged_blocks = 2;
  q.file.damaged_bytes = 1200;
  q.file.last = at(28.25);
  q.lost = 1204;
  for (int i = 0; i < 7; ++i)
    q.losses.push_back(
        {at(3.2 + i * 3), at(3.3 + i * 3 + (i == 2 ? 1.5 : 0)), 172, i == 2 ? evil : "ring full: receive"});
  q.tainted = 24;
  q.clock_stepped = true;
  q.failed_connections = 19;
  q.processes[0].comm = evil;
  q.findings.add(model::Finding::bytes_lost, 12);
  q.findings.add(model::Finding::negative_interval, 1);
  q.findings.add(model::Finding::pipelined, 3);
  auto& route = s.study.routes[0];
  route.route = "/" + evil;
  route.method = evil;
  route.comm = evil;
  route.tainted = 24;
  route.latency[3] = {0.99, model::Support::refused, {}, {}, {}, 3300, "1.4 % of the requests overlap loss <b>" + evil};
  route.latency[4] = {
      0.999, model::Support::refused, {}, {}, {}, 3300, "1.4 % of the requests overlap loss <b>" + evil};
  auto row = s.table.rows[0];
  row.path = s.table.texts.intern("/" + evil);
  row.comm = s.table.texts.intern(evil);
  row.taints = model::Taints{} | model::Taint::bytes_lost | model::Taint::conflict;
  s.table.rows.set(0, row);
  s.study.failures.push_back({evil, evil, 1});
  return s;
}

}  // namespace tailcap::tests
