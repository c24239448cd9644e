// Whether a request's duration counts, and how it failed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "analyze/model/request.h"
#include "analyze/model/study/error_counts.h"

namespace tailcap::tail {

// How the end of a request limits what can be said about durations.
enum class DurationStanding : std::uint8_t {
  clean,      // its duration counts
  doubtful,   // its duration is unknown, or its borders lie in lost bytes or events
  in_flight,  // it began before the recording or was not over at its end
  failed,     // model::broke_off
};
constexpr const char* name_of(DurationStanding standing) {
  constexpr const char* names[] = {"clean", "doubtful", "in_flight", "failed"};
  return names[static_cast<std::size_t>(standing)];
}
DurationStanding standing_of(const model::Request& row);
DurationStanding standing_of(const model::Rows& rows, std::size_t i);

// Counts an answer that says that the request failed: a status of HTTP or gRPC, or the error of a store.
void count_answer(const model::Rows& rows, std::size_t i, model::ErrorCounts& errors);

}  // namespace tailcap::tail
