// The bodies of events that their own columns tell alone, times apart: of Go programs, tasks, files, and notes.
#pragma once

#include <cstddef>

#include "formats/columns/columns.h"
#include "formats/columns/numbers.h"
#include "formats/event.h"

namespace tailcap::formats::columns {

// The i-th event of this kind, which is none of those that the decoder reads itself. piece: gives the text of a ref.
template <class Piece>
Body plain_body(const BlockColumns<ColumnView>& c, Kind kind, std::size_t i, Piece&& piece) {
  switch (kind) {
    case Kind::go_create:
      return GoCreate{c.go_create.child[i], piece(c.go_create.function[i]), piece(c.go_create.from[i])};
    case Kind::go_runtime:
      return GoRuntime{phase_of(c.go_runtime.phase[i]), piece(c.go_runtime.reason[i])};
    case Kind::go_state:
      return GoState{c.go_state.goroutine[i], run_state_of(c.go_state.state[i]), piece(c.go_state.reason[i])};
    case Kind::go_handler:
      return GoHandler{c.go_handler.address[i], piece(c.go_handler.name[i]), c.go_handler.grpc[i] != 0};
    case Kind::go_program: {
      const auto& k = c.go_program;
      return GoProgram{piece(k.path[i]), piece(k.version[i]), piece(k.offsets_from[i]), piece(k.unsupported[i]),
                       k.goid_offset[i], k.parts[i],          k.processors[i]};
    }
    case Kind::go_call:
      return GoCall{c.go_call.connection[i], call_step_of(c.go_call.step[i]), c.go_call.stream[i]};
    case Kind::go_channel: {
      const auto& k = c.go_channel;
      return GoChannel{k.channel[i], k.slot[i], k.partner[i], channel_step_of(k.step[i])};
    }
    case Kind::go_exit:
      return GoExit{c.go_exit.goroutine[i]};
    case Kind::go_panic:
      return GoPanic{panic_step_of(c.go_panic.step[i]), piece(c.go_panic.stack[i])};
    case Kind::go_build:
      return GoBuild{piece(c.go_build.path[i]), piece(c.go_build.lines[i])};
    case Kind::go_allocations:
      return GoAllocations{c.go_allocations.least[i], c.go_allocations.count[i], c.go_allocations.bytes[i]};
    case Kind::task_start: {
      const auto& k = c.task_start;
      return TaskStart{{k.parent_pid[i], k.parent_tid[i]}, piece(k.comm[i])};
    }
    case Kind::task_exec:
      return TaskExec{piece(c.task_exec.comm[i]), piece(c.task_exec.filename[i])};
    case Kind::task_exit:
      return TaskExit{c.task_exit.code[i]};
    case Kind::mapping: {
      const auto& k = c.mapping;
      return Mapping{k.start[i], k.end[i], k.file_offset[i], piece(k.path[i]), piece(k.build_id[i])};
    }
    case Kind::probe: {
      const auto& k = c.probe;
      return Probe{piece(k.path[i]), piece(k.function[i]), piece(k.place[i]),
                   k.offset[i],      k.price[i],           piece(k.reason[i])};
    }
    case Kind::sample: {
      const auto& k = c.sample;
      return Sample{piece(k.user[i]), piece(k.kernel[i]), sample_of(k.kind[i]), k.more[i] + 1, k.value[i]};
    }
    case Kind::note:
      return Note{piece(c.note.key[i]), piece(c.note.value[i])};
    case Kind::oom_kill:
      return OomKill{};
    case Kind::masking:
      return Masking{c.masking.streams[i],  c.masking.foreign[i], c.masking.doubtful[i],
                     c.masking.withheld[i], c.masking.sends[i],   c.masking.receives[i]};
    default:
      return {};
  }
}

}  // namespace tailcap::formats::columns
