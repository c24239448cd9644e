// Where a request that was recorded at both ends spent its time: on the way there, at the server, on the way back. The
// three make up the client's duration exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "analyze/flow/request.h"
#include "formats/machine.h"
#include "formats/preamble.h"

namespace tailcap::flow {

// How far the clocks of a merged capture's machines can be off.
class ClockErrors {
 public:
  ClockErrors() = default;
  explicit ClockErrors(const formats::Preamble& preamble);
  // Of a time difference between the processes a and b, ns: 0 on one machine; negative: not known.
  std::int64_t between(std::uint32_t pid_a, std::uint32_t pid_b) const;
  // Against the machine whose clock is the capture's; negative: not known, or the capture was not merged.
  std::int64_t of(formats::Machine machine) const;

 private:
  std::vector<std::int64_t> errors_;  // by machine
};

struct Split {
  Duration out{}, server{}, back{};
  std::int64_t error = 0;  // of out and back, ns: when machines differ, their clocks do; negative: not known
};

// Nothing where a duration of one is not known. What would be negative, a clock's error or a send that was stamped when
// it returned, is nothing, and goes to the server's share.
std::optional<Split> split_of(const Request& client, const Request& server, const ClockErrors& clocks);

// Of all client-side requests of the table whose other end is in it, by their ids.
class Splits {
 public:
  Splits() = default;
  Splits(const RequestTable& table, const ClockErrors& clocks);
  const Split* find(ExchangeId client) const;

 private:
  std::vector<std::pair<ExchangeId, Split>> all_;
};

}  // namespace tailcap::flow
