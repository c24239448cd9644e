// The phases of a request, cut at byte milestones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

// They partition [start, start + duration) exactly.
// Server: arrive read continue_ pipelined work respond. Client: send continue_ pipelined ttfb pickup body.
enum class Phase : std::uint8_t {
  arrive,     // server: in the socket buffer, from arrival of the first byte to the read that took it
  read,       // server: until the last byte of the request was read
  continue_,  // waiting for 100 Continue: server, until it was sent; client, until it was read
  pipelined,  // server: the response before it on the connection was not done; client: likewise received
  work,       // server: in the service, until the first byte of the final response was sent
  respond,    // server: until its last byte was sent
  send,       // client: until the last byte of the request was sent
  ttfb,       // client: until the first byte of the final response arrived
  pickup,     // client: in the socket buffer, until it was read
  body,       // client: until its last byte was read
  count_,
};
inline constexpr std::size_t kPhases = static_cast<std::size_t>(Phase::count_);
std::string_view name_of(Phase phase);  // as in --json: "arrive", "continue", …
std::string_view text_of(Phase phase);  // for people: "received, not yet read", …

// The six phases of a role, in order of time.
std::array<Phase, 6> phases_of(Role role);

}  // namespace tailcap::model
