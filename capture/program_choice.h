// Which of the kernel programs are loaded for what was asked for.
#pragma once

#include <string_view>

#include "capture/probes.h"

namespace tailcap::capture {

// By the program's name; on a kernel that has the place where it stands.
bool wanted(std::string_view name, const ProbeSettings& settings, formats::HookTier tier);

}  // namespace tailcap::capture
