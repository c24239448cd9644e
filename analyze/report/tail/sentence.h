// Verdicts in sentences, generated from their numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/study/study.h"

namespace tailcap::report::tail {

inline constexpr std::size_t kTitle = 120;  // columns of the title with which a sentence begins

// "POST /orders: the slowest 14 of 285 average 36.3 ms (typical: 0.56 ms). 23.3 ms of this is spent waiting for …"
// Printable; empty for a route with nothing to say.
std::string sentence(const model::Verdict& verdict, const model::Study& study, const model::RequestTable& table);
// What a part of a sentence is about; together they are the sentence.
enum class Aspect : std::uint8_t {
  head,   // what happened: how many of how many, how slow
  cause,  // what they waited for, and who caused that
  felt,   // which other routes waited for these requests
  when,   // how they lie in time
  rest,
};
struct Said {
  Aspect aspect;
  std::string text;  // with the punctuation that joins it to what is before it
};
std::vector<Said> pieces(const model::Verdict& verdict, const model::Study& study, const model::RequestTable& table);
// The words with which it begins and ends before the colon: "POST /orders", "3 routes", "The machine".
std::string subject(const model::Verdict& verdict, const model::Study& study);

// The slow cohort: "slowest 1 %", "slowest 0.2 %".
std::string slow_name(const model::TailStudy& tail);
// The three honesty numbers, in a sentence.
std::string honesty_text(const model::TailStudy& tail);
// How the slow requests lie in time: "in 143 bursts, spread over the recording".
std::string bursts_text(const model::TailStudy& tail, formats::Time begin);

}  // namespace tailcap::report::tail
