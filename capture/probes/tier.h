// Which hooks are used for socket I/O: ARCHITECTURE.md, "Hook tiers".
#pragma once

#include <string>

#include "formats/preamble.h"

namespace tailcap::capture {

struct TierChoice {
  formats::HookTier tier = formats::HookTier::unknown;  // unknown: none works
  std::string reason;
};
// Decides from the kernel's BTF alone. Throws std::runtime_error if there is none.
TierChoice choose_tier(formats::HookTier wanted);

}  // namespace tailcap::capture
