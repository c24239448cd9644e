// Numbers of several machines in one capture, as `tailcap merge` makes it: process and thread numbers, sockets and so
// on are each machine's own, and get the machine's number in bits that the kernel does not use. formats/FORMAT.md.
#pragma once

#include <cstdint>

namespace tailcap::formats {

// From 0, which is also the only machine of a capture that was not merged.
using Machine = std::uint32_t;
inline constexpr Machine kMaxMachines = 64;

// The kernel's process numbers have at most 22 bits.
inline constexpr unsigned kMachineOfPid = 22;
// Cookies, inodes and TLS sessions are counted from 1; 62 marks TLS sessions.
inline constexpr unsigned kMachineOfId = 56;
// Inodes of namespaces are 0xf0000000 and a small number.
inline constexpr unsigned kMachineOfNamespace = 20;

constexpr Machine machine_of(std::uint32_t pid) { return pid >> kMachineOfPid; }
// The number that the process or thread has on its machine.
constexpr std::uint32_t number_of(std::uint32_t pid) { return pid & ((1u << kMachineOfPid) - 1); }

}  // namespace tailcap::formats
