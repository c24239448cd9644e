// One thing that the kernel did, as it is stored in a capture and as the analyser reads it.
//
// An Event is a value: trivially copyable, comparable, printable in tests. Views inside it (payload, names) point into
// the block that it was read from and live as long as that block (formats/file/reader.h says how long). Io defines what
// a position is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "formats/file_call.h"
#include "formats/go_event.h"
#include "formats/io_terms.h"
#include "formats/masking.h"
#include "formats/sample.h"
#include "formats/stall.h"
#include "formats/time.h"
#include "formats/tls_event.h"

namespace tailcap::formats {

// A completed send or receive.
//
// position is the stream position of the first byte moved. On TCP it is the 32-bit sequence number (the reader does not
// unwrap it). On UNIX sockets it is the count of bytes moved in this direction since the socket was first seen.
// Datagram sockets, which are recorded only for name servers, count the same way: each Io is one datagram. length 0
// with Direction::in and error 0 is the end of the stream.
//
// One call may be recorded in several parts, one event each, with the same time and thread. Each part covers the next
// bytes of the call, so the captured bytes need not be one piece at the start. All parts but the first are marked
// continued.
struct Io {
  SocketId socket = 0;
  Direction direction = Direction::out;
  Payload payload = Payload::off;
  bool truncated = false;     // a seqpacket message whose rest was discarded by a short read
  std::uint16_t syscall = 0;  // x86-64 number of the call in progress; 0xffff: none
  std::uint16_t missed = 0;   // events of this socket lost since the last one seen, saturating
  std::int32_t error = 0;     // errno of a failed call (never EAGAIN, EINTR), else 0
  std::uint32_t length = 0;   // bytes moved
  std::uint64_t position = 0;
  std::string_view head{};  // the first head.size() bytes moved
  std::string_view tail{};  // the last tail.size() bytes moved; never overlaps head
  bool continued = false;   // a further part of the call that the previous event of this socket and direction recorded
  bool operator==(const Io&) const = default;
};

// A TCP segment with data reached the socket; position is its sequence number. In order or not, new or not.
struct Arrival {
  SocketId socket = 0;
  std::uint32_t position = 0;
  std::uint32_t length = 0;
  std::uint16_t missed = 0;
  bool operator==(const Arrival&) const = default;
};

// A TCP segment was sent again. 0 in the last three: not known.
struct Retransmit {
  SocketId socket = 0;
  std::uint32_t position = 0;
  std::uint32_t length = 0;
  std::uint32_t interface = 0;  // index of the route's, in the network namespace of the socket
  std::uint32_t segment = 0;    // bytes of payload in the largest packet that it was cut into
  std::uint32_t path_mtu = 0;   // bytes: what the kernel takes for the MTU of the path, after ICMP
  bool operator==(const Retransmit&) const = default;
};

// A TCP reset was sent (out) or received (in).
struct Reset {
  SocketId socket = 0;
  Direction direction = Direction::in;
  bool operator==(const Reset&) const = default;
};

// The kernel's numbers (include/net/tcp_states.h).
enum class TcpState : std::uint8_t {
  none = 0,
  established = 1,
  syn_sent = 2,
  syn_recv = 3,
  fin_wait1 = 4,
  fin_wait2 = 5,
  time_wait = 6,
  close = 7,
  close_wait = 8,
  last_ack = 9,
  listen = 10,
  closing = 11,
  new_syn_recv = 12,
  left_out = 14,  // none of TCP's: recorded before, the connection is not from here on (UNIX sockets, too)
};

// A TCP socket changed state. Event::thread is meaningful only where by_thread is set: most transitions
// happen in softirq, where the running thread has nothing to do with the socket.
struct StateChange {
  SocketId socket = 0;
  TcpState from = TcpState::none;
  TcpState to = TcpState::none;
  bool by_thread = false;
  std::int32_t error = 0;  // sk_err at this moment: ECONNREFUSED, ETIMEDOUT, ECONNRESET, …
  // A thread closes an accepted connection: the connections of its listener that are not accepted. 0: none, or not
  // known.
  std::uint32_t queue = 0;
  Duration rtt{};  // smoothed so far; as it is established, that of the handshake. 0: not measured
  bool operator==(const StateChange&) const = default;
};

// Event::thread took a connection from its listener. Only recorded by hook tier C.
struct Accept {
  SocketId socket = 0;
  std::int32_t descriptor = -1;
  bool operator==(const Accept&) const = default;
};

enum class Family : std::uint8_t { unknown = 0, unix_domain = 1, inet = 2, inet6 = 10 };
enum class SocketType : std::uint8_t { unknown = 0, stream = 1, datagram = 2, seqpacket = 5 };

// How the socket came into being, if that was seen.
enum class Origin : std::uint8_t {
  unknown = 0,
  connected = 1,  // this side connected
  accepted = 2,   // from a listener
  listener = 3,
  existed = 4,  // was open when recording began: its beginning was not seen
};

struct Address {
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 in the first four
  std::uint16_t port = 0;                // host order
  bool operator==(const Address&) const = default;
};

// The properties of a socket: recorded when it is first seen, and for every open socket in a keyframe.
struct SocketInfo {
  SocketId socket = 0;
  Family family = Family::unknown;
  SocketType type = SocketType::unknown;
  Origin origin = Origin::unknown;
  TcpState state = TcpState::none;
  Address local{}, remote{};
  std::uint32_t next_out = 0;       // TCP: sequence number of the next byte to be sent (write_seq)
  std::uint32_t next_in = 0;        // TCP: sequence number of the next byte to be read (copied_seq)
  std::uint64_t inode = 0;          // as in /proc/PID/fd
  std::uint64_t peer_inode = 0;     // UNIX: inode of the other end; 0: unknown
  std::uint32_t net_namespace = 0;  // inode of the network namespace
  std::string_view path{};          // UNIX: bound path of either end, abstract names with a leading '@'
  // The queue of a listener: of the listener itself, or of the one that this connection came from, when it was
  // established. 0: not known, and the numbers mean nothing.
  SocketId listener = 0;
  std::uint32_t queue = 0;        // connections that were not accepted yet, this one included
  std::uint32_t queue_limit = 0;  // it is full with more than this
  std::uint32_t drops = 0;        // attempts to connect that it has dropped since it listens
  Duration rtt{};                 // TCP: smoothed so far; 0: not measured
  std::uint32_t interface = 0;    // index of the route's, in net_namespace; 0: not known
  bool operator==(const SocketInfo&) const = default;
};

// Where the kernel made a thread runnable: the waker is meant only in `thread`.
enum class WokenIn : std::uint8_t {
  unknown = 0,
  thread = 1,
  soft_interrupt = 2,  // on behalf of a device, a timer or a peer, whatever thread it interrupted
  interrupt = 3,
};

// Event::thread was off-CPU from left to Event::time.
//
// A preempted thread stays runnable: runnable == left. If the thread was woken at runnable, it was blocked for [left,
// runnable) and its run-queue latency is [runnable, time). If the wake-up was not seen, runnable == kNoTime.
struct OffCpu {
  Time left = kNoTime;
  Time runnable = kNoTime;
  std::uint32_t waker = 0;    // tid that made it runnable; 0: unknown or interrupt
  std::uint32_t state = 0;    // task state bits at the switch: 0 running, 1 S, 2 D, …; 256 preempted in the kernel
  std::int16_t syscall = -1;  // blocked in; -1: in none
  std::uint16_t missed = 0;   // off-CPU intervals of this thread lost since the last one seen
  std::uint64_t argument0 =
      0;  // the call's first arguments: descriptor, futex address, …; stopped by a signal (state 4): which,
  std::uint64_t argument1 = 0;        // … and the thread that sent it; 0: not known, the kernel
  bool throttled = false;             // its cgroup's CPU quota was used up; only where it was off-CPU and runnable
  SocketId socket = 0;                // the socket that argument0's descriptor refers to; 0: none, or not looked up
  FileKind file = FileKind::unknown;  // the kind of file that the descriptor refers to
  bool timed = false;                 // argument1 is for how many ns after left it asked to sleep
  bool ongoing = false;               // the recording ended, not the interval; Event::time is when
  WokenIn woken_in = WokenIn::unknown;
  // Of its time on the CPU before left, what it did not execute because the hypervisor ran something else. Below 0.2 ms
  // it is 0.
  Duration stolen{};
  bool operator==(const OffCpu&) const = default;
};

// Event::thread was started by parent. A new process where pid == tid.
struct TaskStart {
  Thread parent{};
  std::string_view comm{};
  bool operator==(const TaskStart&) const = default;
};

struct TaskExec {
  std::string_view comm{};
  std::string_view filename{};
  bool operator==(const TaskExec&) const = default;
};

// The kernel chose process Event::thread.pid to be killed, because memory was short.
struct OomKill {
  bool operator==(const OomKill&) const = default;
};

struct TaskExit {
  std::int32_t code = 0;  // as wait(2) gives it
  bool operator==(const TaskExit&) const = default;
};

// A thread that exists, from /proc; in keyframes, soon after exec, and where it takes another name (then with comm
// alone). Fields that could not be read are empty.
struct TaskInfo {
  std::uint32_t parent_pid = 0;
  std::string_view comm{};
  std::string_view command_line{};  // arguments joined by spaces; only where pid == tid
  std::string_view executable{};
  std::string_view cgroup{};
  Time started = kNoTime;  // of the thread; of a main thread, of its process
  // What the process runs, where its executable does not say it: the script, module or class of an interpreter, or
  // the name that a user gave it. Empty: comm is its name.
  std::string_view service{};
  bool operator==(const TaskInfo&) const = default;
};

// An executable mapping of process Event::thread.pid.
struct Mapping {
  std::uint64_t start = 0, end = 0, file_offset = 0;
  std::string_view path{};
  std::string_view build_id{};  // raw bytes; empty: none
  bool operator==(const Mapping&) const = default;
};

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

using Body = std::variant<Io, Arrival, Retransmit, Reset, StateChange, Accept, SocketInfo, OffCpu, TaskStart, TaskExec,
                          TaskExit, TaskInfo, Mapping, ClockSnapshot, Loss, RecorderCost, ProgramCost, CaptureEnd,
                          Damage, TlsIo, TlsStep, Probe, GoCreate, GoRuntime, GoState, GoHandler, GoProgram, Stall,
                          CpuQuota, GoCall, Sample, GoExit, GoPanic, OomKill, GoBuild, GoChannel, GoAllocations,
                          FileCall, Note, NetInterface, Masking, MachineCpu, NetLink>;

// The kinds as numbers in the file. Io and TlsIo are two kinds each, so that a column never mixes directions. Numbers
// never change.
enum class Kind : std::uint8_t {
  send = 0,
  receive = 1,
  arrival = 2,
  retransmit = 3,
  reset = 4,
  state_change = 5,
  accept = 6,
  socket_info = 7,
  off_cpu = 8,
  task_start = 9,
  task_exec = 10,
  task_exit = 11,
  task_info = 12,
  mapping = 13,
  clock = 14,
  loss = 15,
  recorder_cost = 16,
  program_cost = 17,
  capture_end = 18,
  damage = 19,
  tls_send = 20,
  tls_receive = 21,
  tls_step = 22,
  probe = 23,
  go_create = 24,
  go_runtime = 25,
  go_state = 26,
  go_handler = 27,
  go_program = 28,
  stall = 29,
  cpu_quota = 30,
  go_call = 31,
  sample = 32,
  go_exit = 33,
  go_panic = 34,
  oom_kill = 35,
  go_build = 36,
  go_channel = 37,
  go_allocations = 38,
  file_call = 39,
  note = 40,
  net_interface = 41,
  masking = 42,
  machine = 43,
  net_link = 44,
};
inline constexpr std::size_t kKinds = 45;

struct Event {
  Time time = kNoTime;  // for Io: when the call was done
  Thread thread{};      // 0/0 where no thread applies
  Body body;
  // Go's number of the goroutine that the thread ran (OffCpu: ran at the switch-out). 0: none, or not known.
  std::uint64_t goroutine = 0;
  bool operator==(const Event&) const = default;
};

Kind kind_of(const Event& event);
std::string_view name_of(Kind kind);  // "send", "receive", …; "unknown" for other numbers

}  // namespace tailcap::formats
