// Whether a cause may be named.
//
// The slowest requests are slower than typical ones by construction, and every label that varies at all gains something
// in them. A cause is named only where the gap is worth a word, is more than the spread of the ordinary requests leads
// one to expect, and lies for a good part in a label that itself goes beyond its own ordinary spread, or from a minor
// part to most of the time.
#pragma once

#include <vector>

#include "analyze/flow/tail_study.h"
#include "analyze/tail/slow/cohorts.h"

namespace tailcap::tail::slow {

// Less than half as slow again is no tail: people ask about factors.
inline constexpr double kLeastRatio = 1.5;
// Wake-ups, interrupts and cold caches make as much on any machine.
inline constexpr std::int64_t kLeastGap = 1'000'000;
// A cause explains a good part of the gap; below, several small things came together.
inline constexpr double kLeastShare = 0.3;
// Of the gap, what is sure: an interval that begins next to nothing says that it may be next to nothing.
inline constexpr double kLeastSurely = 0.1;
// Named beside a cause; less is noise to the reader.
inline constexpr double kFurtherShare = 0.05;
// Over what its own ordinary spread predicts. The prediction is a straight line on logarithmic paper: allow for a bend.
inline constexpr double kBeyondOrdinary = 1.5;
// Or: from a minor part of a typical request to most of a slow one. Locks are waited for a little by everybody.
inline constexpr double kMinorTypically = 0.25, kMajorSlow = 0.5;
// On a busy machine a thread waits some time slices of 3 to 4 ms for a CPU, now and then, with no cause in the service:
// up to 23 ms were the mean of the slowest 1 % with six compilers to a CPU.
inline constexpr std::int64_t kSchedulerNoise = 30'000'000;
// Time "on CPU" holds what a hypervisor took away, and cold caches.
inline constexpr std::int64_t kCpuNoise = 10'000'000;
// Who waits for another thread waits for its delays, too, and where CPUs are short, disks are: such waits must exceed
// the longest waits for a CPU in this recording by that factor.
inline constexpr double kPassedOn = 1.5;
// Lost events hit slow requests more than others: so many make the ranking of labels a guess.
inline constexpr double kMostLossy = 0.1;
inline constexpr double kLossyWorthALook = 0.02;  // of the slow ones; from here on twice the typical share refuses, too

// The mean of the slowest share (1 - from) of requests, if their logarithms went on beyond the middle half as within
// it. The narrower side of the middle half counts: a second mode on the other is no spread.
double ordinary_mean_beyond(double from, double q25, double q50, double q75);

// Sets verdict, reason, causes, ordinary_slow_mean and stands_out of the labels, which have their intervals.
// served: by the recorded process; a call made waits for whom it calls, and that is no cause but the question.
// noise: how long the requests of the recording waited for a CPU that waited longest, see longest_waits_for_cpu().
void decide(const std::vector<Item>& items, bool served, double noise, flow::TailStudy& out);

// Of all requests of the recording, the mean of the 1 % that waited longest, in ns. Machines are noisy as a whole.
double longest_waits_for_cpu(const flow::RequestTable& table);

}  // namespace tailcap::tail::slow
