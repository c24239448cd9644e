// Which member of the column structs is which field of capture.capnp: said once, for whatever is done to all columns.
//
// each_column(f, columns, schema, n) calls for every column of one kind, by F::kUse,
//   Use::visit  f.visit(column); schema is ignored
//   Use::write  f.write(column, init), where init(size) makes the list in the message
//   Use::read   f.read(column, list, n) for a dense column, f.read_sparse(column, list) for one with entries for some
//   events
// each_kind does so for all kinds, with what f.count(kind) says for n. It names no type of Cap'n Proto.
#pragma once

#include <cstddef>

#include "formats/columns/columns.h"
#include "formats/event.h"

namespace tailcap::formats::columns {

enum class Use { visit, write, read };

// The macros end with this file.
#define COLUMN(member, Name, ...)                                         \
  if constexpr (F::kUse == Use::visit)                                    \
    f.visit(c.member);                                                    \
  else if constexpr (F::kUse == Use::write)                               \
    f.write(c.member, [&](unsigned size) { return s.init##Name(size); }); \
  else                                                                    \
    f.__VA_ARGS__
#define DENSE(member, Name) COLUMN(member, Name, read(c.member, s.get##Name(), n))
#define SPARSE(member, Name) COLUMN(member, Name, read_sparse(c.member, s.get##Name()))
#define COLUMNS_OF(Kind)                                                                              \
  template <class F, template <class> class C, class S>                                               \
  void each_column([[maybe_unused]] F& f, [[maybe_unused]] Kind##Columns<C>& c, [[maybe_unused]] S s, \
                   [[maybe_unused]] std::size_t n)

COLUMNS_OF(Io) {
  DENSE(socket, Socket);
  DENSE(how, How);
  DENSE(syscall, Syscall);
  DENSE(length, Length);
  DENSE(head, Head);
  DENSE(tail, Tail);
  SPARSE(position, Position);
  SPARSE(missed, Missed);
  SPARSE(error, Error);
}

COLUMNS_OF(Arrival) {
  DENSE(socket, Socket);
  DENSE(how, How);
  DENSE(length, Length);
  SPARSE(position, Position);
  SPARSE(missed, Missed);
}

COLUMNS_OF(Retransmit) {
  DENSE(socket, Socket);
  DENSE(position, Position);
  DENSE(length, Length);
}

COLUMNS_OF(Reset) {
  DENSE(socket, Socket);
  DENSE(direction, Direction);
}

COLUMNS_OF(StateChange) {
  DENSE(socket, Socket);
  DENSE(from, From);
  DENSE(to, To);
  DENSE(by_thread, ByThread);
  DENSE(error, Error);
}

COLUMNS_OF(Accept) {
  DENSE(socket, Socket);
  DENSE(descriptor, Descriptor);
}

COLUMNS_OF(SocketInfo) {
  DENSE(socket, Socket);
  DENSE(family, Family);
  DENSE(type, Type);
  DENSE(origin, Origin);
  DENSE(state, State);
  DENSE(local_address, LocalAddress);
  DENSE(local_port, LocalPort);
  DENSE(remote_address, RemoteAddress);
  DENSE(remote_port, RemotePort);
  DENSE(next_out, NextOut);
  DENSE(next_in, NextIn);
  DENSE(inode, Inode);
  DENSE(peer_inode, PeerInode);
  DENSE(net_namespace, NetNamespace);
  DENSE(path, Path);
}

COLUMNS_OF(OffCpu) {
  DENSE(how, How);
  DENSE(off, Off);
  DENSE(queued, Queued);
  DENSE(waker, Waker);
  DENSE(state, State);
  DENSE(syscall, Syscall);
  DENSE(argument0, Argument0);
  DENSE(argument1, Argument1);
  SPARSE(left, Left);
  SPARSE(runnable, Runnable);
  SPARSE(missed, Missed);
  DENSE(socket, Socket);
  DENSE(file, File);
}

COLUMNS_OF(TaskStart) {
  DENSE(parent_pid, ParentPid);
  DENSE(parent_tid, ParentTid);
  DENSE(comm, Comm);
}

COLUMNS_OF(TaskExec) {
  DENSE(comm, Comm);
  DENSE(filename, Filename);
}

COLUMNS_OF(TaskExit) { DENSE(code, Code); }

COLUMNS_OF(TaskInfo) {
  DENSE(parent_pid, ParentPid);
  DENSE(comm, Comm);
  DENSE(command_line, CommandLine);
  DENSE(executable, Executable);
  DENSE(cgroup, Cgroup);
  DENSE(started, Started);
}

COLUMNS_OF(Mapping) {
  DENSE(start, Start);
  DENSE(end, End);
  DENSE(file_offset, FileOffset);
  DENSE(path, Path);
  DENSE(build_id, BuildId);
}

COLUMNS_OF(Clock) {
  DENSE(realtime, Realtime);
  DENSE(boottime, Boottime);
  DENSE(uncertainty, Uncertainty);
}

COLUMNS_OF(Loss) {
  DENSE(since, Since);
  DENSE(cause, Cause);
  DENSE(kind, Kind);
  DENSE(count, Count);
}

COLUMNS_OF(RecorderCost) {
  DENSE(cpu, Cpu);
  DENSE(resident, Resident);
}

COLUMNS_OF(ProgramCost) {
  DENSE(program, Program);
  DENSE(runs, Runs);
  DENSE(time, Time);
}

COLUMNS_OF(TlsIo) {
  DENSE(session, Session);
  DENSE(how, How);
  DENSE(length, Length);
  DENSE(took, Took);
  DENSE(head, Head);
  DENSE(tail, Tail);
  SPARSE(position, Position);
  SPARSE(missed, Missed);
  SPARSE(began, Began);
}

COLUMNS_OF(TlsStep) {
  DENSE(session, Session);
  DENSE(library, Library);
  DENSE(step, Step);
  DENSE(code, Code);
}

COLUMNS_OF(Probe) {
  DENSE(path, Path);
  DENSE(function, Function);
  DENSE(place, Place);
  DENSE(offset, Offset);
  DENSE(price, Price);
  DENSE(reason, Reason);
}

COLUMNS_OF(GoCreate) {
  DENSE(child, Child);
  DENSE(function, Function);
  DENSE(from, From);
}

COLUMNS_OF(GoRuntime) {
  DENSE(phase, Phase);
  DENSE(reason, Reason);
}

COLUMNS_OF(GoState) {
  DENSE(goroutine, Goroutine);
  DENSE(state, State);
  DENSE(reason, Reason);
}

COLUMNS_OF(GoHandler) {
  DENSE(address, Address);
  DENSE(name, Name);
  DENSE(grpc, Grpc);
}

COLUMNS_OF(GoProgram) {
  DENSE(path, Path);
  DENSE(version, Version);
  DENSE(offsets_from, OffsetsFrom);
  DENSE(unsupported, Unsupported);
  DENSE(goid_offset, GoidOffset);
  DENSE(parts, Parts);
  DENSE(processors, Processors);
}

COLUMNS_OF(Stall) {
  DENSE(what, What);
  DENSE(took, Took);
  DENSE(where, Where);
  DENSE(detail, Detail);
}

COLUMNS_OF(CpuQuota) {
  DENSE(cgroup, Cgroup);
  DENSE(period, Period);
  DENSE(quota, Quota);
  DENSE(periods, Periods);
  DENSE(throttled, Throttled);
  DENSE(throttled_time, ThrottledTime);
}

COLUMNS_OF(GoCall) {
  DENSE(connection, Connection);
  DENSE(step, Step);
  DENSE(stream, Stream);
}

COLUMNS_OF(GoChannel) {
  DENSE(step, Step);
  DENSE(channel, Channel);
  DENSE(slot, Slot);
  DENSE(partner, Partner);
}

COLUMNS_OF(Sample) {
  DENSE(user, User);
  DENSE(kernel, Kernel);
  DENSE(kind, Kind);
  DENSE(more, More);
  DENSE(value, Value);
}

COLUMNS_OF(GoExit) { DENSE(goroutine, Goroutine); }

COLUMNS_OF(GoPanic) {
  DENSE(step, Step);
  DENSE(stack, Stack);
}

COLUMNS_OF(OomKill) {}

COLUMNS_OF(GoBuild) {
  DENSE(path, Path);
  DENSE(lines, Lines);
}

COLUMNS_OF(GoAllocations) {
  DENSE(least, Least);
  DENSE(count, Count);
  DENSE(bytes, Bytes);
}

COLUMNS_OF(FileCall) {
  DENSE(act, Act);
  DENSE(took, Took);
  DENSE(result, Result);
  DENSE(descriptor, Descriptor);
  DENSE(path, Path);
}

COLUMNS_OF(Note) {
  DENSE(key, Key);
  DENSE(value, Value);
}

COLUMNS_OF(Masking) {
  DENSE(streams, Streams);
  DENSE(foreign, Foreign);
  DENSE(doubtful, Doubtful);
  DENSE(withheld, Withheld);
  DENSE(sends, Sends);
  DENSE(receives, Receives);
}

COLUMNS_OF(NetInterface) {
  DENSE(net_namespace, NetNamespace);
  DENSE(index, Index);
  DENSE(name, Name);
  DENSE(family, Family);
  DENSE(address, Address);
  DENSE(prefix, Prefix);
}

template <class F, template <class> class C, class S>
void each_kind(F& f, BlockColumns<C>& c, [[maybe_unused]] S s) {
#define KIND(kind, Name)                                                                      \
  if constexpr (F::kUse == Use::visit)                                                        \
    each_column(f, c.kind, 0, 0);                                                             \
  else if constexpr (F::kUse == Use::write) {                                                 \
    if (f.count(Kind::kind) > 0) each_column(f, c.kind, s.init##Name(), f.count(Kind::kind)); \
  } else                                                                                      \
    each_column(f, c.kind, s.get##Name(), f.count(Kind::kind))
  KIND(send, Send);
  KIND(receive, Receive);
  KIND(arrival, Arrival);
  KIND(retransmit, Retransmit);
  KIND(reset, Reset);
  KIND(state_change, StateChange);
  KIND(accept, Accept);
  KIND(socket_info, SocketInfo);
  KIND(off_cpu, OffCpu);
  KIND(task_start, TaskStart);
  KIND(task_exec, TaskExec);
  KIND(task_exit, TaskExit);
  KIND(task_info, TaskInfo);
  KIND(mapping, Mapping);
  KIND(clock, Clock);
  KIND(loss, Loss);
  KIND(recorder_cost, RecorderCost);
  KIND(program_cost, ProgramCost);
  KIND(tls_send, TlsSend);
  KIND(tls_receive, TlsReceive);
  KIND(tls_step, TlsStep);
  KIND(probe, Probe);
  KIND(go_create, GoCreate);
  KIND(go_runtime, GoRuntime);
  KIND(go_state, GoState);
  KIND(go_handler, GoHandler);
  KIND(go_program, GoProgram);
  KIND(stall, Stall);
  KIND(cpu_quota, CpuQuota);
  KIND(go_call, GoCall);
  KIND(sample, Sample);
  KIND(go_exit, GoExit);
  KIND(go_panic, GoPanic);
  KIND(oom_kill, OomKill);
  KIND(go_build, GoBuild);
  KIND(go_channel, GoChannel);
  KIND(go_allocations, GoAllocations);
  KIND(file_call, FileCall);
  KIND(note, Note);
  KIND(net_interface, NetInterface);
  KIND(masking, Masking);
#undef KIND
}

#undef COLUMN
#undef DENSE
#undef SPARSE
#undef COLUMNS_OF

}  // namespace tailcap::formats::columns
