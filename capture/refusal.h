// What a recording does without where the kernel refuses to load a program.
#pragma once

#include <string>
#include <string_view>

#include "capture/probes.h"

namespace tailcap::capture {

// The program that libbpf names in its words about a failure to load; empty: none.
std::string refused_program(const std::string& words);

// Takes out of the settings what the program is needed for, and says so in a sentence. Empty: nothing is recorded
// without it.
std::string do_without(std::string_view program, int error, formats::HookTier tier, ProbeSettings& settings);

// Why nothing is recorded without a program.
std::string nothing_without(std::string_view program, int error);

}  // namespace tailcap::capture
