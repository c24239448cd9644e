// The columns of an event block, as they are stored: one struct per kind, one member per column.
//
// What a column means, and which are refs or sparse, is said in formats/FORMAT.md. The template argument is
// how a column is held: Column while a block is being collected, ColumnView over a message that was read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace tailcap::formats::columns {

template <class T>
using Column = std::vector<T>;

// A list inside a message. An absent column reads as zeros.
template <class T>
class ColumnView {
 public:
  ColumnView() = default;
  ColumnView(const std::byte* data, std::size_t size) : data_(data), size_(size) {}
  std::size_t size() const { return size_; }
  const char* chars() const { return reinterpret_cast<const char*>(data_); }  // of a column of bytes
  // i < size(), or the column is absent.
  T operator[](std::size_t i) const {
    T value{};
    if (data_ != nullptr) std::memcpy(&value, data_ + i * sizeof(T), sizeof(T));
    return value;
  }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// Bits of IoColumns::how and ArrivalColumns::how. The low three are Payload.
inline constexpr std::uint8_t kHowPayload = 0x07, kHowTruncated = 0x08, kHowPosition = 0x10, kHowMissed = 0x20,
                              kHowError = 0x40, kHowContinued = 0x80;
// Bits of TlsIoColumns::how, beside those of payload, position, missed and continued.
inline constexpr std::uint8_t kHowBegan = 0x40;
// Bits of OffCpuColumns::how.
inline constexpr std::uint8_t kHowLeft = 0x01, kHowRunnable = 0x02, kHowNotWoken = 0x04, kHowOffMissed = 0x08,
                              kHowThrottled = 0x10;

// A time column entry that says "take the next of time_far".
inline constexpr std::uint16_t kFar = 0xffff;

template <template <class> class C>
struct IoColumns {
  C<std::uint16_t> socket;
  C<std::uint8_t> how;
  C<std::uint16_t> syscall;
  C<std::uint32_t> length;
  C<std::uint16_t> head, tail;
  C<std::uint64_t> position;
  C<std::uint16_t> missed;
  C<std::int32_t> error;
};

template <template <class> class C>
struct ArrivalColumns {
  C<std::uint16_t> socket;
  C<std::uint8_t> how;
  C<std::uint32_t> length;
  C<std::uint32_t> position;
  C<std::uint16_t> missed;
};

template <template <class> class C>
struct RetransmitColumns {
  C<std::uint16_t> socket;
  C<std::uint32_t> position, length;
};

template <template <class> class C>
struct ResetColumns {
  C<std::uint16_t> socket;
  C<std::uint8_t> direction;
};

template <template <class> class C>
struct StateChangeColumns {
  C<std::uint16_t> socket;
  C<std::uint8_t> from, to, by_thread;
  C<std::int32_t> error;
};

template <template <class> class C>
struct AcceptColumns {
  C<std::uint16_t> socket;
  C<std::int32_t> descriptor;
};

template <template <class> class C>
struct SocketInfoColumns {
  C<std::uint16_t> socket;
  C<std::uint8_t> family, type, origin, state;
  C<std::uint16_t> local_address, local_port, remote_address, remote_port;
  C<std::uint32_t> next_out, next_in;
  C<std::uint64_t> inode, peer_inode;
  C<std::uint32_t> net_namespace;
  C<std::uint16_t> path;
};

template <template <class> class C>
struct OffCpuColumns {
  C<std::uint8_t> how;
  C<std::uint32_t> off, queued, waker, state;
  C<std::int16_t> syscall;
  C<std::uint64_t> argument0, argument1;
  C<std::int64_t> left, runnable;
  C<std::uint16_t> missed, socket;
  C<std::uint8_t> file;
};

template <template <class> class C>
struct TaskStartColumns {
  C<std::uint32_t> parent_pid, parent_tid;
  C<std::uint16_t> comm;
};

template <template <class> class C>
struct TaskExecColumns {
  C<std::uint16_t> comm, filename;
};

template <template <class> class C>
struct TaskExitColumns {
  C<std::int32_t> code;
};

template <template <class> class C>
struct TaskInfoColumns {
  C<std::uint32_t> parent_pid;
  C<std::uint16_t> comm, command_line, executable, cgroup;
  C<std::int64_t> started;
};

template <template <class> class C>
struct MappingColumns {
  C<std::uint64_t> start, end, file_offset;
  C<std::uint16_t> path, build_id;
};

template <template <class> class C>
struct ClockColumns {
  C<std::int64_t> realtime, boottime, uncertainty;
};

template <template <class> class C>
struct LossColumns {
  C<std::int64_t> since;
  C<std::uint8_t> cause, kind;
  C<std::uint64_t> count;
};

template <template <class> class C>
struct RecorderCostColumns {
  C<std::int64_t> cpu;
  C<std::uint64_t> resident;
};

template <template <class> class C>
struct ProgramCostColumns {
  C<std::uint16_t> program;
  C<std::uint64_t> runs;
  C<std::int64_t> time;
};

template <template <class> class C>
struct TlsIoColumns {
  C<std::uint16_t> session;
  C<std::uint8_t> how;
  C<std::uint32_t> length, took;
  C<std::uint16_t> head, tail;
  C<std::uint64_t> position;
  C<std::uint16_t> missed;
  C<std::int64_t> began;
};

template <template <class> class C>
struct TlsStepColumns {
  C<std::uint16_t> session;
  C<std::uint8_t> library, step;
  C<std::int32_t> code;
};

template <template <class> class C>
struct ProbeColumns {
  C<std::uint16_t> path, function, place;
  C<std::uint64_t> offset;
  C<std::uint32_t> price;
  C<std::uint16_t> reason;
};

template <template <class> class C>
struct GoCreateColumns {
  C<std::uint64_t> child;
  C<std::uint16_t> function, from;
};

template <template <class> class C>
struct GoRuntimeColumns {
  C<std::uint8_t> phase;
  C<std::uint16_t> reason;
};

template <template <class> class C>
struct GoStateColumns {
  C<std::uint64_t> goroutine;
  C<std::uint8_t> state;
  C<std::uint16_t> reason;
};

template <template <class> class C>
struct GoHandlerColumns {
  C<std::uint64_t> address;
  C<std::uint16_t> name;
  C<std::uint8_t> grpc;
};

template <template <class> class C>
struct GoProgramColumns {
  C<std::uint16_t> path, version, offsets_from, unsupported, goid_offset, processors;
  C<std::uint8_t> parts;
};

template <template <class> class C>
struct StallColumns {
  C<std::uint8_t> what;
  C<std::uint64_t> took, where;
  C<std::uint32_t> detail;
};

template <template <class> class C>
struct CpuQuotaColumns {
  C<std::uint16_t> cgroup;
  C<std::int64_t> period, quota;
  C<std::uint64_t> periods, throttled;
  C<std::int64_t> throttled_time;
};

template <template <class> class C>
struct GoCallColumns {
  C<std::uint64_t> connection;
  C<std::uint8_t> step;
  C<std::uint32_t> stream;
};

template <template <class> class C>
struct GoChannelColumns {
  C<std::uint8_t> step;
  C<std::uint64_t> channel, slot, partner;
};

template <template <class> class C>
struct SampleColumns {
  C<std::uint16_t> user, kernel;
  C<std::uint8_t> kind;
  C<std::uint32_t> more;
  C<std::uint64_t> value;
};

template <template <class> class C>
struct GoExitColumns {
  C<std::uint64_t> goroutine;
};

template <template <class> class C>
struct GoPanicColumns {
  C<std::uint8_t> step;
  C<std::uint16_t> stack;
};

template <template <class> class C>
struct OomKillColumns {};

template <template <class> class C>
struct GoBuildColumns {
  C<std::uint16_t> path, lines;
};

template <template <class> class C>
struct GoAllocationsColumns {
  C<std::uint64_t> least, count, bytes;
};

template <template <class> class C>
struct FileCallColumns {
  C<std::uint8_t> act;
  C<std::uint64_t> took;
  C<std::int64_t> result;
  C<std::int32_t> descriptor;
  C<std::uint16_t> path;
};

template <template <class> class C>
struct NoteColumns {
  C<std::uint16_t> key, value;
};

template <template <class> class C>
struct MaskingColumns {
  C<std::uint64_t> streams, foreign, doubtful, withheld, sends, receives;
};

template <template <class> class C>
struct NetInterfaceColumns {
  C<std::uint32_t> net_namespace, index;
  C<std::uint16_t> name;
  C<std::uint8_t> family, prefix;
  C<std::uint16_t> address;
};

template <template <class> class C>
struct BlockColumns {
  std::int64_t base = 0;
  C<std::uint8_t> order;
  C<std::uint16_t> time;
  C<std::int64_t> time_far;
  C<std::uint16_t> thread, goroutine;
  C<std::uint32_t> pids, tids;
  C<std::uint64_t> sockets, goroutines;
  C<std::uint32_t> piece_ends;
  C<std::uint8_t> bytes;

