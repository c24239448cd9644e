// One thing that the kernel did, as it is stored in a capture and as the analyser reads it.
//
// An Event is a value: trivially copyable, comparable, printable in tests. Views inside it (payload,
// names) point into the block it was read from and live as long as that block (formats/reader.h says
// how long). What a position is, is said once, at Io.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <variant>

#include "formats/time.h"

namespace tailcap::formats {

// The kernel's socket cookie: never reused while the machine runs. 0: no socket.
using SocketId = std::uint64_t;

// The numbers of the initial pid namespace. pid is the process (tgid), tid the thread.
struct Thread {
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
  bool operator==(const Thread&) const = default;
};

// Seen from the socket that was recorded: out was sent by it, in was received by it.
enum class Direction : std::uint8_t { out = 0, in = 1 };

// Why payload is or is not there.
enum class Payload : std::uint8_t {
  captured = 0,     // head (and tail) hold what was asked for
  off = 1,          // payload capture was switched off
  no_buffer = 2,    // the bytes never were in a user buffer: sendfile, splice, io_uring, kernel threads
  unsupported = 3,  // sendmmsg, recvmmsg, 32-bit callers: length only
  fault = 4,        // the buffer could not be read
};

// A send or receive that is done.
//
// position is the stream position of the first byte moved. On TCP it is the 32-bit sequence number (the
// reader does not unwrap it); on UNIX sockets the count of bytes moved in this direction since the socket
// was first seen; on datagram sockets, which are recorded of name servers only, likewise: each Io is one datagram.
// length 0 with Direction::in and error 0 is the end of the stream.
//
// One call may be told in several parts, one event each, at the same time and by the same thread: each covers the next
// bytes of it, so that what is captured need not be one piece at the start. All but the first are marked continued.
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
  bool continued = false;   // a further part of the call that the event before (of this socket and direction) told of
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

// A TCP segment was sent again.
struct Retransmit {
  SocketId socket = 0;
  std::uint32_t position = 0;
  std::uint32_t length = 0;
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
};

// A TCP socket changed state. Event::thread is meaningful only where by_thread is set: most transitions
// happen in softirq, where the running thread has nothing to do with the socket.
struct StateChange {
  SocketId socket = 0;
  TcpState from = TcpState::none;
  TcpState to = TcpState::none;
  bool by_thread = false;
  std::int32_t error = 0;  // sk_err at this moment: ECONNREFUSED, ETIMEDOUT, ECONNRESET, …
  bool operator==(const StateChange&) const = default;
};

// A connection was taken from its listener by Event::thread. Only recorded by hook tier C.
struct Accept {
  SocketId socket = 0;
  std::int32_t descriptor = -1;
  bool operator==(const Accept&) const = default;
};

enum class Family : std::uint8_t { unknown = 0, unix_domain = 1, inet = 2, inet6 = 10 };
enum class SocketType : std::uint8_t { unknown = 0, stream = 1, datagram = 2, seqpacket = 5 };

// How the socket came to be, where that was seen.
enum class Origin : std::uint8_t {
  unknown = 0,
  connected = 1,  // this side connected
  accepted = 2,   // born of a listener
  listener = 3,
  existed = 4,  // was open when recording began: its beginning was not seen
};

struct Address {
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 in the first four
  std::uint16_t port = 0;                // host order
  bool operator==(const Address&) const = default;
};

// What a socket is; the first time it is seen, and for every open socket in a keyframe.
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
  bool operator==(const SocketInfo&) const = default;
};

