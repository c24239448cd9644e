// Which functions of a file move TLS plaintext or say what happens to a session, and where the probes in them go.
//
// Pure: a file in, places out. Nothing is attached here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/plan.h"

namespace tailcap::capture::tls {

// Whether a mapped file of this name may hold such functions: "libssl.so.3".
bool is_tls_library(const std::string& file_name);

// Empty where the file has none: most programs. May take tens of milliseconds for a large one. keys: of OpenSSL 3 and
// Go only the functions that derive keys; also: and those of sessions, which have TLS_BY_KEYS in their cookies.
// Functions that derive keys come first: the order in which probes are attached.
std::vector<PlannedFunction> plan_functions(const symbols::ElfFile& file, bool keys = false, bool also = false);

}  // namespace tailcap::capture::tls
