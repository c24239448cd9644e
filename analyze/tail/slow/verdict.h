// Decides whether a cause may be named.
//
// The slowest requests are slower than typical ones by construction, and every label that varies at all is larger in
// them. A cause is named only if the gap is large enough to matter and exceeds what the spread of the typical requests
// predicts. In addition, a good part of the gap must lie in one label, and that label must either exceed its own
// typical spread or grow from a minor part of the time to most of it.
#pragma once

#include <vector>

#include "analyze/model/study/tail_study.h"
#include "analyze/tail/slow/cohorts.h"

namespace tailcap::tail::slow {

// A smaller ratio of slow to typical is no tail.
inline constexpr double kLeastRatio = 1.5;
// Wake-ups, interrupts and cold caches cause gaps up to this on any machine.
inline constexpr std::int64_t kLeastGap = 1'000'000;
// A cause explains at least this share of the gap; below it, several small effects came together.
inline constexpr double kLeastShare = 0.3;
// The lower end of the interval, as a share of the gap: an interval that begins near zero says that the effect may be
// near zero.
inline constexpr double kLeastSurely = 0.1;
// The smallest share that is named beside a cause; less is noise to the reader.
inline constexpr double kFurtherShare = 0.05;
// The factor by which a label must exceed the prediction from its own typical spread. The prediction is a straight line
// on logarithmic paper: the factor allows for a bend.
inline constexpr double kBeyondOrdinary = 1.5;
// Or: from a minor part of a typical request to most of a slow one. Small lock waits are everywhere.
inline constexpr double kMinorTypically = 0.25, kMajorSlow = 0.5;
// On a busy machine a thread now and then waits some time slices of 3 to 4 ms for a CPU, with no cause in the service:
// with six compilers per CPU, the mean of the slowest 1 % was up to 23 ms.
inline constexpr std::int64_t kSchedulerNoise = 30'000'000;
// Time "on CPU" includes stolen time and cold caches.
inline constexpr std::int64_t kCpuNoise = 10'000'000;
// A thread that waits for another one also waits for that one's delays, and where CPUs are short, disks are, too: such
// waits must exceed the longest run-queue latencies of this recording by that factor.
inline constexpr double kPassedOn = 1.5;
// Lost events affect slow requests more than others: from this share on, the ranking of labels is a guess.
inline constexpr double kMostLossy = 0.1;
inline constexpr double kLossyWorthALook =
    0.02;  // of the slow ones; from here on twice the typical share also refuses the verdict

// The mean of the slowest share (1 - from) of requests, if their logarithms went on beyond the middle half as within
// it. The narrower side of the middle half counts: a second mode on the other is no spread.
double ordinary_mean_beyond(double from, double q25, double q50, double q75);

// Sets verdict, reason, causes, ordinary_slow_mean and stands_out of the labels, which have their intervals. served: by
// the recorded process; a call that it made waits for the callee, which is the question and not a cause. noise: see
// longest_waits_for_cpu().
void decide(const std::vector<Item>& items, bool served, double noise, model::TailStudy& out);

// The mean run-queue latency, in ns, of the 1 % of the recording's requests with the longest. Machines are noisy as a
// whole.
double longest_waits_for_cpu(const model::RequestTable& table);

}  // namespace tailcap::tail::slow
