#include "analyze/model/gate/metric.h"

#include <cassert>
#include <string>

namespace tailcap::model::gate {
namespace {

constexpr std::array<std::string_view, kCounts> kCountNames = {
    "calls",   "same_calls",   "connects",      "tls_handshakes", "lookups",
    "retries", "failed_calls", "request_bytes", "response_bytes", "waits",
    "wakeups", "collections",  "allocations",   "process_cpu",    "memory"};
constexpr std::array<std::string_view, 8> kNames = {"p50",      "p95",  "p99",    "own_p99",
                                                    "own_mean", "mean", "errors", "client_errors"};

constexpr std::string_view kWaits = "waits.";

// By account; empty for those that do not wait.
const std::array<std::string, kLabels>& wait_names() {
  static const auto names = [] {
    std::array<std::string, kLabels> out;
    for (std::size_t i = 0; i < kLabels; ++i)
      if (may_wait(i)) out[i] = std::string(kWaits) + std::string(account_name(i));
    return out;
  }();
  return names;
}

}  // namespace

std::string_view name_of(Count count) { return kCountNames[static_cast<std::size_t>(count)]; }

std::string_view account_name(std::size_t account) {
  assert(account < kAccounts);
  return account == kNoAccount ? "no_account" : name_of(static_cast<Label>(account));
}

bool may_wait(std::size_t account) {
  return account < static_cast<std::size_t>(Label::cpu) ||
         (account > static_cast<std::size_t>(Label::cpu_gc_assist) && account < kLabels);
}

bool waits_for_cpu(std::size_t account) {
  return account == static_cast<std::size_t>(Label::sched_runq) ||
         account == static_cast<std::size_t>(Label::sched_preempted) ||
         account == static_cast<std::size_t>(Label::go_runnable) ||
         account == static_cast<std::size_t>(Label::cpu_stolen) || account == static_cast<std::size_t>(Label::q_notice);
}

std::optional<double> Metric::quantile() const {
  switch (kind) {
    case Kind::p50:
      return 0.50;
    case Kind::p95:
      return 0.95;
    case Kind::p99:
    case Kind::own_p99:
      return 0.99;
    default:
      return std::nullopt;
  }
}

std::string_view name_of(const Metric& metric) {
  if (metric.kind == Metric::Kind::label) return account_name(metric.which);
  if (metric.kind == Metric::Kind::count) return kCountNames[metric.which];
  if (metric.kind == Metric::Kind::waits) return wait_names()[metric.which];
  return kNames[static_cast<std::size_t>(metric.kind)];
}

std::optional<Metric> metric_of(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (name == kNames[i]) return Metric{static_cast<Metric::Kind>(i), 0};
  for (std::size_t i = 0; i < kCounts; ++i)
    if (name == kCountNames[i]) return Metric::of(static_cast<Count>(i));
  for (std::size_t i = 0; i < kAccounts; ++i)
    if (name == account_name(i)) return Metric{Metric::Kind::label, static_cast<std::uint8_t>(i)};
  if (name.starts_with(kWaits))
    for (std::size_t i = 0; i < kLabels; ++i)
      if (name == wait_names()[i]) return Metric{Metric::Kind::waits, static_cast<std::uint8_t>(i)};
  return std::nullopt;
}

std::vector<std::string_view> metric_names() {
  std::vector<std::string_view> out(kNames.begin(), kNames.end());
  out.insert(out.end(), kCountNames.begin(), kCountNames.end());
  for (std::size_t i = 0; i < kAccounts; ++i) out.push_back(account_name(i));
  for (const std::string& name : wait_names())
    if (!name.empty()) out.push_back(name);
  return out;
}

std::vector<Metric> route_metrics() {
  std::vector<Metric> out;
  for (std::size_t i = 0; i < kNames.size(); ++i) out.push_back({static_cast<Metric::Kind>(i), 0});
  for (std::size_t i = 0; i < kCounts; ++i) out.push_back(Metric::of(static_cast<Count>(i)));
  return out;
}

}  // namespace tailcap::model::gate
