// Splits the time of a request recorded at both ends: on the way there, at the server, on the way back. The three sum
// to the client's duration exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "analyze/model/request.h"
#include "formats/machine.h"
#include "formats/preamble.h"

namespace tailcap::model {

// Upper bounds of the clock errors between the machines of a merged capture.
class ClockErrors {
 public:
  ClockErrors() = default;
  explicit ClockErrors(const formats::Preamble& preamble);
  // The error of a time difference between processes a and b, ns: 0 on one machine; negative: not known.
  std::int64_t between(std::uint32_t pid_a, std::uint32_t pid_b) const;
  // The error against the capture's reference clock, ns; negative: not known, or the capture was not merged.
  std::int64_t of(formats::Machine machine) const;

 private:
  std::vector<std::int64_t> errors_;  // by machine
};

struct Split {
  Duration out{}, server{}, back{};
  std::int64_t error = 0;  // clock error of out and back between machines, ns; negative: not known
};

// Nothing where a duration of one is not known. What would be negative, a clock's error or a send that was stamped when
// it returned, is nothing, and goes to the server's share.
std::optional<Split> split_of(const Request& client, const Request& server, const ClockErrors& clocks);

// Splits of all client-side requests that have their other end in the table, by id.
class Splits {
 public:
  Splits() = default;
  Splits(const RequestTable& table, const ClockErrors& clocks);
  const Split* find(ExchangeId client) const;

 private:
  std::vector<std::pair<ExchangeId, Split>> all_;
};

}  // namespace tailcap::model
