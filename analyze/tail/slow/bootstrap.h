// How sure the differences are: the study repeated on blocks of time drawn with replacement.
//
// Requests close in time are alike, so whole blocks are drawn; the thresholds of both cohorts and the weights are found
// anew each time. Drawn by a generator of our own, seeded from the durations: the same capture gives the same
// intervals. Where connections are sampled, groups of connections are drawn as well, and the wider interval counts.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/study/tail_study.h"
#include "analyze/tail/slow/cohorts.h"

namespace tailcap::tail::slow {

inline constexpr std::size_t kReplicates = 1000;

struct LabelSpread {
  double low = 0, high = 0;  // 95 % interval of the difference
  double p = 1;              // how often a difference of the other sign came out, both sides
};

struct Spread {
  std::uint32_t blocks = 0;
  double low = 0, high = 0;         // 95 % interval of the difference of the totals
  std::vector<LabelSpread> labels;  // by column
};

// The block of each item, and the number of blocks.
struct TimeBlocks {
  std::vector<std::uint32_t> of;
  std::size_t count = 0;
};
// items: in order of start. correlation: requests in a row that say no more than one; seconds: length of the capture.
TimeBlocks blocks_in_time(const std::vector<Item>& items, double correlation, double seconds);
// connections: of the items. None where there are too few connections for an interval.
TimeBlocks groups_of_connections(const std::vector<std::uint32_t>& connections);

Spread resample(const std::vector<Item>& items, const Cohorts& cohorts, const Columns& columns,
                const TimeBlocks& blocks);
// The wider intervals of the two.
Spread wider(const Spread& one, const Spread& other);

// Which of the p values hold together at 5 % (Benjamini and Hochberg).
std::vector<bool> discoveries(const std::vector<double>& p);

}  // namespace tailcap::tail::slow
