// One capture out of several, of one machine or of many: on the first one's clock, in order of time, each with numbers
// of its own. The blocks in flight of each are in memory, and what is needed to lay their clocks on each other; never a
// whole capture.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/merge/clock_fit.h"
#include "formats/machine.h"
#include "formats/preamble.h"
#include "formats/reader.h"

namespace tailcap::merge {

struct MergeOptions {
  std::vector<std::string> inputs;  // two at least, kMaxMachines at most
  std::string out;
  bool force = false;
  bool wall_clock = false;  // where messages do not say how clocks stand to each other, believe the wall clocks
  std::string tool_version;
  std::vector<std::string> command_line;
};

enum class Placing : std::uint8_t {
  reference,   // the first
  same_boot,   // the same machine as one before: one clock
  messages,    // by messages that passed
  wall_clock,  // by the wall clocks, because that was asked for: no bounds
  undetermined,
};

// What became of one input.
struct MergeInput {
  std::string path;
  formats::Preamble preamble;
  formats::FileSummary file;
  formats::Machine machine = 0;
  Placing placing = Placing::undetermined;
  std::uint32_t against = 0;          // messages, same_boot: the input on whose clock it was laid
  ClockEstimate clock;                // on the first one's clock
  std::uint64_t forth = 0, back = 0;  // messages joined: from those of the others to it, and from it to them
  std::uint64_t connections = 0,
                joined = 0;  // ends of connections between machines; whose other end is in another input
  bool has_wall_clock = false;
  std::int64_t wall_clock_ahead = 0;  // ns, of the first one's, where both are known
  std::uint64_t events = 0;           // written
  std::uint64_t duplicates = 0;       // left out: another capture of the same machine tells them
  std::uint64_t refused = 0;          // left out: numbers that no kernel gives
};

struct Result {
  bool written = false;  // false: the clock of at least one is undetermined
  std::vector<MergeInput> sources;
  std::uint64_t events = 0, file_bytes = 0;
};

// Throws for files that cannot be read or written, and for captures that were merged before.
Result merge(const MergeOptions& options);

std::string_view name_of(Placing placing);  // "reference", "same_boot", …

}  // namespace tailcap::merge
