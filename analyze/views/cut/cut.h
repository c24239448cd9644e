// A capture of a few requests, of which it says what the original says: ids, times, labels, blockers.
#pragma once

#include <cstdint>
#include <string>

#include "analyze/pipeline/pipeline.h"

namespace tailcap::views {

struct CutOptions {
  std::string in, out;
  pipeline::Options selection;            // which requests are asked for
  std::size_t slowest = 20;               // of those, at most; 0: all
  std::size_t controls = 20;              // typical requests of the same routes
  formats::Duration context{50'000'000};  // kept around each request
  std::uint64_t max_bytes = 0;            // of the result; 0: as many as it takes
  bool force = false;
};

struct CutResult {
  std::uint64_t requests = 0;            // in the original
  std::size_t chosen = 0, controls = 0;  // in the result
  std::size_t related = 0;               // parents, calls, other ends and requests that were waited for, likewise
  unsigned attempts = 0;                 // the result was widened until it said the same
  std::uint64_t events = 0, file_bytes = 0, in_bytes = 0, in_events = 0;
  bool damaged = false;  // the original is
};

// Throws where no request matches, and where a chosen request would read differently.
CutResult cut(const CutOptions& options);

}  // namespace tailcap::views
