// Which goroutine of a Go server worked on a request, and when.
#pragma once

#include <cstdint>

#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

struct Served {
  ExchangeId id;
  std::uint32_t pid = 0;
  Protocol protocol = Protocol::unknown;
  std::uint64_t goroutine = 0;          // that worked on it; 0: not known
  Time begin = kNoTime, end = kNoTime;  // read, answered; end: kMaxTime where it was not
  bool operator==(const Served&) const = default;
};

}  // namespace tailcap::model
