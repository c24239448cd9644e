// How slow requests lie in time, and what they share.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::report {

// "+1.723 s (99.1 ms)"
std::string burst_text(const model::Burst& burst, formats::Time begin);

// " In 4 bursts: at +1.723 s (99.1 ms), …"; empty: nothing is known, or it is always so.
std::string pattern_text(const model::Verdict& v, const model::Study& study);

// " 18 of the 20 come from 10.0.0.7 (other requests: 3 %)."; empty: nothing.
std::string shared_text(const model::Verdict& v, const model::Study& study);

// " and 2 more"; empty where all are named.
std::string more_text(std::size_t all, std::size_t named);

}  // namespace tailcap::report
