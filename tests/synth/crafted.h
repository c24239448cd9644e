// Captures that are valid and small but expand to very much: they test the reader's limits
// (formats/bounds/read_limits.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::synth {

// pipelined     sends of 227 pipelined requests each, all alike
// heads         connections with the beginning of a head of 240 kB each, which never ends
// pieces        the same in pieces of 4 kB, sent in turn
// texts         requests, each with a path and a host of 5 kB of its own
// halves        connections with half a short head
// empty         events without any content
std::vector<std::string_view> crafted_kinds();

// Writes `count` of them. Throws std::runtime_error if the kind is unknown or the file cannot be written.
void write_crafted(std::string_view kind, std::uint64_t count, const std::string& path);

}  // namespace tailcap::synth
