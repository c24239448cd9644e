#include "capture/probes/tier.h"

namespace tailcap::capture {

using formats::HookTier;

TierChoice choose_tier(HookTier wanted_tier, const KernelTypes& types) {
  const bool a = types.has_tracepoint("sock_send_length") && types.has_tracepoint("sock_recv_length");
  const bool c = types.has_tracepoint("sys_exit");
  if (wanted_tier == HookTier::a && !a)
    return {HookTier::unknown,
            "tier a was asked for, but this kernel has no sock_send_length tracepoint (it came with 6.3)"};
  if (wanted_tier == HookTier::c)
    return c ? TierChoice{HookTier::c, "asked for by --tier c"}
             : TierChoice{HookTier::unknown, "tier c was asked for, but this kernel has no sys_exit tracepoint"};
  if (a) return {HookTier::a, "the kernel has sock_send_length and sock_recv_length"};
  if (c) return {HookTier::c, "no sock_send_length tracepoint (it came with 6.3), and tier b is not built yet"};
  return {HookTier::unknown, "the kernel has neither sock_send_length nor sys_exit tracepoints"};
}

}  // namespace tailcap::capture
