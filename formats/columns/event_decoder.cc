#include "formats/columns/event_decoder.h"

#include <algorithm>
#include <array>
#include <limits>

#include "formats/columns/numbers.h"
#include "formats/columns/plain_body.h"

namespace tailcap::formats::columns {
namespace {

// Refs have 16 bits and 0 has a meaning of its own. It also bounds what is allocated here.
constexpr std::size_t kMaxTable = 0xffff;
constexpr std::uint32_t kNone = 0xffffffff;

// Made by the reader, or of a later version.
bool never_stored(std::uint8_t kind) {
  return kind == static_cast<std::uint8_t>(Kind::capture_end) || kind == static_cast<std::uint8_t>(Kind::damage) ||
         kind >= kKinds;
}

Time minus(Time t, std::uint64_t ns) {
  return time_from(static_cast<std::int64_t>(static_cast<std::uint64_t>(nanoseconds(t)) - ns));
}

class EventDecoder {
 public:
  EventDecoder(const BlockColumns<ColumnView>& columns, std::vector<Event>& out) : c_(columns), out_(out) {}

  const char* run(const BlockHeader& header);

 private:
  struct SocketState {
    std::uint64_t next_out = 0, next_in = 0;
    std::uint32_t next_arrival = 0;
  };

  // Reads on after the first defect give zeros; damage_ is looked at once per event.
  void damaged(const char* why) { damage_ = damage_ != nullptr ? damage_ : why; }

  template <class T>
  T sparse(const ColumnView<T>& column, std::size_t& at) {
    if (column.size() != 0 && at >= column.size()) {
      damaged("a sparse column is too short");
      return T{};
    }
    return column[at++];
  }

  Time checked(Time t) {
    if (!within_range(t)) damaged("a time is out of range");
    return t;
  }
  Time checked(std::int64_t ns) { return checked(time_from(ns)); }
  Duration checked_duration(std::int64_t ns) { return checked(time_from(ns)).time_since_epoch(); }

  void read_thread(std::size_t i, std::uint8_t kind);
  SocketId socket(std::uint16_t ref);
  std::string_view piece(std::uint16_t ref);
  std::array<std::uint8_t, 16> address(std::uint16_t ref);
  void read_body(Event& event, std::uint8_t kind, std::size_t i);
  template <class K, class AnyIo>
  void read_moved(const K& k, Direction direction, AnyIo& io, std::size_t i, std::size_t& position,
                  std::size_t& missed);
  void read_io(const IoColumns<ColumnView>& k, Direction direction, Io& io, std::size_t i);
  void read_arrival(Arrival& arrival, std::size_t i);
  void read_socket_info(SocketInfo& info, std::size_t i);
  void read_off_cpu(OffCpu& off, Time time, std::size_t i);
  TlsSessionId session(std::uint16_t ref);
  void read_tls_io(const TlsIoColumns<ColumnView>& k, Direction direction, TlsIo& io, Time time, std::size_t i);

