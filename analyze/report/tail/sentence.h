// A route's tail in one sentence, generated from its numbers.
#pragma once

#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::report::tail {

inline constexpr std::size_t kTitle = 120;  // columns of the title with which it begins

// "GET /cart: the slowest 1 % take 53.8 ms against 11.3 typically; 39.6 of the 42.5 ms more is CPU quota throttling
// (…)." Where the data does not support one, it says so and why. Printable; empty: the route has no tail study.
std::string sentence(const model::RouteStudy& route, const model::TextPool& texts);

// The slow cohort: "slowest 1 %", "slowest 0.2 %".
std::string slow_name(const model::TailStudy& tail);

// "held by POST /restock", "GET /stock at stock:9000", "behind GET /spin", "of cgroup /shop, 30.0 ms of every 100 ms".
// Empty: nothing is known.
std::string culprit_text(const model::CulpritStudy& culprit, const model::TextPool& texts);

// The three honesty numbers, in a sentence.
std::string honesty_text(const model::TailStudy& tail);

// How the slow requests lie in time: "in 143 bursts, strewn over the recording".
std::string bursts_text(const model::TailStudy& tail, formats::Time begin);

}  // namespace tailcap::report::tail
