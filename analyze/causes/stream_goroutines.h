// Finds the goroutine of each request on an HTTP/2 connection of a Go server: the connection's goroutine starts one for
// each, in the order of the requests. Lost requests or goroutines shift that order, so nothing is found where anything
// was lost since the connection was idle.
#pragma once

#include <vector>

#include "analyze/causes/goroutines.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::causes {

struct StreamGoroutine {
  model::ExchangeId id;
  std::uint32_t stream = 0;
  std::uint64_t reader = 0, writer = 0;  // goroutines
  formats::Time began = formats::kNoTime, answered = formats::kNoTime;
  Goroutines::Child carrier;  // to be found; number 0: not known
};

// The requests of one connection; sorts them.
void find_carriers(std::uint32_t pid, std::vector<StreamGoroutine>& requests, const Goroutines& goroutines);

}  // namespace tailcap::causes
