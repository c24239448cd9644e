// The bodies of events of Go programs, from their columns.
#pragma once

#include <cstddef>

#include "formats/columns/columns.h"
#include "formats/columns/numbers.h"
#include "formats/event.h"

namespace tailcap::formats::columns {

// The i-th event of this kind, one of those that GoPart tells of. piece: gives the text of a ref.
template <class Piece>
Body go_body(const BlockColumns<ColumnView>& c, Kind kind, std::size_t i, Piece&& piece) {
  switch (kind) {
    case Kind::go_create:
      return GoCreate{c.go_create.child[i], piece(c.go_create.function[i]), piece(c.go_create.from[i])};
    case Kind::go_runtime:
      return GoRuntime{phase_of(c.go_runtime.phase[i]), piece(c.go_runtime.reason[i])};
    case Kind::go_state:
      return GoState{c.go_state.goroutine[i], run_state_of(c.go_state.state[i]), piece(c.go_state.reason[i])};
    case Kind::go_handler:
      return GoHandler{c.go_handler.address[i], piece(c.go_handler.name[i])};
    case Kind::go_program: {
      const auto& k = c.go_program;
      return GoProgram{piece(k.path[i]), piece(k.version[i]), piece(k.offsets_from[i]), piece(k.unsupported[i]),
                       k.goid_offset[i], k.parts[i], k.processors[i]};
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
    default:
      return {};
  }
}

}  // namespace tailcap::formats::columns
