#include "analyze/tail/slow/bootstrap.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include "ground/fnv.h"

namespace tailcap::tail::slow {
namespace {

constexpr double kAlpha = 0.05;
constexpr double kReach = 0.2;     // ranks around the typical cohort between which it may come to lie
constexpr std::size_t kBins = 60;  // of ranks there; within one, requests count in proportion

std::uint64_t seed_of(const std::vector<Item>& items) {
  std::uint64_t hash = ground::kFnvBasis;
  for (const Item& item : items) hash = ground::fnv_step(hash, static_cast<std::uint64_t>(item.duration));
  return hash;
}

// Sums of the typical cohort by block, cell and column, cumulated over bins of rank: any range of ranks is a
// subtraction.
class TypicalSums {
 public:
  TypicalSums(const std::vector<Item>& items, const Cohorts& cohorts, const Columns& columns,
              const model::TimeBlocks& blocks)
      : blocks_(blocks.count), cells_(cohorts.cells.size()), width_(columns.size() + 1) {
    const std::size_t n = items.size();
    const double rest = static_cast<double>(cohorts.gap ? n - cohorts.slow : n) / static_cast<double>(n);
    typical_from_ = kTypicalFrom * rest;
    typical_to_ = kTypicalTo * rest;
    from_ = static_cast<std::size_t>(std::max(0.0, typical_from_ - kReach) * static_cast<double>(n));
    const std::size_t to = static_cast<std::size_t>(std::min(1.0, typical_to_ + kReach) * static_cast<double>(n));
    bins_ = std::min(kBins, to - from_);
    sums_.assign((bins_ + 1) * blocks_ * cells_ * width_, 0.0);
    counts_.assign((bins_ + 1) * blocks_, 0.0);
    const auto block_of = [&](std::uint32_t item) { return std::size_t{blocks.of[item]}; };
    for (std::size_t i = 0; i < from_; ++i) ++counts_[block_of(cohorts.order[i])];
    std::size_t at = from_;
    for (std::size_t bin = 0; bin < bins_; ++bin) {
      std::copy_n(&counts_[bin * blocks_], blocks_, &counts_[(bin + 1) * blocks_]);
      const std::size_t stride = blocks_ * cells_ * width_;
      std::copy_n(&sums_[bin * stride], stride, &sums_[(bin + 1) * stride]);
      const std::size_t end = from_ + (to - from_) * (bin + 1) / bins_;
      for (; at < end; ++at) {
        const Item& item = items[cohorts.order[at]];
        const std::size_t block = block_of(cohorts.order[at]);
        ++counts_[(bin + 1) * blocks_ + block];
        for (std::size_t c = 0; c < cells_; ++c) {
          if (!cohorts.cells[c].holds(item)) continue;
          const std::span<double> row{&sums_[((bin + 1) * blocks_ + block) * cells_ * width_ + c * width_], width_};
          columns.add(item, row);
          ++row[width_ - 1];
        }
      }
    }
  }

  // The sums of the ranks from kTypicalFrom to kTypicalTo of what was drawn: cell after cell, the count last in each.
  void range(const std::vector<double>& drawn, double total, std::vector<double>& out) const {
    out.assign(cells_ * width_, 0.0);
    std::vector<double> ranks(bins_ + 1);
    for (std::size_t bin = 0; bin <= bins_; ++bin)
      ranks[bin] = std::inner_product(drawn.begin(), drawn.end(),
                                      counts_.begin() + static_cast<std::ptrdiff_t>(bin * blocks_), 0.0);
    add(ranks, typical_to_ * total, drawn, 1, out);
    add(ranks, typical_from_ * total, drawn, -1, out);
  }
  std::size_t width() const { return width_; }

 private:
  void add(const std::vector<double>& ranks, double rank, const std::vector<double>& drawn, double sign,
           std::vector<double>& out) const {
    const auto above = std::upper_bound(ranks.begin(), ranks.end(), rank);
    if (above == ranks.begin()) return;
    if (above == ranks.end()) return add_bin(bins_, sign, drawn, out);
    const auto bin = static_cast<std::size_t>(above - ranks.begin()) - 1;
    const double part = (rank - ranks[bin]) / (ranks[bin + 1] - ranks[bin]);
    add_bin(bin, sign * (1 - part), drawn, out);
    add_bin(bin + 1, sign * part, drawn, out);
  }
  void add_bin(std::size_t bin, double weight, const std::vector<double>& drawn, std::vector<double>& out) const {
    if (weight == 0) return;
    const std::size_t stride = cells_ * width_;
    for (std::size_t b = 0; b < blocks_; ++b) {
      if (drawn[b] == 0) continue;
      const double w = weight * drawn[b];
      const double* const sums = &sums_[(bin * blocks_ + b) * stride];
      for (std::size_t i = 0; i < stride; ++i) out[i] += w * sums[i];
    }
  }

