// The build-id of an ELF file, as the linker left it. The only folder that knows libelf.
#pragma once

#include <string>

namespace tailcap::capture {

// Raw bytes; empty if there is none or the file cannot be read. Never throws: the file is the target's.
std::string build_id(const std::string& path);

}  // namespace tailcap::capture
