#include "analyze/views/watch/live_sampling.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "analyze/report/words/escape.h"

namespace tailcap::watch {
namespace {

constexpr std::uint32_t kMostOf = 1024;
// 25 % is 1/4, whatever its last digit is.
constexpr double kRounding = 1e-9;

std::string percent(double rate) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g %%", 100 * rate);
  return text;
}

}  // namespace

std::uint32_t one_in_for(double rate) {
  std::uint32_t of = 1;
  while (of < kMostOf && rate * (2 * of) <= 1 + kRounding) of *= 2;
  return of;
}

LiveSampling::LiveSampling(const model::policy::Policy& policy, std::string file)
    : policy_(policy), file_(std::move(file)), firing_(policy.conditions.size()) {}

bool LiveSampling::decides(std::size_t c) const {
  return policy_.sampling && std::any_of(policy_.sampling->adapt.begin(), policy_.sampling->adapt.end(),
                                         [&](const auto& adaptation) { return adaptation.when == c; });
}

WantedShare LiveSampling::wanted() const {
  if (!policy_.sampling) return {};
  double rate = policy_.sampling->rate;
  std::string when;
  for (const auto& adaptation : policy_.sampling->adapt)
    if (firing_[adaptation.when]) {
      rate = adaptation.rate;
      when = " while " + report::printable(policy_.conditions[adaptation.when].name);
      break;
    }
  return {one_in_for(rate), report::printable(file_) + ": rate " + percent(rate) + when};
}

}  // namespace tailcap::watch