  std::size_t blocks_, cells_, width_, bins_ = 0, from_ = 0;
  double typical_from_, typical_to_;   // quantiles
  std::vector<double> sums_, counts_;  // [bin][block][cell][column]; [bin][block]
};

}  // namespace

Spread wider(const Spread& one, const Spread& other) {
  Spread out = one;
  out.blocks = std::min(one.blocks, other.blocks);
  out.low = std::min(one.low, other.low);
  out.high = std::max(one.high, other.high);
  for (std::size_t l = 0; l < out.labels.size(); ++l) {
    out.labels[l].low = std::min(one.labels[l].low, other.labels[l].low);
    out.labels[l].high = std::max(one.labels[l].high, other.labels[l].high);
    out.labels[l].p = std::max(one.labels[l].p, other.labels[l].p);
  }
  return out;
}

Spread resample(const std::vector<Item>& items, const Cohorts& cohorts, const Columns& columns,
                const model::TimeBlocks& in) {
  const std::size_t n = items.size(), blocks = in.count, width = columns.size();
  const TypicalSums typical(items, cohorts, columns, in);
  std::vector<double> sizes(blocks);
  for (const std::uint32_t block : in.of) ++sizes[block];

  model::Draws draws(seed_of(items));
  std::vector<std::vector<double>> results(width + 1);
  std::vector<double> drawn(blocks), slow(width), shares(cohorts.cells.size()), sums;
  for (std::size_t r = 0; r < model::kReplicates; ++r) {
    model::draw(draws, drawn);
    const double total = std::inner_product(drawn.begin(), drawn.end(), sizes.begin(), 0.0);
    // Beyond a gap lie as many as were drawn.
    const double wanted = cohorts.gap ? std::numeric_limits<double>::infinity()
                                      : static_cast<double>(cohorts.slow) * total / static_cast<double>(n);
    std::fill(slow.begin(), slow.end(), 0.0);
    std::fill(shares.begin(), shares.end(), 0.0);
    double taken = 0;
    for (std::size_t i = 0; i < cohorts.cell_of.size() && taken < wanted; ++i) {
      const std::uint32_t at = cohorts.nth_slowest(i);
      const double weight = std::min(drawn[in.of[at]], wanted - taken);
      if (weight == 0) continue;
      columns.add(items[at], slow, weight);
      shares[cohorts.cell_of[i]] += weight;
      taken += weight;
    }
    if (taken == 0) continue;
    typical.range(drawn, total, sums);
    double matched = 0;  // a cell can be empty this time; the others then stand for it
    for (std::size_t c = 0; c < shares.size(); ++c)
      if (sums[(c + 1) * typical.width() - 1] > 0) matched += shares[c];
    double all = 0;
    for (std::size_t l = 0; l < width; ++l) {
      double mean = 0;
      for (std::size_t c = 0; c < shares.size(); ++c)
        if (const double count = sums[(c + 1) * typical.width() - 1]; count > 0 && matched > 0)
          mean += shares[c] / matched * sums[c * typical.width() + l] / count;
      results[l].push_back(slow[l] / taken - mean);
      all += results[l].back();
    }
    results[width].push_back(all);
  }

  Spread out;
  out.blocks = static_cast<std::uint32_t>(blocks);
  for (std::size_t l = 0; l < width; ++l) out.labels.push_back(model::interval_of(results[l], blocks));
  const model::DrawnInterval gap = model::interval_of(results[width], blocks);
  out.low = gap.low;
  out.high = gap.high;
  return out;
}

std::vector<bool> discoveries(const std::vector<double>& p) {
  std::vector<double> sorted = p;
  std::sort(sorted.begin(), sorted.end());
  double limit = -1;
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] <= kAlpha * static_cast<double>(i + 1) / static_cast<double>(sorted.size())) limit = sorted[i];
  std::vector<bool> out;
  for (const double value : p) out.push_back(value <= limit);
  return out;
}

}  // namespace tailcap::tail::slow
