// System calls of x86-64, by number.
#pragma once

#include <cstdint>
#include <string>

namespace tailcap::ground {

// "futex"; "syscall 512" where the name is not known; "no system call" below 0.
std::string syscall_name(int number);

// What a thread waits for in a call that can block.
enum class SyscallWait : std::uint8_t {
  other,
  input,   // read, recvmsg, …
  output,  // write, sendmsg, …
  accept,
  connect,
  poll,       // poll, ppoll: the second argument is the number of descriptors
  readiness,  // of any of several descriptors: select, epoll_wait, io_uring_enter, …
  futex,
  file_lock,  // flock; fcntl waits for nothing but locks
  sleep,
};
SyscallWait syscall_wait(int number);

// The call waits for something that is no descriptor, and its caller may limit the time: rt_sigtimedwait, semtimedop, …
bool has_time_limit(int number);
// The call can wait for a file system: read, open, stat, fsync, rename, …
bool is_file_syscall(int number);

}  // namespace tailcap::ground