  IoColumns<C> send, receive;
  ArrivalColumns<C> arrival;
  RetransmitColumns<C> retransmit;
  ResetColumns<C> reset;
  StateChangeColumns<C> state_change;
  AcceptColumns<C> accept;
  SocketInfoColumns<C> socket_info;
  OffCpuColumns<C> off_cpu;
  TaskStartColumns<C> task_start;
  TaskExecColumns<C> task_exec;
  TaskExitColumns<C> task_exit;
  TaskInfoColumns<C> task_info;
  MappingColumns<C> mapping;
  ClockColumns<C> clock;
  LossColumns<C> loss;
  RecorderCostColumns<C> recorder_cost;
  ProgramCostColumns<C> program_cost;
  TlsIoColumns<C> tls_send, tls_receive;
  TlsStepColumns<C> tls_step;
  ProbeColumns<C> probe;
  GoCreateColumns<C> go_create;
  GoRuntimeColumns<C> go_runtime;
  GoStateColumns<C> go_state;
  GoHandlerColumns<C> go_handler;
  GoProgramColumns<C> go_program;
  StallColumns<C> stall;
  CpuQuotaColumns<C> cpu_quota;
  GoCallColumns<C> go_call;
  SampleColumns<C> sample;
  GoExitColumns<C> go_exit;
  GoPanicColumns<C> go_panic;
  OomKillColumns<C> oom_kill;
  GoBuildColumns<C> go_build;
  GoChannelColumns<C> go_channel;
  GoAllocationsColumns<C> go_allocations;
  FileCallColumns<C> file_call;
  NoteColumns<C> note;
  NetInterfaceColumns<C> net_interface;
  MaskingColumns<C> masking;
};

}  // namespace tailcap::formats::columns
