// Where the time goes: phases of a route side by side for its fast and its slow requests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/study/study.h"

namespace tailcap::report {

using formats::Duration;

std::string band_name(const model::Band& band);  // "fastest 50 %", "50–90 %", "slowest 1 %"

struct BandCell {
  double mean = 0;   // ns
  double share = 0;  // of the band's mean duration, 0 to 1
};

struct BandRow {
  std::string name;  // "in the service", "waiting for a lock"
  std::string colour;
  std::vector<BandCell> cells;  // one per band
};

// Rows that are zero in every band are left out. Bands without requests are kept and labelled as empty.
struct BandTable {
  std::vector<std::string> names;
  std::vector<std::uint64_t> counts;
  std::vector<Duration> means;
  std::vector<BandRow> phases;
  std::vector<std::uint64_t> labelled_counts;  // requests with an account of their time by label
  std::vector<Duration> labelled_means;        // mean duration of those: what the label rows sum to
  std::vector<BandRow> labels;                 // empty: no request of the route has an account
};

BandTable band_table(const model::RouteStudy& route);

// The main differences between the slowest band and the fastest, in a sentence: "The slowest 1 % take 30.1 ms longer
// than the fastest 50 %: 28.1 ms (93 %) of that in the service, where …". Empty if there is nothing to compare, or if
// the slowest requests are not known (their percentile is refused).
std::string difference_text(const model::RouteStudy& route);

// Says that requests with a duration in doubt are in no band, and may be slower than any. Empty: there are none.
std::string doubt_text(const model::RouteStudy& route);

}  // namespace tailcap::report
