// Stacks as folded text, and as profiles of pprof and speedscope.
#pragma once

#include <cstdint>

#include "analyze/views/export/exported.h"
#include "analyze/views/flame/stacks.h"

namespace tailcap::views {

enum class StackFormat : std::uint8_t { folded, pprof, speedscope };

// Throws std::runtime_error where there are no stacks of that kind.
Exported export_stacks(const std::string& file, FlameChoice choice, StackFormat format, const Write& write);

}  // namespace tailcap::views
