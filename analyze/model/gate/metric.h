// What is compared of a route: percentiles, the mean, errors, labels, and counts per request.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "analyze/model/label.h"

namespace tailcap::model::gate {

// Per request, from the rows of the table. What a request caused counts where its parent is known.
enum class Count : std::uint8_t {
  calls,           // requests made on its behalf
  same_calls,      // of these, those of one statement or to one route: of that with most
  connects,        // connections opened for those; of a call: for itself
  tls_handshakes,  // on these
  lookups,         // questions for names before these, repeated ones included
  retries,         // of the calls, those that repeat another; of a call: whether it does
  failed_calls,    // of the calls, those that failed at their server or broke off; of a call: whether it did
  request_bytes,   // of its own body
  response_bytes,
  waits,        // off-CPU intervals of its carrier
  wake_ups,     // of these, those that a wake-up ended
  collections,  // of Go, that began while it was under way
  allocations,  // of its Go process, per request that this served
  process_cpu,  // ns of all threads of its process, per request that this served
  memory,       // bytes by which the memory of its process grew, likewise
  count_,
};
inline constexpr std::size_t kCounts = static_cast<std::size_t>(Count::count_);
// What happened to the thread or goroutine that carries the request.
inline constexpr bool of_carrier(std::size_t count) {
  return count == static_cast<std::size_t>(Count::waits) || count == static_cast<std::size_t>(Count::wake_ups);
}
// These count calls whose parent is known: others could be of any route.
inline constexpr bool of_calls(std::size_t count) { return count < static_cast<std::size_t>(Count::request_bytes); }
inline constexpr bool of_bytes(std::size_t count) {
  return count == static_cast<std::size_t>(Count::request_bytes) ||
         count == static_cast<std::size_t>(Count::response_bytes) || count == static_cast<std::size_t>(Count::memory);
}
// Known of a process, not of a single request.
inline constexpr bool of_process(std::size_t count) { return count >= static_cast<std::size_t>(Count::allocations); }
std::string_view name_of(Count count);  // "calls", "tls_handshakes", …

// Labels, and the time of requests that have no account. Over all of them a request's times sum to its duration.
inline constexpr std::size_t kAccounts = kLabels + 1;
inline constexpr std::size_t kNoAccount = kLabels;
std::string_view account_name(std::size_t account);  // "lock.futex"; "no_account"
// A thread or goroutine that has this label may be off the CPU.
bool may_wait(std::size_t account);
// Waits for a CPU, and for a thread to have one that notices what it waited for: what else runs on the machine.
bool waits_for_cpu(std::size_t account);

struct Metric {
  enum class Kind : std::uint8_t {
    p50,
    p95,
    p99,
    own_p99,   // p99 of the time in which a request did not wait for a CPU
    own_mean,  // likewise
    mean,
    errors,         // share of requests that failed at the server (5xx, gRPC's) or broke off
    client_errors,  // share that was answered 4xx
    label,          // mean time under one label, ns per request
    count,          // mean number per request
    waits,          // mean number of waits that began under one label, of the carrier's (Count::waits), per request
  };
  Kind kind = Kind::p99;
  std::uint8_t which = 0;  // label, waits: an account; count: a Count

  static constexpr Metric of(Count count) { return {Kind::count, static_cast<std::uint8_t>(count)}; }
  bool operator==(const Metric&) const = default;
  // The logarithm is compared, and thresholds are ratios.
  bool relative() const { return kind <= Kind::mean; }
  bool share() const { return kind == Kind::errors || kind == Kind::client_errors; }
  bool of_own_time() const { return kind == Kind::own_p99 || kind == Kind::own_mean; }
  bool of_process() const { return kind == Kind::count && gate::of_process(which); }
  bool counted() const { return kind == Kind::count || kind == Kind::waits; }
  // What is not known of every request, though of most.
  bool of_carrier() const { return kind == Kind::waits || (kind == Kind::count && gate::of_carrier(which)); }
  bool of_duration() const { return relative() || kind == Kind::label; }  // durations of requests, or parts of them
  bool timed() const {                                                    // its values are ns
    return of_duration() || (kind == Kind::count && which == static_cast<std::size_t>(Count::process_cpu));
  }
  std::optional<double> quantile() const;
};
std::string_view name_of(const Metric& metric);          // "p99", "lock.futex", "calls", "waits.lock.futex"
std::optional<Metric> metric_of(std::string_view name);  // of these names
std::vector<std::string_view> metric_names();            // all of them
std::vector<Metric> route_metrics();                     // without labels

}  // namespace tailcap::model::gate
