// What the recorder and the reader say of the machine, of themselves and of what was lost.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/socket_event.h"
#include "formats/time.h"

namespace tailcap::formats {

// The clocks read together: Event::time is CLOCK_MONOTONIC. uncertainty bounds the distance between the readings.
struct ClockSnapshot {
  std::int64_t realtime = 0;  // ns since 1970
  std::int64_t boottime = 0;  // ns
  Duration uncertainty{};
  bool operator==(const ClockSnapshot&) const = default;
};

// An address of this machine, in a network namespace that targets are in.
struct NetInterface {
  std::uint32_t net_namespace = 0;  // inode, as in SocketInfo
  std::uint32_t index = 0;
  std::string_view name{};
  Family family = Family::unknown;
  Address address{};        // port 0
  std::uint8_t prefix = 0;  // bits of the network's part
  bool operator==(const NetInterface&) const = default;
};

// A network interface, in the network namespace of the recorder or of targets: as it is found, and as it changes.
struct NetLink {
  std::uint32_t net_namespace = 0;  // inode, as in SocketInfo
  std::uint32_t index = 0;
  std::string_view name{};
  std::string_view type{};           // "veth", "bond", "bridge", …; empty: none, as for hardware and loopback
  std::uint32_t mtu = 0;             // bytes
  std::uint32_t master = 0;          // index of the bond or bridge that it is in; 0: none
  std::uint32_t peer = 0;            // index of the other end of a veth, or of the interface below; 0: none, not known
  std::uint32_t peer_namespace = 0;  // that the peer is in; 0: none, or not known
  bool up = false;                   // a user set it up
  bool gone = false;                 // it was removed, or left the namespace
  bool operator==(const NetLink&) const = default;
};

// A note that a user added during the recording, such as a deployment. Notes given at the start are in the preamble.
struct Note {
  std::string_view key{}, value{};
  bool operator==(const Note&) const = default;
};

// A function of a program or library in which the recorder placed a probe, or the reason that it did not.
struct Probe {
  std::string_view path{};  // the file
  std::string_view function{};
  std::string_view place{};   // "js +0x16: emulated"; empty where not attached
  std::uint64_t offset = 0;   // of the probe in the file
  std::uint32_t price = 0;    // cost of one hit, by the kind of instruction, ns; 0: not attached
  std::string_view reason{};  // why it is not attached, or what is incomplete
  bool operator==(const Probe&) const = default;
};

// Losses between since and Event::time that were counted.
enum class LossCause : std::uint8_t {
  ring_full = 0,
  queue_full = 1,
  bad_record = 2,
  socket_table_full = 3,
  task_table_full = 4,
  session_table_full = 5,  // a TLS call without room to keep its beginning or its session
  damaged = 6,  // a capture that was merged into this one was damaged or cut short there; count only says that events
                // may be missing
  probe_removed = 7,    // a probe was removed: what it would have recorded from then on; at least
  file_not_read = 8,    // a file was not looked at, so no probe is in it; at least
  not_decrypted = 9,    // records of TLS that could not be decrypted
  call_under_way = 10,  // a call that had not returned when its process ended
  unknown = 255
};  // a cause that a later version counts
struct Loss {
  Time since = kNoTime;
  LossCause cause = LossCause::ring_full;
  std::uint8_t kind = 0;  // Kind of the lost events; 255: unknown
  std::uint64_t count = 0;
  bool operator==(const Loss&) const = default;
};

// The cost of recording so far.
struct RecorderCost {
  Duration cpu{};              // user and system time of the recorder
  std::uint64_t resident = 0;  // bytes
  bool operator==(const RecorderCost&) const = default;
};
struct ProgramCost {
  std::string_view program{};
  std::uint64_t runs = 0;
  Duration time{};  // 0 where the kernel does not measure (kernel.bpf_stats_enabled)
  bool operator==(const ProgramCost&) const = default;
};

// What a recorded process has used so far, and its memory now; about once a second. Event::thread is the process.
struct ProcessUse {
  Duration cpu{};               // of all its threads, also of those that have ended
  std::uint64_t resident = 0;   // bytes in memory; the kernel counts some pages for each CPU late
  std::uint64_t anonymous = 0;  // of these, those that no file and no other process has
  bool operator==(const ProcessUse&) const = default;
};

// Calls of malloc and its kind by process Event::thread.pid since the previous reading, of one size class. Opt-in. A
// process of Go has GoAllocations instead.
struct MallocCalls {
  std::uint64_t least = 0;  // as GoAllocations::least
  std::uint64_t count = 0, bytes = 0;
  bool operator==(const MallocCalls&) const = default;
};

// Packets that the kernel of the whole machine dropped within a second, for one reason and with one destination.
struct PacketDrops {
  Time began = kNoTime;             // of the second; Event::time is when the recorder read it
  std::string_view reason{};        // as the kernel names it: "NO_SOCKET"; the number where it does not
  Family family = Family::unknown;  // unknown: the packets had no IP header that could be read
  std::uint8_t protocol = 0;        // of IP: 6 is TCP, 17 UDP
  Address to{};                     // the destination in their headers. Port 0: not known, or there is none
  std::uint64_t count = 0;
  bool operator==(const PacketDrops&) const = default;
};

// What the machine's CPUs did.
enum class CpuUser : std::uint8_t {
  idle = 0,
  iowait = 1,
  irq = 2,
  softirq = 3,
  steal = 4,    // the hypervisor ran something else; there is such an event, if only of 0 ns, where the kernel can tell
  process = 5,  // one of those that ran most
  others = 6,   // all other processes
  recorder = 7,   // tailcap-record
  unknown = 255,  // of a later version
};
// CPU time from began to Event::time; there is one for each of those that used any. Event::thread is the recorder.
struct MachineCpu {
  CpuUser user = CpuUser::unknown;
  Time began = kNoTime;
  Duration time{};
  std::uint32_t pid = 0;      // user process, recorder
  std::string_view comm{};    // likewise
  std::uint64_t read = 0;     // user process: bytes that it had the kernel read from disks meanwhile,
  std::uint64_t written = 0;  // and bytes of files that it changed, which the kernel writes to disks, at once or later
  bool operator==(const MachineCpu&) const = default;
};

// The last event of every capture, made by the reader: the end is data. Streams end, messages end.
enum class CaptureState : std::uint8_t { complete = 0, truncated = 1, recovered = 2, recording = 3 };
struct CaptureEnd {
  CaptureState state = CaptureState::complete;
  bool operator==(const CaptureEnd&) const = default;
};

// A damaged or missing range of the file, made by the reader: events between since and Event::time may be missing.
struct Damage {
  Time since = kNoTime;
  std::uint64_t bytes = 0;
  bool operator==(const Damage&) const = default;
};

}  // namespace tailcap::formats
