// What a recording lacks if the kernel refuses to load a program.
#pragma once

#include <string>
#include <string_view>

#include "capture/probes/probes.h"

namespace tailcap::capture {

// The program that libbpf names in its message about a failure to load; empty: none.
std::string refused_program(const std::string& words);

// Removes the settings that need the program, and returns a sentence about it. Empty: nothing can be recorded without
// it.
std::string do_without(std::string_view program, int error, formats::HookTier tier, ProbeSettings& settings);

// Why nothing can be recorded without a program.
std::string nothing_without(std::string_view program, int error);

}  // namespace tailcap::capture
