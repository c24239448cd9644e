// The groups of kernel programs, as users select them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tailcap::capture {

// Groups of events that can be switched off. Sockets and tasks are always followed: they decide what is recorded.
enum class Group : std::uint8_t {
  io,
  arrivals,
  offcpu,
  stalls,
  tasks,
  net,
  tls,
  go,
  samples,
  stacks,
  interrupts,
  files,
  allocations
};
// All but the last three are recorded without being asked for.
inline constexpr std::array kGroups = {
    Group::io, Group::arrivals, Group::offcpu, Group::stalls,     Group::tasks, Group::net,        Group::tls,
    Group::go, Group::samples,  Group::stacks, Group::interrupts, Group::files, Group::allocations};
inline constexpr std::size_t kUnasked = kGroups.size() - 3;
const char* name_of(Group group);
const char* describe(Group group);

}  // namespace tailcap::capture
