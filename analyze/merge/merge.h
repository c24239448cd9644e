// Merges several captures, of one machine or of many, into one: on the first one's clock, ordered by time, renumbered.
// Memory holds each capture's blocks in flight and the data that aligning the clocks needs, never a whole capture.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/merge/clock_fit.h"
#include "formats/file/reader.h"
#include "formats/machine.h"
#include "formats/preamble.h"

namespace tailcap::merge {

struct MergeOptions {
  std::vector<std::string> inputs;  // two at least, kMaxMachines at most
  std::string out;
  bool force = false;
  bool wall_clock = false;  // where messages do not determine the offsets of the clocks, use the wall clocks
  std::string tool_version;
  std::vector<std::string> command_line;
};

enum class Placing : std::uint8_t {
  reference,   // the first
  same_boot,   // an earlier input is of the same machine: one clock
  messages,    // by messages between the machines
  wall_clock,  // by the wall clocks, because the user asked for that: no bounds
  undetermined,
};

// The result for one input.
struct MergeInput {
  std::string path;
  formats::Preamble preamble;
  formats::FileSummary file;
  formats::Machine machine = 0;
  Placing placing = Placing::undetermined;
  std::uint32_t against = 0;          // messages, same_boot: the input that its clock was aligned with
  ClockEstimate clock;                // on the first one's clock
  std::uint64_t forth = 0, back = 0;  // messages joined: from the other inputs to it, and from it to them
  std::uint64_t connections = 0,
                joined = 0;  // ends of connections between machines; the other end is in another input
  bool has_wall_clock = false;
  std::int64_t wall_clock_ahead = 0;  // ns, ahead of the first one's, where both are known
  std::uint64_t events = 0;           // written
  std::uint64_t duplicates = 0;       // left out: another capture of the same machine contains them
  std::uint64_t refused = 0;          // left out: numbers that no kernel produces
};

struct MergeResult {
  bool written = false;  // false: the clock of at least one is undetermined
  std::vector<MergeInput> sources;
  std::uint64_t events = 0, file_bytes = 0;
};

// Throws for files that cannot be read or written, and for captures that were already merged.
MergeResult merge(const MergeOptions& options);

std::string_view name_of(Placing placing);  // "reference", "same_boot", …

}  // namespace tailcap::merge
