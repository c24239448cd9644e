#include "analyze/model/study/verdict.h"

namespace tailcap::model {

std::string_view name_of(VerdictScope scope) {
  constexpr std::string_view names[] = {"route", "process", "machine"};
  return names[static_cast<std::size_t>(scope)];
}

std::string_view name_of(VerdictKind kind) {
  constexpr std::string_view names[] = {"nothing", "few", "usual", "tail", "unfinished", "failing", "undelivered"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view name_of(Origin origin) {
  constexpr std::string_view names[] = {"unexplained", "machine",         "hypervisor", "recorder", "own_load",
                                        "passed_on",   "machine_or_code", "service",    "spread"};
  return names[static_cast<std::size_t>(origin)];
}

std::string_view name_of(Pattern pattern) {
  constexpr std::string_view names[] = {"single", "incident", "incidents", "periodic", "always", "recurring"};
  return names[static_cast<std::size_t>(pattern)];
}

std::string_view name_of(SharedTrait::Kind kind) {
  constexpr std::string_view names[] = {"host",         "connection",    "thread", "path",   "authority", "first",
                                        "request_size", "response_size", "load",   "header", "calls"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view name_of(TroubleKind kind) {
  constexpr std::string_view names[] = {"name", "connect", "tls", "call", "stale", "goaway", "ended"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view name_of(VerdictLevel level) {
  constexpr std::string_view names[] = {"nothing", "note", "notable", "severe"};
  return names[static_cast<std::size_t>(level)];
}

}  // namespace tailcap::model
