// The connection of a request that failed, when the request was sent on it. On the server's side only `goaway` is
// known.
#pragma once

#include <cstdint>
#include <optional>

namespace tailcap::model {

struct ConnectionUse {
  std::int64_t age = -1;   // ns since it was established; -1: it was open before the recording, or not known
  std::int64_t idle = -1;  // ns since the exchange before on it was over; -1: there was none, or not known
  // ns since its peer had closed it, at least; -1: it was not closed then, as far as is known.
  std::int64_t closed = -1;
  std::uint32_t peer = 0;                    // a text: the name of the process that has the other end; 0: not known
  std::optional<std::uint32_t> goaway = {};  // the error with which its server ended it (HTTP/2)
  bool operator==(const ConnectionUse&) const = default;
};

}  // namespace tailcap::model
