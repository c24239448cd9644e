// How far apart two summaries are by what their time was spent on.
//
// A summary's profile are shares: of the time of served requests by label, of the time of calls by who was called, of
// samples and of waits by function. Two parts differ by the Jensen-Shannon distance (the square root of the divergence
// in bits, from 0 to 1; Endres and Schindelin 2003), two summaries by the quadratic mean over the parts that both have.
#pragma once

#include <array>
#include <map>
#include <string>

#include "analyze/model/summaries/similar.h"
#include "formats/summary/summary.h"

namespace tailcap::summaries {

using Shares = std::map<std::string, double>;  // they sum to 1; empty: nothing is known

struct SummaryProfile {
  std::array<Shares, model::kProfileParts> parts;
};

SummaryProfile profile_of(const formats::Summary& summary);
// Neither is empty.
double shannon_distance(const Shares& a, const Shares& b);
// Without the name of its file.
model::SimilarSummary compared(const SummaryProfile& mine, const SummaryProfile& theirs);

}  // namespace tailcap::summaries
