// Terms of I/O events: sockets, threads, directions.
#pragma once

#include <cstdint>

namespace tailcap::formats {

// The kernel's socket cookie: never reused while the machine runs. 0: no socket.
using SocketId = std::uint64_t;

// The numbers of the initial pid namespace. pid is the process (tgid), tid the thread.
struct Thread {
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
  bool operator==(const Thread&) const = default;
};

// As seen from the recorded socket: out was sent by it, in was received by it.
enum class Direction : std::uint8_t { out = 0, in = 1 };

// Why the payload is or is not there.
enum class Payload : std::uint8_t {
  captured = 0,     // head (and tail) hold what was asked for
  off = 1,          // payload capture was switched off
  no_buffer = 2,    // the bytes never were in a user buffer: sendfile, splice, io_uring, kernel threads
  unsupported = 3,  // sendmmsg, recvmmsg, 32-bit callers: length only
  fault = 4,        // the buffer could not be read
  added = 5,        // not the program's: a program of the kernel added them to the call before, somewhere in its bytes
};

// The kind of file that a descriptor refers to.
enum class FileKind : std::uint8_t {
  unknown = 0,
  socket = 1,
  pipe = 2,
  eventfd = 3,
  epoll = 4,
  regular = 5,
  directory = 6,
  terminal = 7,
  timerfd = 8,
  signalfd = 9,
  inotify = 10,
  other = 11,
  log = 12,  // a socket of syslog or of systemd's journal, written to
};

}  // namespace tailcap::formats
