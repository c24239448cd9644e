// Recordings of a part of all connections (`tailcap record --sample-connections 1/16`): what the capture says of it,
// and estimates of the whole.
//
// A connection is recorded whole or not at all, so connections are the clusters of the sample: requests of one
// connection resemble each other, and the intervals follow from how much connections differ.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tailcap::model {

inline constexpr std::string_view kSamplingNote = "tailcap.sampling.connections";  // "1/16 seed 42", "none"
inline constexpr std::string_view kSampledEndsNote = "tailcap.sampling.ends";      // "70 recorded, 1020 left out"

struct Sampling {
  std::uint32_t of = 1;  // one of `of` connections is recorded
  std::optional<std::uint32_t> seed;
  bool none = false;    // no connection is recorded: a pause between two looks (model/sampling/budget.h)
  bool mixed = false;   // the parts of a merged capture have different shares, or the share is not known
  bool chosen = false;  // a cut kept requests by what they are: those are no sample
  // Ends of TCP connections, as the recorder counted them.
  bool ends_known = false;
  std::uint64_t ends_recorded = 0, ends_left_out = 0;

  // Some connections are not recorded.
  bool some() const { return of > 1 || none || mixed; }
  // What is recorded says how much there was.
  bool scales() const { return of > 1 && !mixed && !chosen; }
};

Sampling sampling_of(const std::vector<std::pair<std::string, std::string>>& notes);
// From the note on ends. False: it is not what it should be.
bool read_ends(std::string_view value, Sampling& sampling);

// A sum over all connections.
struct Estimate {
  double value = 0;
  double low = 0, high = 0;  // 95 % interval
  bool interval = false;     // it has one; otherwise `reason` says why not, as part of a sentence
  std::string reason;
};

// sizes: what each recorded connection adds to the sum; those that add nothing may be left out.
Estimate whole_of(std::span<const double> sizes, std::uint32_t of);

// What the intervals of a sum over clusters rest on.
struct ClusterSupport {
  double effective = 0;  // as many clusters of equal size vary as much
  double freedom = 0;    // degrees of freedom of the variance: few clusters may make most of it
  bool enough() const;
  double factor() const;  // of the standard error, for a 95 % interval: Student's
};
// contributions: what adds to the variance, deviations or sizes.
ClusterSupport support_of(std::span<const double> contributions);

}  // namespace tailcap::model
