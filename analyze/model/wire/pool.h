// The connections of a process to one place, which its requests take and give back. As a number, so that a blocker can
// name them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "analyze/model/text_pool.h"

namespace tailcap::model {

struct PoolOfConnections {
  TextId remote = 0;
  std::uint32_t connections = 0;

  static PoolOfConnections of(std::uint64_t number) {
    return {static_cast<TextId>(number >> kBits), static_cast<std::uint32_t>(number & kMost)};
  }
  std::uint64_t number() const { return std::uint64_t{remote} << kBits | std::min<std::uint64_t>(connections, kMost); }

 private:
  static constexpr unsigned kBits = 16;
  static constexpr std::uint64_t kMost = (1u << kBits) - 1;
};

}  // namespace tailcap::model
