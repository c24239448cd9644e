// What slow requests have more time of than typical ones, by what is one thing to a reader.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "analyze/model/study/tail_study.h"
#include "analyze/tail/slow/cohorts.h"

namespace tailcap::tail::verdict {

// Waits for a CPU are one part, time on a CPU is one, every other label is one of its own.
model::Label part_of(model::Label label);

bool has(const model::VerdictPart& part, model::Label label);

struct VerdictParts {
  std::vector<model::VerdictPart> parts;  // largest difference first
  // For each slow request, in the order of Cohorts::nth_slowest: the index in parts of what slowed it down most.
  std::vector<std::uint32_t> mainly;
};

// Compares the slow cohort with the typical one, whose means per label tail.labels has.
VerdictParts account_of(const std::vector<slow::Item>& items, const slow::Cohorts& cohorts,
                        const model::TailStudy& tail);
// Accounts for all items, compared with nothing.
VerdictParts account_of(const std::vector<slow::Item>& items);

}  // namespace tailcap::tail::verdict
