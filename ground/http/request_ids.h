// The ids that a request has where its program gave it none: of the machine's boot, the socket of its client and its
// number on that connection. tailcap-inject writes them on the wire (bpf/inject/ids.bpf.h makes the same), and the
// analyser gives them to what it read of the same request, so that both name it alike although neither knows of the
// other.
#pragma once

#include <cstdint>
#include <string_view>

namespace tailcap::ground {

std::uint64_t mixed(std::uint64_t h, std::uint64_t x);
// A number for a text: a capture's id, a boot's.
std::uint64_t salt_of(std::string_view text);

// A number for the machine's boot, from its id; 0: that is none that Linux makes (a random UUID).
std::uint64_t machine_salt_of(std::string_view boot_id);
// cookie: of the client's socket. number: of the request on that connection, from 1.
std::uint64_t wire_seed(std::uint64_t machine_salt, std::uint64_t cookie, std::uint32_t number);

// Halves of a trace id, and a span id, of a seed. Never 0.
inline std::uint64_t trace_high(std::uint64_t seed) { return mixed(seed, 1) | 1; }
inline std::uint64_t trace_low(std::uint64_t seed) { return mixed(seed, 2) | 1; }
inline std::uint64_t span_of(std::uint64_t seed, std::uint64_t what) { return mixed(seed, what) | 1; }
inline constexpr std::uint64_t kRequestSpan = 3;  // `what`: the request itself

}  // namespace tailcap::ground
