// How a Collector stores each kind of event. Included by collector.cc alone.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "formats/columns/collector.h"

namespace tailcap::formats::columns {

// Longer names and heads are cut: nothing that is recorded comes near it, and a block stays below kMaxBlockRaw.
inline constexpr std::size_t kMaxPiece = 1u << 20;

// Differences of extreme values wrap instead of overflowing; the reader adds with the same arithmetic.
inline std::uint64_t difference(Time later, Time earlier) {
  return static_cast<std::uint64_t>(nanoseconds(later)) - static_cast<std::uint64_t>(nanoseconds(earlier));
}

// One operator per kind: the event's fields into the columns of its kind.
struct Collector::Add {
  Collector& to;
  const Event& event;
  BlockColumns<Column>& c;

  std::uint16_t socket(SocketId id) {
    std::uint32_t index;
    return to.socket_ref(id, index);
  }
  std::uint16_t piece(std::string_view bytes) { return to.piece_ref(bytes.substr(0, kMaxPiece)); }
  void size(std::size_t bytes) { to.block_->raw_bytes += bytes; }

  // What sends and receives of sockets and of TLS sessions have in common. Returns `how` as far as that goes.
  template <class K, class AnyIo>
  std::uint8_t moved(K& k, const AnyIo& io, std::uint32_t index) {
    auto& state = to.socket_states_[index];
    auto& expected = io.direction == Direction::out ? state.next_out : state.next_in;
    std::uint8_t how = static_cast<std::uint8_t>(io.payload) & kHowPayload;
    if (io.continued) how |= kHowContinued;
    if (io.position != expected) {
      how |= kHowPosition;
      k.position.push_back(io.position);
    }
    expected = io.position + io.length;
    if (io.missed != 0) {
      how |= kHowMissed;
      k.missed.push_back(io.missed);
    }
    k.length.push_back(io.length);
    k.head.push_back(piece(io.head));
    // The last bytes of the tail are the ones that count.
    k.tail.push_back(to.piece_ref(io.tail.substr(io.tail.size() - std::min(io.tail.size(), kMaxPiece))));
    return how;
  }
  void operator()(const Io& io) {
    auto& k = io.direction == Direction::out ? c.send : c.receive;
    std::uint32_t index;
    k.socket.push_back(to.socket_ref(io.socket, index));
    std::uint8_t how = moved(k, io, index);
    if (io.truncated) how |= kHowTruncated;
    if (io.error != 0) {
      how |= kHowError;
      k.error.push_back(io.error);
    }
    k.how.push_back(how);
    k.syscall.push_back(io.syscall);
    size(13);
  }
  void operator()(const Arrival& arrival) {
    auto& k = c.arrival;
    std::uint32_t index;
    k.socket.push_back(to.socket_ref(arrival.socket, index));
    std::uint8_t how = 0;
    auto& expected = to.socket_states_[index].next_arrival;
    if (arrival.position != expected) {
      how |= kHowPosition;
      k.position.push_back(arrival.position);
    }
    expected = arrival.position + arrival.length;
    if (arrival.missed != 0) {
      how |= kHowMissed;
      k.missed.push_back(arrival.missed);
    }
    k.how.push_back(how);
    k.length.push_back(arrival.length);
    size(7);
  }
  void operator()(const Retransmit& r) {
    c.retransmit.socket.push_back(socket(r.socket));
    c.retransmit.position.push_back(r.position);
    c.retransmit.length.push_back(r.length);
    size(10);
  }
  void operator()(const Reset& r) {
    c.reset.socket.push_back(socket(r.socket));
    c.reset.direction.push_back(static_cast<std::uint8_t>(r.direction));
    size(3);
  }
  void operator()(const StateChange& s) {
    auto& k = c.state_change;
    k.socket.push_back(socket(s.socket));
    k.from.push_back(static_cast<std::uint8_t>(s.from));
    k.to.push_back(static_cast<std::uint8_t>(s.to));
    k.by_thread.push_back(s.by_thread);
    k.error.push_back(s.error);
    size(9);
  }
  void operator()(const Accept& a) {
    c.accept.socket.push_back(socket(a.socket));
    c.accept.descriptor.push_back(a.descriptor);
    size(6);
  }
  std::uint16_t address(const std::array<std::uint8_t, 16>& bytes) {
    if (bytes == std::array<std::uint8_t, 16>{}) return 0;
    return piece({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  void operator()(const SocketInfo& s) {
    auto& k = c.socket_info;
    k.socket.push_back(socket(s.socket));
    k.family.push_back(static_cast<std::uint8_t>(s.family));
    k.type.push_back(static_cast<std::uint8_t>(s.type));
    k.origin.push_back(static_cast<std::uint8_t>(s.origin));
    k.state.push_back(static_cast<std::uint8_t>(s.state));
    k.local_address.push_back(address(s.local.bytes));
    k.local_port.push_back(s.local.port);
    k.remote_address.push_back(address(s.remote.bytes));
    k.remote_port.push_back(s.remote.port);
    k.next_out.push_back(s.next_out);
    k.next_in.push_back(s.next_in);
    k.inode.push_back(s.inode);
    k.peer_inode.push_back(s.peer_inode);
    k.net_namespace.push_back(s.net_namespace);
    k.path.push_back(piece(s.path));
    size(44);
  }
  void operator()(const OffCpu& o) {
    auto& k = c.off_cpu;
    std::uint8_t how = 0;
    const auto interval = [&](Time start, Column<std::uint32_t>& column, Column<std::int64_t>& sparse,
                              std::uint8_t bit) {
      const auto length = difference(event.time, start);
      const bool fits = known(start) && length <= std::numeric_limits<std::uint32_t>::max();
      column.push_back(fits ? static_cast<std::uint32_t>(length) : 0);
      if (fits) return;
      how |= bit;
      sparse.push_back(nanoseconds(start));
    };
    interval(o.left, k.off, k.left, kHowLeft);
    if (known(o.runnable)) {
      interval(o.runnable, k.queued, k.runnable, kHowRunnable);
    } else {
      how |= kHowNotWoken;
      k.queued.push_back(0);
    }
    if (o.missed != 0) {
      how |= kHowOffMissed;
      k.missed.push_back(o.missed);
    }
    if (o.throttled) how |= kHowThrottled;
    k.how.push_back(how);
    k.socket.push_back(o.socket == 0 ? 0 : static_cast<std::uint16_t>(to.socket_index(o.socket) + 1));
    k.file.push_back(static_cast<std::uint8_t>(o.file));
    k.waker.push_back(o.waker);
    k.state.push_back(o.state);
    k.syscall.push_back(o.syscall);
    k.argument0.push_back(o.argument0);
    k.argument1.push_back(o.argument1);
    size(38);
  }
  void operator()(const TaskStart& t) {
    c.task_start.parent_pid.push_back(t.parent.pid);
    c.task_start.parent_tid.push_back(t.parent.tid);
    c.task_start.comm.push_back(piece(t.comm));
    size(10);
  }
  void operator()(const TaskExec& t) {
    c.task_exec.comm.push_back(piece(t.comm));
    c.task_exec.filename.push_back(piece(t.filename));
    size(4);
  }
  void operator()(const TaskExit& t) {
    c.task_exit.code.push_back(t.code);
    size(4);
  }
  void operator()(const TaskInfo& t) {
    c.task_info.parent_pid.push_back(t.parent_pid);
    c.task_info.comm.push_back(piece(t.comm));
    c.task_info.command_line.push_back(piece(t.command_line));
    c.task_info.executable.push_back(piece(t.executable));
    c.task_info.cgroup.push_back(piece(t.cgroup));
    c.task_info.started.push_back(nanoseconds(t.started));
    size(20);
  }
  void operator()(const Mapping& m) {
    c.mapping.start.push_back(m.start);
    c.mapping.end.push_back(m.end);
    c.mapping.file_offset.push_back(m.file_offset);
    c.mapping.path.push_back(piece(m.path));
    c.mapping.build_id.push_back(piece(m.build_id));
    size(28);
  }
  void operator()(const ClockSnapshot& s) {
    c.clock.realtime.push_back(s.realtime);
    c.clock.boottime.push_back(s.boottime);
    c.clock.uncertainty.push_back(s.uncertainty.count());
    size(24);
  }
  void operator()(const Loss& l) {
    c.loss.since.push_back(nanoseconds(l.since));
    c.loss.cause.push_back(static_cast<std::uint8_t>(l.cause));
    c.loss.kind.push_back(l.kind);
    c.loss.count.push_back(l.count);
    auto& lost = to.block_->lost;
    lost = lost + l.count < lost ? std::numeric_limits<std::uint64_t>::max() : lost + l.count;
    size(18);
  }
  void operator()(const RecorderCost& r) {
    c.recorder_cost.cpu.push_back(r.cpu.count());
    c.recorder_cost.resident.push_back(r.resident);
    size(16);
  }
  void operator()(const ProgramCost& p) {
    c.program_cost.program.push_back(piece(p.program));
    c.program_cost.runs.push_back(p.runs);
    c.program_cost.time.push_back(p.time.count());
    size(18);
  }
  // Always with its session: the rule for sockets left out is that of the kinds it was made for.
  std::uint16_t session(TlsSessionId id, std::uint32_t& index) {
    index = to.socket_index(id);
    return static_cast<std::uint16_t>(index + 1);
  }
  void operator()(const TlsIo& io) {
    auto& k = io.direction == Direction::out ? c.tls_send : c.tls_receive;
    std::uint32_t index;
    k.session.push_back(session(io.session, index));
    std::uint8_t how = moved(k, io, index);
    const auto took = difference(event.time, io.began);
    const bool fits = known(io.began) && took <= std::numeric_limits<std::uint32_t>::max();
    k.took.push_back(fits ? static_cast<std::uint32_t>(took) : 0);
    if (!fits) {
      how |= kHowBegan;
      k.began.push_back(nanoseconds(io.began));
    }
    k.how.push_back(how);
    size(15);
  }
  void operator()(const TlsStep& s) {
    std::uint32_t index;
    c.tls_step.session.push_back(session(s.session, index));
    c.tls_step.library.push_back(static_cast<std::uint8_t>(s.library));
    c.tls_step.step.push_back(static_cast<std::uint8_t>(s.step));
    c.tls_step.code.push_back(s.code);
    size(8);
  }
  void operator()(const Probe& p) {
    c.probe.path.push_back(piece(p.path));
    c.probe.function.push_back(piece(p.function));
    c.probe.place.push_back(piece(p.place));
    c.probe.offset.push_back(p.offset);
    c.probe.price.push_back(p.price);
    c.probe.reason.push_back(piece(p.reason));
    size(20);
  }
  void operator()(const GoCreate& g) {
    c.go_create.child.push_back(g.child);
    c.go_create.function.push_back(piece(g.function));
    c.go_create.from.push_back(piece(g.from));
    size(12);
  }
  void operator()(const GoRuntime& g) {
    c.go_runtime.phase.push_back(static_cast<std::uint8_t>(g.phase));
    c.go_runtime.reason.push_back(piece(g.reason));
    size(3);
  }
  void operator()(const GoState& g) {
    c.go_state.goroutine.push_back(g.goroutine);
    c.go_state.state.push_back(static_cast<std::uint8_t>(g.state));
    c.go_state.reason.push_back(piece(g.reason));
    size(11);
  }
  void operator()(const GoHandler& g) {
    c.go_handler.address.push_back(g.address);
    c.go_handler.name.push_back(piece(g.name));
    c.go_handler.grpc.push_back(g.grpc);
    size(11);
  }
  void operator()(const GoProgram& g) {
    c.go_program.path.push_back(piece(g.path));
    c.go_program.version.push_back(piece(g.version));
    c.go_program.offsets_from.push_back(piece(g.offsets_from));
    c.go_program.unsupported.push_back(piece(g.unsupported));
    c.go_program.goid_offset.push_back(g.goid_offset);
    c.go_program.parts.push_back(g.parts);
    c.go_program.processors.push_back(g.processors);
    size(13);
  }
  void operator()(const Stall& s) {
    c.stall.what.push_back(static_cast<std::uint8_t>(s.what));
    c.stall.took.push_back(difference(event.time, s.began));
    c.stall.where.push_back(s.where);
    c.stall.detail.push_back(s.detail);
    size(21);
  }
  void operator()(const GoCall& g) {
    c.go_call.connection.push_back(g.connection);
    c.go_call.step.push_back(static_cast<std::uint8_t>(g.step));
    c.go_call.stream.push_back(g.stream);
  }
  void operator()(const GoChannel& g) {
    c.go_channel.step.push_back(static_cast<std::uint8_t>(g.step));
    c.go_channel.channel.push_back(g.channel);
    c.go_channel.slot.push_back(g.slot);
    c.go_channel.partner.push_back(g.partner);
  }
  void operator()(const Sample& s) {
    c.sample.user.push_back(piece(s.user));
    c.sample.kernel.push_back(piece(s.kernel));
    c.sample.kind.push_back(static_cast<std::uint8_t>(s.kind));
    c.sample.more.push_back(s.weight - 1);
    c.sample.value.push_back(s.value);
    size(17);
  }
  void operator()(const GoAllocations& a) {
    c.go_allocations.least.push_back(a.least);
    c.go_allocations.count.push_back(a.count);
    c.go_allocations.bytes.push_back(a.bytes);
    size(24);
  }
  void operator()(const FileCall& f) {
    c.file_call.act.push_back(static_cast<std::uint8_t>(f.act));
    c.file_call.took.push_back(difference(event.time, f.began));
    c.file_call.result.push_back(f.result);
    c.file_call.descriptor.push_back(f.descriptor);
    c.file_call.path.push_back(piece(f.path));
    size(23);
  }
  void operator()(const Note& n) {
    c.note.key.push_back(piece(n.key));
    c.note.value.push_back(piece(n.value));
    size(4);
  }
  void operator()(const Masking& m) {
    c.masking.streams.push_back(m.streams);
    c.masking.foreign.push_back(m.foreign);
    c.masking.doubtful.push_back(m.doubtful);
    c.masking.withheld.push_back(m.withheld);
    c.masking.sends.push_back(m.sends);
    c.masking.receives.push_back(m.receives);
  }
  void operator()(const NetInterface& n) {
    c.net_interface.net_namespace.push_back(n.net_namespace);
    c.net_interface.index.push_back(n.index);
    c.net_interface.name.push_back(piece(n.name));
    c.net_interface.family.push_back(static_cast<std::uint8_t>(n.family));
    c.net_interface.address.push_back(address(n.address.bytes));
    c.net_interface.prefix.push_back(n.prefix);
    size(14);
  }
  void operator()(const GoExit& g) {
    c.go_exit.goroutine.push_back(g.goroutine);
    size(8);
  }
  void operator()(const GoPanic& g) {
    c.go_panic.step.push_back(static_cast<std::uint8_t>(g.step));
    c.go_panic.stack.push_back(piece(g.stack));
    size(3);
  }
  void operator()(const OomKill&) {}
  void operator()(const GoBuild& g) {
    c.go_build.path.push_back(piece(g.path));
    c.go_build.lines.push_back(piece(g.lines));
    size(4);
  }
  void operator()(const CpuQuota& q) {
    c.cpu_quota.cgroup.push_back(piece(q.cgroup));
    c.cpu_quota.period.push_back(q.period.count());
    c.cpu_quota.quota.push_back(q.quota.count());
    c.cpu_quota.periods.push_back(q.periods);
    c.cpu_quota.throttled.push_back(q.throttled);
    c.cpu_quota.throttled_time.push_back(q.throttled_time.count());
    size(42);
  }
  void operator()(const CaptureEnd&) { assert(!"the reader makes CaptureEnd"); }
  void operator()(const Damage&) { assert(!"the reader makes Damage"); }
};

}  // namespace tailcap::formats::columns
