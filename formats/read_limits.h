// How much a program takes from captures. A capture is input from anybody, and a valid one of a kilobyte can stand for
// millions of requests; then reading stops, the program says so, and what was read until then is its result.
//
// Limits belong to the process, as its memory does: set once, before a capture is opened.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/time.h"

namespace tailcap::formats {

struct ReadLimits {
  std::uint64_t memory = 4ull << 30;    // resident memory of this process while it reads
  std::uint64_t requests = 50'000'000;  // of one capture
  // Whether what a file holds may be out of proportion to its size. Off where somebody says how many requests to
  // expect.
  bool proportion = true;
};

void set_read_limits(const ReadLimits& limits);
const ReadLimits& read_limits();

// What may come out of a file of so many bytes, where ReadLimits::proportion holds. Recordings and generated loads that
// were measured had at most 8 bytes of messages, 0.22 events and 0.03 requests per byte of the file; the factors are 20
// times that or more. What is free of them takes some five seconds.
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
// What was too much and which option changes it: one clause.
std::string text_of(StopReason reason);

// A capture that was not read to its end.
struct Stopped {
  std::string file;  // printable
  StopReason reason = StopReason::none;
  Duration after{};  // from its first event to the last that was read
};
// Of all captures that this process has read, each once.
const std::vector<Stopped>& stopped_captures();

namespace file {
struct ReadProgress;
}

// Asks, for each request that is made of a capture's events, whether there is room for it.
class RequestAllowance {
 public:
  explicit RequestAllowance(const std::string& path);
  // Whether there may be this many requests. The first time there may not, formats::Reader ends the reading of the
  // file.
  bool admits(std::uint64_t requests);

 private:
  file::ReadProgress* progress_ = nullptr;
  std::uint64_t most_ = 0;
};

// Resident memory of this process now; 0 where the system does not say.
std::uint64_t resident_bytes();

}  // namespace tailcap::formats
