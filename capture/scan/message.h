// One message with descriptors over a socket that keeps messages apart (SOCK_SEQPACKET).
//
// A long message travels as a sealed memfd. Sizes are checked before memory is taken, the seals before the memfd is
// read, and the bytes are a copy. From an end that is not trusted no descriptors are taken: closing the descriptor of a
// file that does not answer would wait for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/host/descriptor.h"

namespace tailcap::capture::scan {

// Bytes of a build id, places of a file that have probes, and bytes of the instruction at one.
inline constexpr std::size_t kMaxPlaces = 16384, kMaxInstruction = 15;

struct Message {
  std::string bytes;
  std::vector<Descriptor> descriptors;
};

inline constexpr std::size_t kMaxDescriptors = 250;  // in one message; the kernel takes 253

std::optional<std::pair<Descriptor, Descriptor>> connected_pair();
// False: the other end is gone, or it cannot be sent. Does not wait unless the socket's queue is full.
bool send_message(int socket, std::string_view bytes, std::span<const int> descriptors = {});

enum class Take : std::uint8_t { descriptors, bytes_only };
enum class Received : std::uint8_t { message, closed, late, interrupted };
// Waits until the deadline, or until interrupt (-1: none) can be read. closed: also for what is no valid message or is
// longer than most bytes; nothing more is expected from such an end.
Received receive_message(int socket, Take take, std::size_t most, Message& out,
                         std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt,
                         int interrupt = -1);

}  // namespace tailcap::capture::scan
