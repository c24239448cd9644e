#include "capture/log/sampled_ends.h"

#include <string>

namespace tailcap::capture {

void SampledEnds::push(formats::Time now) {
  // Where the share varies, sums over the whole recording say nothing of one share.
  if (probes_.settings().connections.varies) return;
  const auto sampled = probes_.sampled();
  if (sampled == told_) return;
  told_ = sampled;
  log_.tally().sampled = sampled.recorded;
  log_.tally().left_out = sampled.left_out;
  statements_.note(now, "tailcap.sampling.ends",
                   std::to_string(sampled.recorded) + " recorded, " + std::to_string(sampled.left_out) + " left out");
}

}  // namespace tailcap::capture
