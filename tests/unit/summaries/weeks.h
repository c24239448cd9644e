// Synthetic weeks of a service: daily and weekly cycles, days that differ, requests by chance. Seeded.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "formats/summary/summary.h"

namespace tailcap::summaries {

inline constexpr std::int64_t kHourLength = 3'600'000'000'000, kDayOfHours = 24 * kHourLength;
inline constexpr std::int64_t kFirstMonday = 1'772'409'600'000'000'000;  // 2026-03-02

struct SyntheticService {
  double per_hour = 4'000;      // requests at noon of a workday
  double median = 20e6;         // ns
  double spread = 0.5;          // sigma of the logarithm
  double between_days = 0.019;  // of the logarithm; p50 of runs of tests/cli/gate_noise.json, service "timed"
  double between_hours = 0.01;
  double errors = 0.001;
  std::vector<double> real_days{};  // logarithms; in their order, from a place by chance, instead of between_days
};

class SyntheticWeeks {
 public:
  SyntheticWeeks(SyntheticService service, std::uint64_t seed) : service_(std::move(service)), random_(seed) {
    if (!service_.real_days.empty()) first_ = random_() % service_.real_days.size();
  }

  // A day since kFirstMonday; slower: factor of all durations from this hour on.
  void add_day(formats::Summary& to, int day, double slower = 1, int from_hour = 0, double more_errors = 0) {
    to.window = kHourLength;
    const bool weekend = day % 7 >= 5;
    const double factor =
        service_.real_days.empty()
            ? noise(service_.between_days)
            : service_.real_days[(first_ + static_cast<std::size_t>(day)) % service_.real_days.size()];
    const double load_of_day = noise(0.05);
    for (int hour = 0; hour < 24; ++hour) {
      const double cycle = 0.55 - 0.45 * std::cos(2 * M_PI * (hour - 1) / 24);
      const double load = cycle * (weekend ? 0.6 : 1);
      auto& window = to.windows[kFirstMonday + day * kDayOfHours + hour * kHourLength];
      window.covered += kHourLength;
      formats::RouteCell& cell = window.routes[{"shop", "server", "GET", "/cart"}];
      const double median = service_.median * (1 + 0.3 * load) * std::exp(factor + noise(service_.between_hours)) *
                            (hour >= from_hour ? slower : 1);
      fill(cell, median, service_.per_hour * load * std::exp(load_of_day + noise(0.03)));
      cell.failed = count(static_cast<double>(cell.judged) * (service_.errors + (hour >= from_hour ? more_errors : 0)));
    }
  }

 private:
  double noise(double deviation) { return std::normal_distribution<double>(0, deviation)(random_); }
  std::uint64_t count(double mean) {
    return mean <= 0 ? 0 : static_cast<std::uint64_t>(std::poisson_distribution<std::int64_t>(mean)(random_));
  }
  static double below(double z) { return 0.5 * std::erfc(-z / std::sqrt(2)); }

  // Requests of a log-normal distribution; the middle of each bucket stands for what is in it.
  void fill(formats::RouteCell& cell, double median, double requests) {
    const double width = std::log(2) / 16;
    for (int i = -60; i <= 60; ++i) {
      const double from = i * width, z = from / service_.spread, next = (from + width) / service_.spread;
      const std::uint64_t n = count(requests * (below(next) - below(z)));
      if (n == 0) continue;
      cell.durations[2].add(static_cast<std::int64_t>(median * std::exp(from + width / 2)), n);
      cell.requests += n;
      cell.judged += n;
    }
  }

  SyntheticService service_;
  std::mt19937_64 random_;
  std::size_t first_ = 0;
};

}  // namespace tailcap::summaries
