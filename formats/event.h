// One thing that the kernel did, as it is stored in a capture and as the analyser reads it.
//
// An Event is a value: trivially copyable, comparable, printable in tests. Views inside it (payload, names) point into
// the block that it was read from and live as long as that block (formats/file/reader.h says how long). Io defines what
// a position is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "formats/file_call.h"
#include "formats/go_event.h"
#include "formats/io_terms.h"
#include "formats/masking.h"
#include "formats/recorder_event.h"
#include "formats/sample.h"
#include "formats/socket_event.h"
#include "formats/stall.h"
#include "formats/thread_event.h"
#include "formats/time.h"
#include "formats/tls_event.h"

namespace tailcap::formats {

using Body =
    std::variant<Io, Arrival, Retransmit, Reset, StateChange, Accept, SocketInfo, OffCpu, TaskStart, TaskExec, TaskExit,
                 TaskInfo, Mapping, ClockSnapshot, Loss, RecorderCost, ProgramCost, CaptureEnd, Damage, TlsIo, TlsStep,
                 Probe, GoCreate, GoRuntime, GoState, GoHandler, GoProgram, Stall, CpuQuota, GoCall, Sample, GoExit,
                 GoPanic, OomKill, GoBuild, GoChannel, GoAllocations, FileCall, Note, NetInterface, Masking, MachineCpu,
                 NetLink, ProcessUse, PacketDrops, GoHeap, MallocCalls>;

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
  process_use = 45,
  packet_drops = 46,
  go_heap = 47,
  malloc_calls = 48,
};
inline constexpr std::size_t kKinds = 49;

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
