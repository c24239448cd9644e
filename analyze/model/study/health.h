// How the services of a recording, and those that they call, fared window by window of time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/study/error_counts.h"
#include "analyze/model/wire/exchange.h"
#include "formats/time.h"

namespace tailcap::model {

struct HealthCell {
  std::uint64_t requests = 0, errors = 0;  // that began in the window; errors: server errors and what broke off
  Duration p99{};                          // of fewer than Health::kFewest timed ones the slowest
  std::uint64_t timed = 0;
};

struct HealthRow {
  std::string
      name;  // of the process; of a dependency the host that is called, or where that is not known what it belongs to
  Role role = Role::server;                // client: a dependency
  std::uint64_t requests = 0, errors = 0;  // the sums of its windows
  ErrorCounts kinds;                       // errors, and client errors beside them
  Duration p99{};                          // the median of its windows' p99
  std::vector<HealthCell> cells;
};

struct Health {
  static constexpr std::size_t kWindows = 24, kRows = 12;
  static constexpr std::uint64_t kFewest = 20;  // requests in a window; fewer have no p99

  Time begin = kNoTime;
  Duration window{};
  std::vector<HealthRow> rows;  // served ones first, most requests first
  std::uint64_t left_out = 0;
};

// What a cell is to be seen as.
enum class HealthState : std::uint8_t { nothing, few, few_slow, good, slow, very_slow, failing, down };
HealthState state_of(const HealthRow& row, const HealthCell& cell);

}  // namespace tailcap::model
