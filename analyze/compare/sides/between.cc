#include "analyze/compare/sides/between.h"

#include <algorithm>
#include <cmath>

#include "analyze/model/label_group.h"

namespace tailcap::compare {
namespace {

using model::LabelGroup;

// How a time varies between two recordings of one service: by itself (standard deviation of the logarithm, of one
// recording), and with how crowded the CPUs are. Timers are exact; a thread that computes shares caches; whatever else
// a request waits for, it may wait for a thread that has no CPU. docs/diff.md has what was measured.
struct Variation {
  double by_itself = 0, by_crowding = 0;
};
constexpr Variation kSleeping{0.05, 0}, kComputing{0.15, 0.25}, kWaiting{0.10, 1};
// The waits for a CPU of servers differ by this share of those of the requests that call them.
constexpr double kByCallees = 0.5;
constexpr double kTailTimes = 1.5;  // as much for a p99
// A share of a difference in load may be in any time: queues, caches.
constexpr double kByLoad = 0.25;

double log_ratio(double b, double a) { return a > 0 && b > 0 ? std::log(b / a) : 0; }

LabelGroup group(std::size_t account) {
  return account == model::gate::kNoAccount ? LabelGroup::unexplained
                                            : model::group_of(static_cast<model::Label>(account));
}

Variation variation_of(std::size_t account) {
  switch (group(account)) {
    case LabelGroup::cpu:
      return kComputing;
    case LabelGroup::sleep:
      return kSleeping;
    default:
      return kWaiting;
  }
}

// What the parts of a time add: they vary together.
struct Mixture {
  double parts = 0;    // ns
  double callees = 0;  // ns: servers of calls wait for a CPU, as the requests that make them do
};

Mixture mixture_of(const SideSample& a, const SideSample& b, const Surroundings& around) {
  Mixture out;
  double calls = 0, waits_of_a = 0, waits_of_b = 0;
  for (std::size_t account = 0; account < model::gate::kAccounts; ++account) {
    const double of_a = a.label(account).value, of_b = b.label(account).value;
    if (model::gate::waits_for_cpu(account)) {
      waits_of_a += of_a;
      waits_of_b += of_b;
      continue;
    }
    if (group(account) == LabelGroup::downstream) calls += of_a + of_b;
    out.parts += std::max(of_a, of_b) * noise_of_label(account, around);
  }
  if (calls > 0) out.callees = kByCallees * std::max(waits_of_a, waits_of_b);
  return out;
}

}  // namespace

Surroundings surroundings_of(const model::difference::SideSummary& a, const model::difference::SideSummary& b) {
  const auto crowded = [](const auto& side) { return side.cpu > 0 ? (side.cpu + side.cpu_waits) / side.cpu : 0; };
  return {.crowding = log_ratio(crowded(b), crowded(a)), .load = log_ratio(b.per_second, a.per_second)};
}

double noise_of_label(std::size_t account, const Surroundings& around) {
  const Variation v = variation_of(account);
  return std::hypot(std::sqrt(2.0) * v.by_itself, v.by_crowding * around.crowding, kByLoad * around.load);
}

double noise_of_own(const SideSample& a, const SideSample& b, const Surroundings& around) {
  const Mixture m = mixture_of(a, b, around);
  return std::hypot(m.parts, m.callees);
}

double noise_of_tail(const SideSample& a, const SideSample& b, const Surroundings& around) {
  const double all = std::max(a.own_mean().value, b.own_mean().value);
  return all > 0 ? kTailTimes * noise_of_own(a, b, around) / all : kTailTimes * kWaiting.by_itself;
}

}  // namespace tailcap::compare
