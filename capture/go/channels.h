// The places in the Go runtime at which values pass through channels (bpf/go/channel.bpf.c).
//
// The channel is locked at each. A value goes directly to a waiting goroutine (runtime.send) or comes from one
// (runtime.recv), or it goes through the buffer: chansend and chanrecv unlock the channel afterwards. selectgo unlocks
// many channels, so its place is where it copies the value.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/function_probes.h"
#include "capture/symbols/go/go_binary.h"

namespace tailcap::capture::go {

// The functions that find_channel_places needs.
inline constexpr std::array<std::string_view, 8> kChannelFunctions = {
    "runtime.send",     "runtime.recv",    "runtime.chansend",     "runtime.chanrecv",
    "runtime.selectgo", "runtime.unlock2", "runtime.typedmemmove", "runtime.typedmemclr"};

struct ChannelPlace {
  symbols::GoFunction function;
  symbols::Place place;
  std::uint8_t act = 0;  // enum go_act
  bool skip_below_or_equal = false;
};

struct ChannelPlaces {
  std::vector<ChannelPlace> all;
  std::uint16_t number = 0;  // of their cookies
  std::string problem;       // why there are none
};

// found: those of kChannelFunctions that exist. release: "1.22"; empty: not known.
ChannelPlaces find_channel_places(const symbols::ElfFile& file, const std::vector<symbols::GoFunction>& found,
                                  const symbols::ProbePlacer& placer, std::string_view release);

}  // namespace tailcap::capture::go
