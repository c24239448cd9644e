// The build-id of an ELF file, as the linker left it.
#pragma once

#include <cstddef>
#include <string>

namespace tailcap::capture::symbols {

inline constexpr std::size_t kMaxBuildId = 64;  // bytes: 20 for SHA-1; Go's own id is another note
// Raw bytes of the file that this descriptor is open on; empty where there is none. Reads a megabyte at most.
std::string build_id(int file);

// "/.build-id/ab/cdef….debug": where debug files are, below /usr/lib/debug for example. id: in hexadecimal digits;
// empty where it is too short for that.
std::string debug_path(const std::string& id);

}  // namespace tailcap::capture::symbols