  const BlockColumns<ColumnView>& c_;
  std::vector<Event>& out_;
  const char* damage_ = nullptr;
  std::array<std::uint32_t, 256> done_{};         // events of each kind so far
  std::array<std::uint32_t, 256> last_thread_{};  // by kind, an index; kNone at first
  std::vector<std::uint32_t> socket_of_thread_;   // by thread index
  std::vector<SocketState> socket_states_;        // by socket index
  std::uint32_t thread_ = 0, socket_ = 0;         // indices of the event at hand
  std::size_t time_far_ = 0;
  std::array<std::size_t, 2> position_{}, missed_{}, error_{};  // sparse columns of sends and receives
  std::size_t arrival_position_ = 0, arrival_missed_ = 0, left_ = 0, runnable_ = 0, off_missed_ = 0;
  std::array<std::size_t, 2> tls_position_{}, tls_missed_{}, tls_began_{};
  std::uint64_t lost_ = 0;
};

const char* EventDecoder::run(const BlockHeader& header) {
  if (c_.pids.size() > kMaxTable || c_.sockets.size() > kMaxTable || c_.goroutines.size() > kMaxTable ||
      c_.piece_ends.size() > kMaxTable)
    return "a table has too many entries";
  for (std::size_t i = 0, before = 0; i < c_.piece_ends.size(); ++i) {
    const std::size_t end = c_.piece_ends[i];
    if (end < before || end > c_.bytes.size()) return "a piece of bytes ends outside the block";
    before = end;
  }
  last_thread_.fill(kNone);
  socket_of_thread_.assign(c_.pids.size(), kNone);
  socket_states_.assign(c_.sockets.size(), {});
  out_.reserve(c_.order.size());

  Time time = time_from(c_.base), first = kMaxTime, last = kNoTime;
  checked(time);
  for (std::size_t i = 0; i < c_.order.size(); ++i) {
    const std::uint8_t kind = c_.order[i];
    std::uint64_t since = c_.time[i];
    if (since == kFar) since = static_cast<std::uint64_t>(sparse(c_.time_far, time_far_));
    time = checked(minus(time, 0 - since));
    first = std::min(first, time);
    last = std::max(last, time);
    read_thread(i, kind);
    if (damage_ != nullptr) return damage_;
    if (never_stored(kind)) continue;
    Event& event = out_.emplace_back();
    event.time = time;
    event.thread = {c_.pids[thread_], c_.tids[thread_]};
    if (const std::uint16_t ref = c_.goroutine[i]; ref != 0) {
      if (ref > c_.goroutines.size()) return "a goroutine is not in the table";
      event.goroutine = c_.goroutines[ref - 1u];
    }
    read_body(event, kind, done_[kind]++);
    if (damage_ != nullptr) return damage_;
  }
  if (c_.order.size() > 0 && (first < header.first || last > header.last))
    return "the header gives other times than the events have";
  if (std::min<std::uint64_t>(lost_, std::numeric_limits<std::uint32_t>::max()) != header.lost)
    return "the header counts other losses than the block has";
  return nullptr;
}

void EventDecoder::read_thread(std::size_t i, std::uint8_t kind) {
  const std::uint16_t ref = c_.thread[i];
  if (ref != 0) last_thread_[kind] = ref - 1u;
  thread_ = last_thread_[kind];
  if (thread_ >= c_.pids.size()) damaged("a thread is not in the table");
}

SocketId EventDecoder::socket(std::uint16_t ref) {
  std::uint32_t& before = socket_of_thread_[thread_];
  if (ref != 0) before = ref - 1u;
  socket_ = before;
  if (socket_ < c_.sockets.size()) return c_.sockets[socket_];
  damaged("a socket is not in the table");
  return 0;
}

std::string_view EventDecoder::piece(std::uint16_t ref) {
  if (ref == 0) return {};
  if (ref > c_.piece_ends.size()) {
    damaged("a piece of bytes is not in the table");
    return {};
  }
  const std::size_t start = ref == 1 ? 0 : c_.piece_ends[ref - 2u];
  return {c_.bytes.chars() + start, c_.piece_ends[ref - 1u] - start};
}

std::array<std::uint8_t, 16> EventDecoder::address(std::uint16_t ref) {
  std::array<std::uint8_t, 16> bytes{};
  const auto stored = piece(ref);
  if (ref != 0 && stored.size() != bytes.size()) damaged("an address does not have 16 bytes");
  std::copy_n(stored.begin(), std::min(stored.size(), bytes.size()), bytes.begin());
  return bytes;
}

// What sends and receives of sockets and of TLS sessions have in common; position and missed: how far the sparse
// columns are read. The socket or session has been read.
template <class K, class AnyIo>
void EventDecoder::read_moved(const K& k, Direction direction, AnyIo& io, std::size_t i, std::size_t& position,
                              std::size_t& missed) {
  const std::uint8_t how = k.how[i];
  auto& expected = direction == Direction::out ? socket_states_[socket_].next_out : socket_states_[socket_].next_in;
  io.direction = direction;
  io.payload = payload_of(how & kHowPayload);
  io.continued = (how & kHowContinued) != 0;
  io.length = k.length[i];
  io.position = (how & kHowPosition) != 0 ? sparse(k.position, position) : expected;
  expected = io.position + io.length;
  if ((how & kHowMissed) != 0) io.missed = sparse(k.missed, missed);
  io.head = piece(k.head[i]);
  io.tail = piece(k.tail[i]);
}

void EventDecoder::read_io(const IoColumns<ColumnView>& k, Direction direction, Io& io, std::size_t i) {
  io.socket = socket(k.socket[i]);
  if (damage_ != nullptr) return;
  const auto d = static_cast<std::size_t>(direction);
  read_moved(k, direction, io, i, position_[d], missed_[d]);
  io.truncated = (k.how[i] & kHowTruncated) != 0;
  io.syscall = k.syscall[i];
  if ((k.how[i] & kHowError) != 0) io.error = sparse(k.error, error_[d]);
}

void EventDecoder::read_arrival(Arrival& arrival, std::size_t i) {
  const auto& k = c_.arrival;
  arrival.socket = socket(k.socket[i]);
  if (damage_ != nullptr) return;
  const std::uint8_t how = k.how[i];
  auto& expected = socket_states_[socket_].next_arrival;
  arrival.position = (how & kHowPosition) != 0 ? sparse(k.position, arrival_position_) : expected;
  arrival.length = k.length[i];
  expected = arrival.position + arrival.length;
  if ((how & kHowMissed) != 0) arrival.missed = sparse(k.missed, arrival_missed_);
}

void EventDecoder::read_socket_info(SocketInfo& info, std::size_t i) {
  const auto& k = c_.socket_info;
  info.socket = socket(k.socket[i]);
  info.family = family_of(k.family[i]);
  info.type = type_of(k.type[i]);
  info.origin = origin_of(k.origin[i]);
  info.state = state_of(k.state[i]);
  info.local = {address(k.local_address[i]), k.local_port[i]};
  info.remote = {address(k.remote_address[i]), k.remote_port[i]};
  info.next_out = k.next_out[i];
  info.next_in = k.next_in[i];
  info.inode = k.inode[i];
  info.peer_inode = k.peer_inode[i];
  info.net_namespace = k.net_namespace[i];
  info.path = piece(k.path[i]);
}

void EventDecoder::read_off_cpu(OffCpu& off, Time time, std::size_t i) {
  const auto& k = c_.off_cpu;
  const std::uint8_t how = k.how[i];
  off.left = checked((how & kHowLeft) != 0 ? time_from(sparse(k.left, left_)) : minus(time, k.off[i]));
  if ((how & kHowNotWoken) == 0) {
    off.runnable =
        checked((how & kHowRunnable) != 0 ? time_from(sparse(k.runnable, runnable_)) : minus(time, k.queued[i]));
  }
  if ((how & kHowOffMissed) != 0) off.missed = sparse(k.missed, off_missed_);
  off.waker = k.waker[i];
  off.state = k.state[i];
  off.syscall = k.syscall[i];
  off.argument0 = k.argument0[i];
  off.argument1 = k.argument1[i];
  off.throttled = (how & kHowThrottled) != 0;
  off.file = file_of(k.file[i]);
  if (const std::uint16_t ref = k.socket[i]; ref != 0) {
    if (ref > c_.sockets.size()) return damaged("a socket is not in the table");
    off.socket = c_.sockets[ref - 1u];
  }
}

// Sessions are in the table of sockets; none is left out.
TlsSessionId EventDecoder::session(std::uint16_t ref) {
  socket_ = ref - 1u;
  if (socket_ < c_.sockets.size()) return c_.sockets[socket_];
  damaged("a TLS session is not in the table");
  return 0;
}

void EventDecoder::read_tls_io(const TlsIoColumns<ColumnView>& k, Direction direction, TlsIo& io, Time time,
                               std::size_t i) {
  io.session = session(k.session[i]);
  if (damage_ != nullptr) return;
  const auto d = static_cast<std::size_t>(direction);
  read_moved(k, direction, io, i, tls_position_[d], tls_missed_[d]);
  if ((k.how[i] & kHowBegan) == 0) {
    io.began = checked(minus(time, k.took[i]));
  } else {
    const Time began = time_from(sparse(k.began, tls_began_[d]));
    io.began = known(began) ? checked(began) : kNoTime;
  }
}

void EventDecoder::read_body(Event& event, std::uint8_t kind, std::size_t i) {
  Body& body = event.body;
  switch (static_cast<Kind>(kind)) {
    case Kind::send:
      return read_io(c_.send, Direction::out, body.emplace<Io>(), i);
    case Kind::receive:
      return read_io(c_.receive, Direction::in, body.emplace<Io>(), i);
    case Kind::arrival:
      return read_arrival(body.emplace<Arrival>(), i);
    case Kind::retransmit:
      body = Retransmit{socket(c_.retransmit.socket[i]), c_.retransmit.position[i], c_.retransmit.length[i]};
      return;
    case Kind::reset:
      body = Reset{socket(c_.reset.socket[i]), direction_of(c_.reset.direction[i])};
      return;
    case Kind::state_change: {
      const auto& k = c_.state_change;
      body = StateChange{socket(k.socket[i]), state_of(k.from[i]), state_of(k.to[i]), k.by_thread[i] != 0, k.error[i]};
      return;
    }
    case Kind::accept:
      body = Accept{socket(c_.accept.socket[i]), c_.accept.descriptor[i]};
      return;
    case Kind::socket_info:
      return read_socket_info(body.emplace<SocketInfo>(), i);
    case Kind::off_cpu:
      return read_off_cpu(body.emplace<OffCpu>(), event.time, i);
    case Kind::task_info: {
      const auto& k = c_.task_info;
      const Time started = time_from(k.started[i]);
      body = TaskInfo{k.parent_pid[i],        piece(k.comm[i]),   piece(k.command_line[i]),
                      piece(k.executable[i]), piece(k.cgroup[i]), known(started) ? checked(started) : kNoTime};
      return;
    }
    case Kind::clock: {
      const auto& k = c_.clock;
      // Consumers subtract these from times.
      if (k.realtime[i] < -nanoseconds(kMaxTime) || k.realtime[i] > nanoseconds(kMaxTime))
        damaged("a wall-clock time is out of range");
      body = ClockSnapshot{k.realtime[i], nanoseconds(checked(k.boottime[i])), checked_duration(k.uncertainty[i])};
      return;
    }
    case Kind::loss: {
      const auto& k = c_.loss;
      const std::uint64_t count = k.count[i];
      lost_ = lost_ + count < lost_ ? std::numeric_limits<std::uint64_t>::max() : lost_ + count;
      body = Loss{checked(k.since[i]), cause_of(k.cause[i]), k.kind[i], count};
      return;
    }
    case Kind::recorder_cost:
      body = RecorderCost{checked_duration(c_.recorder_cost.cpu[i]), c_.recorder_cost.resident[i]};
      return;
    case Kind::program_cost: {
      const auto& k = c_.program_cost;
      body = ProgramCost{piece(k.program[i]), k.runs[i], checked_duration(k.time[i])};
      return;
    }
    case Kind::tls_send:
      return read_tls_io(c_.tls_send, Direction::out, body.emplace<TlsIo>(), event.time, i);
    case Kind::tls_receive:
      return read_tls_io(c_.tls_receive, Direction::in, body.emplace<TlsIo>(), event.time, i);
    case Kind::tls_step: {
      const auto& k = c_.tls_step;
      body = TlsStep{session(k.session[i]), library_of(k.library[i]), step_of(k.step[i]), k.code[i]};
      return;
    }
    case Kind::stall: {
      const auto& k = c_.stall;
      const Time began = minus(event.time, k.took[i]);
      body = Stall{stall_of(k.what[i]), known(began) ? checked(began) : kNoTime, k.where[i], k.detail[i]};
      return;
    }
    case Kind::cpu_quota: {
      const auto& k = c_.cpu_quota;
      body =
          CpuQuota{piece(k.cgroup[i]), checked_duration(k.period[i]),        checked_duration(k.quota[i]), k.periods[i],
                   k.throttled[i],     checked_duration(k.throttled_time[i])};
      return;
    }
    case Kind::file_call: {
      const auto& k = c_.file_call;
      const Time began = minus(event.time, k.took[i]);
      body = FileCall{file_act_of(k.act[i]), known(began) ? checked(began) : kNoTime, k.result[i], k.descriptor[i],
                      piece(k.path[i])};
      return;
    }
    case Kind::net_interface: {
      const auto& k = c_.net_interface;
      body = NetInterface{k.net_namespace[i],         k.index[i], piece(k.name[i]), family_of(k.family[i]),
                          {address(k.address[i]), 0}, k.prefix[i]};
      return;
    }
    case Kind::task_start:
    case Kind::task_exec:
    case Kind::task_exit:
    case Kind::mapping:
    case Kind::probe:
    case Kind::sample:
    case Kind::oom_kill:
    case Kind::note:
    case Kind::go_create:
    case Kind::go_runtime:
    case Kind::go_state:
    case Kind::go_handler:
    case Kind::go_program:
    case Kind::go_call:
    case Kind::go_channel:
    case Kind::go_exit:
    case Kind::go_panic:
    case Kind::go_build:
    case Kind::go_allocations:
    case Kind::masking:
      body = plain_body(c_, static_cast<Kind>(kind), i, [this](std::uint16_t ref) { return piece(ref); });
      return;
    case Kind::capture_end:
    case Kind::damage:
      break;  // not in files
  }
}

}  // namespace

const char* events_from(const BlockColumns<ColumnView>& columns, const BlockHeader& header, std::vector<Event>& out) {
  return EventDecoder(columns, out).run(header);
}

}  // namespace tailcap::formats::columns
