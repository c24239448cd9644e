// Selects the kernel programs to load for the given settings.
#pragma once

#include <string_view>

#include "capture/probes/probes.h"

namespace tailcap::capture {

// Decides by the program's name; the kernel must have the program's hook.
bool wanted(std::string_view name, const ProbeSettings& settings, formats::HookTier tier);

}  // namespace tailcap::capture
