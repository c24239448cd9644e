#include "analyze/compare/several_tests.h"

#include <algorithm>
#include <numeric>

namespace tailcap::compare {
namespace {

std::vector<std::size_t> ascending(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  return order;
}

}  // namespace

std::vector<double> holm(std::span<const double> p) {
  std::vector<double> out(p.size());
  double least = 0;
  std::size_t left = p.size();
  for (const std::size_t i : ascending(p)) {
    least = std::max(least, std::min(1.0, static_cast<double>(left--) * p[i]));
    out[i] = least;
  }
  return out;
}

std::vector<double> benjamini_hochberg(std::span<const double> p) {
  std::vector<double> out(p.size());
  const auto order = ascending(p);
  double most = 1;
  for (std::size_t rank = order.size(); rank > 0; --rank) {
    const std::size_t i = order[rank - 1];
    most = std::min(most, p[i] * static_cast<double>(p.size()) / static_cast<double>(rank));
    out[i] = most;
  }
  return out;
}

}  // namespace tailcap::compare
