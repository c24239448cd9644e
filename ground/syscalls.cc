#include "ground/syscalls.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace tailcap::ground {

SyscallWait syscall_wait(int number) {
  switch (number) {
    case 0:    // read
    case 19:   // readv
    case 45:   // recvfrom
    case 47:   // recvmsg
    case 299:  // recvmmsg
      return SyscallWait::input;
    case 1:    // write
    case 20:   // writev
    case 40:   // sendfile
    case 44:   // sendto
    case 46:   // sendmsg
    case 307:  // sendmmsg
      return SyscallWait::output;
    case 43:   // accept
    case 288:  // accept4
      return SyscallWait::accept;
    case 42:
      return SyscallWait::connect;
    case 7:    // poll
    case 271:  // ppoll
      return SyscallWait::poll;
    case 23:   // select
    case 208:  // io_getevents
    case 232:  // epoll_wait
    case 270:  // pselect6
    case 281:  // epoll_pwait
    case 426:  // io_uring_enter
    case 441:  // epoll_pwait2
      return SyscallWait::readiness;
    case 202:  // futex
    case 449:  // futex_waitv
    case 455:  // futex_wait
      return SyscallWait::futex;
    case 72:  // fcntl
    case 73:  // flock
      return SyscallWait::file_lock;
    case 35:   // nanosleep
    case 230:  // clock_nanosleep
      return SyscallWait::sleep;
    default:
      return SyscallWait::other;
  }
}

bool has_time_limit(int number) {
  constexpr int calls[] = {128, 220, 242, 243};  // rt_sigtimedwait, semtimedop, mq_timedsend, mq_timedreceive
  return std::binary_search(std::begin(calls), std::end(calls), number);
}

bool is_file_syscall(int number) {
  constexpr int calls[] = {0,   1,   2,   3,   4,   5,   6,   17,  18,  19,  20,  26,  40,  73,  74,
                           75,  76,  77,  78,  80,  82,  83,  84,  85,  86,  87,  88,  89,  90,  92,
                           133, 137, 138, 161, 162, 217, 221, 257, 258, 262, 263, 264, 265, 266, 267,
                           268, 269, 275, 277, 285, 295, 296, 306, 316, 326, 327, 328, 332, 437, 439};
  return std::binary_search(std::begin(calls), std::end(calls), number);
}

}  // namespace tailcap::ground
