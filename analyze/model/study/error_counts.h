// Requests that failed, by kind.
#pragma once

#include <cstdint>

namespace tailcap::model {

struct ErrorCounts {
  std::uint64_t server = 0;  // 5xx
  std::uint64_t client = 0;  // 4xx
  std::uint64_t stores = 0;  // errors that databases and caches answered
  std::uint64_t other = 0;   // without a proper end
  std::uint64_t all() const { return server + client + stores + other; }
};

}  // namespace tailcap::model