// Event::thread was off the CPU from left to Event::time.
//
// Off and runnable the whole time (preempted): runnable == left. Woken at runnable: the wait lasted
// [left, runnable), the queue for a CPU [runnable, time). Wake-up not seen: runnable == kNoTime.
struct OffCpu {
  Time left = kNoTime;
  Time runnable = kNoTime;
  std::uint32_t waker = 0;      // tid that made it runnable; 0: unknown or interrupt
  std::uint32_t state = 0;      // task state bits at the switch: 0 running, 1 S, 2 D, …; 256 preempted in the kernel
  std::int16_t syscall = -1;    // blocked in; -1: in none
  std::uint16_t missed = 0;     // off-CPU intervals of this thread lost since the last one seen
  std::uint64_t argument0 = 0;  // the call's first arguments: descriptor, futex address, …
  std::uint64_t argument1 = 0;
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

struct TaskExit {
  std::int32_t code = 0;  // as wait(2) gives it
  bool operator==(const TaskExit&) const = default;
};

// A thread that exists, from /proc; in keyframes and soon after exec. Fields that could not be read are empty.
struct TaskInfo {
  std::uint32_t parent_pid = 0;
  std::string_view comm{};
  std::string_view command_line{};  // arguments joined by spaces; only where pid == tid
  std::string_view executable{};
  std::string_view cgroup{};
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

// The number that the recorder gave a TLS session: an SSL object, a gnutls_session_t or a Go tls.Conn, from its first use
// to its end. Unique in a capture; no socket's cookie, which the bit tells apart.
using TlsSessionId = std::uint64_t;
inline constexpr TlsSessionId kTlsSessionBit = std::uint64_t{1} << 62;

enum class TlsLibrary : std::uint8_t { unknown = 0, openssl = 1, gnutls = 2, go = 3 };

// Plaintext that a TLS library took (out) or handed over (in): a call that moved something, from `began` to Event::time,
// on Event::thread. Which socket carries the session is not said here: the socket's events inside the call tell. length 0
// with Direction::in: there is no more; the peer closed, in order as far as no TlsStep failed has gone before.
//
// position counts the plaintext bytes moved in this direction since the session was first seen.
struct TlsIo {
  TlsSessionId session = 0;
  Direction direction = Direction::out;
  Payload payload = Payload::off;
  bool continued = false;    // the same call as the TlsIo of this session and direction before
  std::uint16_t missed = 0;  // events of this session lost since the last one seen, saturating
  std::uint32_t length = 0;  // bytes moved
  std::uint64_t position = 0;
  Time began = kNoTime;
  std::string_view head{}, tail{};  // as in Io
  bool operator==(const TlsIo&) const = default;
};

// Something else that happened to a TLS session.
enum class TlsStepKind : std::uint8_t {
  seen = 0,       // its first use that was seen: nothing is known of what was before
  handshake = 1,  // a handshake was begun or gone on with; may come several times
  failed = 2,     // the library reported an error; code is its reason
  shutdown = 3,   // this end says that it will send no more
  freed = 4,      // it is gone: nothing of this session follows
  unknown = 255
};
struct TlsStep {
  TlsSessionId session = 0;
  TlsLibrary library = TlsLibrary::unknown;
  TlsStepKind step = TlsStepKind::seen;
  std::int32_t code = 0;  // failed: OpenSSL's reason (1000 + n: the peer sent alert n), otherwise the alert sent
  bool operator==(const TlsStep&) const = default;
};

// A function of a program or library at which the recorder stands, or why it does not.
struct Probe {
  std::string_view path{};      // the file
  std::string_view function{};
  std::string_view place{};     // "js +0x16: emulated"; empty where not attached
  std::uint64_t offset = 0;     // of the place in the file
  std::uint32_t price = 0;      // what a hit costs by the kind of instruction, ns; 0: not attached
  std::string_view reason{};    // why not, or what is incomplete
  bool operator==(const Probe&) const = default;
};

// What was lost between since and Event::time, where it could be counted but not kept.
enum class LossCause : std::uint8_t {
  ring_full = 0,
  queue_full = 1,
  bad_record = 2,
  socket_table_full = 3,
  task_table_full = 4,
  session_table_full = 5,  // a TLS call whose beginning, or whose session, could not be kept
  unknown = 255
};  // a cause that a later version counts
struct Loss {
  Time since = kNoTime;
  LossCause cause = LossCause::ring_full;
  std::uint8_t kind = 0;  // Kind of the lost events; 255: unknown
  std::uint64_t count = 0;
  bool operator==(const Loss&) const = default;
};

// What recording itself has cost so far.
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

// The last event of every capture, made by the reader: the end is data. Streams end, messages end.
enum class CaptureState : std::uint8_t { complete = 0, truncated = 1, recovered = 2, recording = 3 };
struct CaptureEnd {
  CaptureState state = CaptureState::complete;
  bool operator==(const CaptureEnd&) const = default;
};

// A damaged or missing stretch of the file, made by the reader: events between since and Event::time may be missing.
struct Damage {
  Time since = kNoTime;
  std::uint64_t bytes = 0;
  bool operator==(const Damage&) const = default;
};

using Body =
    std::variant<Io, Arrival, Retransmit, Reset, StateChange, Accept, SocketInfo, OffCpu, TaskStart, TaskExec, TaskExit,
                 TaskInfo, Mapping, ClockSnapshot, Loss, RecorderCost, ProgramCost, CaptureEnd, Damage,
                 TlsIo, TlsStep, Probe>;

// The kinds as numbers in the file. Io and TlsIo are two kinds each, so that a column never mixes directions. Never renumbered.
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
};

struct Event {
  Time time = kNoTime;  // for Io: when the call was done
  Thread thread{};      // 0/0 where no thread is meant
  Body body;
  bool operator==(const Event&) const = default;
};

Kind kind_of(const Event& event);
std::string_view name_of(Kind kind);  // "send", "receive", …; "unknown" for other numbers

}  // namespace tailcap::formats
