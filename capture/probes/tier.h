// Which hooks are used for socket I/O: ARCHITECTURE.md, "Hook tiers".
#pragma once

#include <string>

#include "capture/host/kernel.h"
#include "formats/preamble.h"

namespace tailcap::capture {

struct TierChoice {
  formats::HookTier tier = formats::HookTier::unknown;  // unknown: none works
  std::string reason;
};
// Decides from the kernel's types alone.
TierChoice choose_tier(formats::HookTier wanted, const KernelTypes& types);

}  // namespace tailcap::capture
