// Limits on the resources that reading captures may use. A capture is untrusted input: a valid one of a kilobyte can
// expand to millions of requests. When a limit is reached, reading stops, the program says so, and what was read until
// then is the result.
//
// Limits apply to the process, as its memory does. They are set once, before a capture is opened.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/time.h"

namespace tailcap::formats {

struct ReadLimits {
  std::uint64_t memory = 4ull << 30;    // of this process; process_bounds.h holds it to this
  std::uint64_t requests = 50'000'000;  // of one capture
  // Whether the contents of a file must be in proportion to its size. Off if the user states how many requests to
  // expect.
  bool proportion = true;
  bool memory_in_proportion = true;  // likewise `memory`, which is the most then
  Duration processor{};              // 0: in proportion, or none
};

void set_read_limits(const ReadLimits& limits);
const ReadLimits& read_limits();

// The most that a file of a given size may expand to, where ReadLimits::proportion holds. Measured recordings and
// generated loads had at most 8 bytes of messages, 0.22 events and 0.03 requests per byte of the file; the factors are
// at least 20 times that. The amounts that are free of these factors take some five seconds to read.
inline constexpr std::uint64_t kFreeRaw = 512ull << 20, kRawPerByte = 1000;
inline constexpr std::uint64_t kFreeEvents = 4'000'000, kEventsPerByte = 5;
inline constexpr std::uint64_t kFreeRequests = 250'000, kRequestsPerByte = 1;

enum class StopReason : std::uint8_t {
  none,
  memory,         // ReadLimits::memory
  requests,       // ReadLimits::requests
  many_requests,  // more than a file of its size may hold
  many_events,    // likewise events, or bytes of messages
};

std::string_view name_of(StopReason reason);  // "memory_limit", …: stable, as in --json
// The limit that was exceeded and the option that changes it, as one clause.
std::string text_of(StopReason reason);

// A capture that was not read to its end.
struct Stopped {
  std::string file;  // printable
  StopReason reason = StopReason::none;
  Duration after{};  // from its first event to the last that was read
};
// All captures that this process read only in part, each once.
const std::vector<Stopped>& stopped_captures();

namespace file {
struct ReadProgress;
}

// Checks, for each request that is made from a capture's events, whether the limits allow it.
class RequestAllowance {
 public:
  explicit RequestAllowance(const std::string& path);
  // Whether this many requests are allowed. After the first refusal formats::Reader ends the reading of the file.
  bool admits(std::uint64_t requests);
  // This number of requests and kFar more are allowed, as far as a number limits them.
  static constexpr std::uint64_t kFar = 100'000;
  bool is_far(std::uint64_t requests) const { return progress_ == nullptr || requests + kFar <= most_; }

 private:
  file::ReadProgress* progress_ = nullptr;
  std::uint64_t most_ = 0;
};

// Resident memory of this process now, in bytes; 0 where the system does not report it.
std::uint64_t resident_bytes();

}  // namespace tailcap::formats
