// How sure the differences are: the study repeated on blocks of time drawn with replacement.
//
// Requests close in time are alike, so whole blocks are drawn; the thresholds of both cohorts and the weights are found
// anew each time. The seed is made of the durations: the same capture gives the same intervals. Where connections are
// sampled, groups of connections are drawn as well, and the wider interval counts.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/sampling/resampling.h"
#include "analyze/model/study/tail_study.h"
#include "analyze/tail/slow/cohorts.h"

namespace tailcap::tail::slow {

struct Spread {
  std::uint32_t blocks = 0;
  double low = 0, high = 0;                  // 95 % interval of the difference of the totals
  std::vector<model::DrawnInterval> labels;  // by column
};

Spread resample(const std::vector<Item>& items, const Cohorts& cohorts, const Columns& columns,
                const model::TimeBlocks& blocks);
// The wider intervals of the two.
Spread wider(const Spread& one, const Spread& other);

// Which of the p values hold together at 5 % (Benjamini and Hochberg).
std::vector<bool> discoveries(const std::vector<double>& p);

}  // namespace tailcap::tail::slow
