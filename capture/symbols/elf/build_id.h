// The build-id of an ELF file, as the linker left it.
#pragma once

#include <string>

namespace tailcap::capture::symbols {

// Raw bytes of the file that this descriptor is open on; empty where there is none. Reads a megabyte at most.
std::string build_id(int file);

}  // namespace tailcap::capture::symbols
