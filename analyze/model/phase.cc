#include "analyze/model/phase.h"

namespace tailcap::model {

std::array<Phase, 6> phases_of(Role role) {
  using enum Phase;
  if (role == Role::server) return {arrive, read, continue_, pipelined, work, respond};
  return {send, continue_, pipelined, ttfb, pickup, body};
}

std::string_view name_of(Phase phase) {
  constexpr std::string_view names[kPhases] = {"arrive",  "read", "continue", "pipelined", "work",
                                               "respond", "send", "ttfb",     "pickup",    "body"};
  return names[static_cast<std::size_t>(phase)];
}

std::string_view text_of(Phase phase) {
  constexpr std::string_view texts[kPhases] = {"received, not yet read by the service",
                                               "reading the request",
                                               "waiting for 100 Continue",
                                               "behind the one before",
                                               "in the service",
                                               "writing the response",
                                               "sending the request",
                                               "waiting for the first byte",
                                               "received, not yet read",
                                               "receiving the response"};
  return texts[static_cast<std::size_t>(phase)];
}

}  // namespace tailcap::model
