// Texts that the Go runtime carries for its own messages, found without symbols.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/elf/elf_file.h"

namespace tailcap::capture::symbols {

// The array of strings that begins with these, as far as it goes on with short texts; empty where there is none. What
// follows the array in memory may be taken for a part of it.
std::vector<std::string> go_string_array(const ElfFile& file, std::span<const std::string_view> beginning);

// The version as the runtime itself keeps it ("go1.25.7"), for programs that come without build information: the string
// that code of runtime.schedinit, given as its bytes and their address, looks at. Empty: not found.
std::string go_version_from_code(const ElfFile& file, std::string_view code, std::uint64_t address);

}  // namespace tailcap::capture::symbols
