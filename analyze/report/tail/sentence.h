// Verdicts in sentences, generated from their numbers.
#pragma once

#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::report::tail {

inline constexpr std::size_t kTitle = 120;  // columns of the title with which a sentence begins

// "POST /orders: 14 of 285 take 36.3 ms on average, typical ones 0.56 ms; 23.3 ms of it is waiting for the disk. …"
// Printable; empty for a route with nothing to say.
std::string sentence(const model::Verdict& verdict, const model::Study& study, const model::RequestTable& table);
// The words with which it begins and ends before the colon: "POST /orders", "3 routes", "The machine".
std::string subject(const model::Verdict& verdict, const model::Study& study);

// The slow cohort: "slowest 1 %", "slowest 0.2 %".
std::string slow_name(const model::TailStudy& tail);
// The three honesty numbers, in a sentence.
std::string honesty_text(const model::TailStudy& tail);
// How the slow requests lie in time: "in 143 bursts, spread over the recording".
std::string bursts_text(const model::TailStudy& tail, formats::Time begin);

}  // namespace tailcap::report::tail
