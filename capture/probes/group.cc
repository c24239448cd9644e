#include "capture/probes/group.h"

namespace tailcap::capture {

const char* name_of(Group group) {
  switch (group) {
    case Group::io:
      return "io";
    case Group::arrivals:
      return "arrivals";
    case Group::offcpu:
      return "offcpu";
    case Group::stalls:
      return "stalls";
    case Group::tasks:
      return "tasks";
    case Group::net:
      return "net";
    case Group::tls:
      return "tls";
    case Group::go:
      return "go";
    case Group::interrupts:
      return "interrupts";
    case Group::samples:
      return "samples";
    case Group::files:
      return "files";
    case Group::stacks:
      return "stacks";
    case Group::allocations:
      return "allocations";
  }
  return "?";
}

const char* describe(Group group) {
  switch (group) {
    case Group::io:
      return "sends and receives on sockets, with payload heads";
    case Group::arrivals:
      return "when TCP data reached the socket";
    case Group::offcpu:
      return "threads off the CPU: how long, woken when, in which system call";
    case Group::stalls:
      return "threads held up in the kernel: reclaim, locks, disk, write-back, FUSE (the last three with offcpu)";
    case Group::tasks:
      return "program starts and exits (threads are followed in any case)";
    case Group::net:
      return "TCP retransmissions and resets, dropped packets with reasons (connection states are followed in any "
             "case)";
    case Group::tls:
      return "plaintext of TLS: OpenSSL, GnuTLS and Go; others who use the same library pay 0.5 µs a call, too";
    case Group::go:
      return "of Go programs: which goroutine, who made it, which handler serves, when the collector works";
    case Group::interrupts:
      return "soft interrupts of 10 µs and more in the time of running threads: only where it is named";
    case Group::samples:
      return "what threads do while they run: their stacks, 99 times a second on each CPU (--sample says how often)";
    case Group::files:
      return "file opens, and slow reads, writes and fsyncs of files (with offcpu), by path: only where it is named";
    case Group::stacks:
      return "where threads wait: their stacks, of waits of 1 ms and more (with offcpu; --stacks, --long-wait)";
    case Group::allocations:
      return "allocations of Go programs, and by malloc in recorded processes, at a trap each, up to 5 µs: only where "
             "it is named";
  }
  return "?";
}

}  // namespace tailcap::capture
