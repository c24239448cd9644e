// Whether a request's duration counts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "analyze/model/request.h"

namespace tailcap::tail {

// How the end of a request limits what can be said about durations.
enum class Standing : std::uint8_t {
  clean,      // its duration counts
  doubtful,   // its duration is unknown, or its borders lie in lost bytes or events
  in_flight,  // it began before the recording or was not over at its end
  failed,     // model::broke_off
};
Standing standing_of(const model::Request& row);
Standing standing_of(const model::Rows& rows, std::size_t i);

}  // namespace tailcap::tail
