#include "analyze/report/compare/compare_words.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "ground/text.h"

namespace tailcap::report {
namespace {

using model::gate::AccountRow;
using model::gate::AccountTable;
using model::gate::Comparison;
using model::gate::Count;
using model::gate::Gate;
using model::gate::GateEstimate;
using model::gate::GateResult;
using model::gate::GateVerdict;
using model::gate::Metric;
using model::gate::RouteComparison;

constexpr double kPart = 0.1;      // of the whole difference: less is not worth a mention
constexpr std::size_t kNamed = 2;  // labels in a sentence
constexpr double kMost = 0.5;      // of the whole difference: is mentioned though it is not certain
constexpr double kSure = 0.05;
constexpr std::size_t kRouteWidth = 100;

std::string decimals(double value, int n) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", n, value);
  return text;
}

// Three digits that count.
std::string plain_number(double value) {
  const double size = std::abs(value);
  if (value == std::round(value) && size < 1e6) return decimals(value, 0);
  return decimals(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

bool bytes(const Metric& metric) { return metric.kind == Metric::Kind::count && model::gate::of_bytes(metric.which); }

std::string signed_text(double value, std::string text) {
  const bool zero = text.find_first_of("123456789") == text.npos;  // what is rounded to it has no sign
  return (zero ? "" : value < 0 ? "−" : value > 0 ? "+" : "") + std::move(text);
}

Duration absolute_time(double value) { return Duration{std::llround(std::min(std::abs(value), 9e18))}; }

std::string change_of_ns(double value) { return signed_text(value, duration_text(absolute_time(value))); }

const GateEstimate* estimate_of(const RouteComparison& route, const Metric& metric) {
  for (const auto& row : route.metrics)
    if (row.metric == metric) return &row.estimate;
  return nullptr;
}

std::string blocker_of(const RouteComparison& route, std::size_t account) {
  for (const auto& b : route.blockers)
    if (b.account == account) return " " + b.text;
  return {};
}

std::string part_text(const RouteComparison& route, const AccountRow& row) {
  return change_of_ns(static_cast<double>(row.difference())) + " " + account_text(row.account) +
         blocker_of(route, row.account);
}

AccountTable without_waits_for_cpus(AccountTable table) {
  std::erase_if(table.rows, [&](const AccountRow& row) {
    if (!model::gate::waits_for_cpu(row.account)) return false;
    table.base -= row.base;
    table.fresh -= row.fresh;
    return true;
  });
  return table;
}

// Names the labels whose part of the difference is certain; where none is, the one that makes up most of it. Where they
// are more than all of it, what became less is said, too.
std::string labels_text(const RouteComparison& route, const AccountTable& table, const std::string& who) {
  if (!table.known || table.difference() == 0) return {};
  std::string parts;
  std::size_t named = 0;
  std::int64_t rest = table.difference();
  const AccountRow* most = nullptr;
  for (const AccountRow& row : table.rows) {
    const bool same_way = (row.difference() > 0) == (table.difference() > 0);
    const double part = std::abs(static_cast<double>(row.difference()) / static_cast<double>(table.difference()));
    if (!same_way || part < kPart || !row.estimate.known) continue;
    if (part >= kMost && (!most || std::abs(row.difference()) > std::abs(most->difference()))) most = &row;
    if (row.estimate.p_two >= kSure || named == kNamed) continue;
    ++named;
    rest -= row.difference();
    parts += (parts.empty() ? "" : " and ") + part_text(route, row);
  }
  const bool certain = !parts.empty();
  if (!certain && most) {
    rest -= most->difference();
    parts = part_text(route, *most) + ", which is uncertain: the runs differ";
  }
  if (parts.empty()) return {};
  const std::string whole = who + " " + change_of_ns(static_cast<double>(table.difference()));
  if (rest != 0 && (rest > 0) != (table.difference() > 0))
    return whole + ": " + parts + "; " + change_of_ns(static_cast<double>(rest)) + " everything else";
  return whole + (certain ? ", of it " : ", most of it ") + parts;
}

}  // namespace

render::Tone tone_of(model::gate::GateVerdict verdict) {
  return verdict == model::gate::GateVerdict::pass   ? render::Tone::plain
         : verdict == model::gate::GateVerdict::fail ? render::Tone::alarm
                                                     : render::Tone::care;
}

std::string route_text(const model::gate::RouteName& name) {
  return shortened((name.comm.empty() ? "" : printable(name.comm) + " ") +
                       (name.method.empty() ? "" : printable(name.method) + " ") +
                       (name.route.empty() ? "(unknown route)" : printable(name.route)),
                   kRouteWidth) +
         (name.role == model::Role::client ? ", as called" : "");
}

std::string account_text(std::size_t account) {
  return account == model::gate::kNoAccount ? "without an account"
                                            : std::string(model::text_of(static_cast<model::Label>(account)));
}

std::string value_text(const Metric& metric, double value) {
  if (metric.timed()) return duration_text(absolute_time(value));
  if (metric.share()) return ground::share_text(value);
  if (bytes(metric)) return bytes_text(static_cast<std::uint64_t>(std::llround(std::max(0.0, value))));
  return plain_number(value);
}

constexpr double kMostRelative = 100;  // what is larger is not given in figures

std::string change_text(const Metric& metric, double change) {
  const double size = std::abs(change);
  if (metric.relative() && size > kMostRelative) return "more than +" + plain_number(kMostRelative * 100) + " %";
  if (metric.relative()) return signed_text(change, plain_number(size * 100) + " %");
  if (metric.share()) return signed_text(size < 0.5e-4 ? 0 : change, decimals(size * 100, 2) + " pt");
  if (metric.timed()) return change_of_ns(change);
  if (bytes(metric)) return signed_text(change, bytes_text(static_cast<std::uint64_t>(std::llround(size))));
  return signed_text(change, plain_number(size));
}

std::string difference_text(const Metric& metric, const GateEstimate& e) {
  if (e.base_at_least && e.fresh_at_least) return "–";
  return (e.fresh_at_least ? "≥ " : e.base_at_least ? "≤ " : "") + change_text(metric, e.difference);
}

std::string interval_text(const Metric& metric, const GateEstimate& e) {
  if (e.exact) return "exact";
  if (e.base_at_least && e.fresh_at_least) return "not known";
  if (e.fresh_at_least) return "≥ " + change_text(metric, e.low);
  if (e.base_at_least) return "≤ " + change_text(metric, e.high);
  return change_text(metric, e.low) + " … " + change_text(metric, e.high);
}

std::string gate_text(const GateResult& gate) {
  if (!gate.gate.text.empty()) return printable(gate.gate.text);
  const Metric& metric = gate.gate.metric;
  const std::string amount = gate.gate.unit == Gate::Unit::ratio ? "+" + plain_number(gate.gate.threshold * 100) + " %"
                                                                 : change_text(metric, gate.gate.threshold);
  return std::string(name_of(metric)) + " > " + amount;
}

std::string why_text(const RouteComparison& route, const Metric& metric) {
  const GateEstimate* const moved = estimate_of(route, metric);
  if (moved && (!moved->known || moved->p_two >= kSure)) return {};
  // The time of requests that broke off is under no label.
  if (moved && metric.of_duration() && (moved->base_at_least || moved->fresh_at_least)) return {};
  if (metric.kind == Metric::Kind::p99) return labels_text(route, route.slow, "the slowest 1 % take");
  if (metric.kind == Metric::Kind::own_p99)
    return labels_text(route, route.own, "without waits for a CPU, the slowest 1 % take");
  if (metric.kind == Metric::Kind::own_mean)
    return labels_text(route, without_waits_for_cpus(route.all), "without waits for a CPU, a request takes on average");
  if (metric.relative()) return labels_text(route, route.all, "a request takes on average");
  if (metric.kind == Metric::Kind::count && (metric.which == static_cast<std::uint8_t>(Count::calls) ||
                                             metric.which == static_cast<std::uint8_t>(Count::same_calls))) {
    if (!moved || route.callees.empty()) return {};
    const auto& callee = route.callees.front();
    const double change = callee.difference();
    if (std::abs(change) < kPart * std::abs(moved->difference) || (change > 0) != (moved->difference > 0)) return {};
    return value_text(metric, callee.fresh) + " calls of `" + shortened(printable(callee.name), kRouteWidth) +
           "` a request, " + value_text(metric, callee.base) + " before";
  }
  return {};
}

std::string gate_sentence(const Comparison& comparison, const GateResult& gate) {
  const Metric& metric = gate.gate.metric;
  std::string out(name_of(metric));
  if (gate.found) out += " of " + route_text(comparison.routes[gate.route].name);
  const GateEstimate& e = gate.estimate;
  if (e.known) {
    out += " " + difference_text(metric, e) + " (" + interval_text(metric, e) + ")";
    if (metric.relative() && !(e.base_at_least && e.fresh_at_least)) out += ", " + change_of_ns(e.fresh - e.base);
  }
  if (gate.verdict == GateVerdict::fail) {
    const std::string why = why_text(comparison.routes[gate.route], metric);
    return out + (why.empty() ? "" : "; " + why);
  }
  if (gate.verdict == GateVerdict::undecided) {
    out += ": undecided";
    for (std::size_t i = 0; i < gate.missing.size(); ++i) out += (i == 0 ? "; " : "; ") + gate.missing[i];
  }
  return out;
}

std::string verdict_text(const Comparison& c) {
  std::size_t fails = 0, open = 0;
  for (const GateResult& gate : c.gates) {
    fails += gate.verdict == GateVerdict::fail;
    open += gate.verdict == GateVerdict::undecided;
  }
  if (c.options.self) return "a measurement of noise: nothing is judged";
  const std::string all = std::to_string(c.gates.size()) + (c.gates.size() == 1 ? " gate" : " gates");
  if (c.gates.empty()) return "undecided: there is no route that both sides have";
  switch (c.verdict) {
    case GateVerdict::pass:
      return "pass: " + all;
    case GateVerdict::fail:
      return "fail: " + std::to_string(fails) + " of " + all +
             (open > 0 ? ", " + std::to_string(open) + " undecided" : "");
    case GateVerdict::undecided:
      break;
  }
  return "undecided: " + std::to_string(open) + " of " + all;
}

}  // namespace tailcap::report
