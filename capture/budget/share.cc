#include "capture/budget/share.h"

#include <system_error>
#include <utility>

#include "capture/host/clocks.h"

namespace tailcap::capture::budget {

Share::Share(Probes& probes, Destination& destination, Recording recording)
    : probes_(probes),
      destination_(destination),
      recording_(std::move(recording)),
      of_(probes.settings().connections.of) {}

void Share::change(std::uint32_t of, const std::function<void(formats::Time)>& notes) {
  if (of != of_) {
    of_ = of;
    probes_.set_share(of);
    // Each connection is chosen at its next event, and of those that exist now.
    try {
      (void)probes_.list_sockets();
    } catch (const std::system_error&) {  // then at their next events only
    }
  }
  recording_.drain();
  const formats::Time now = monotonic_now();
  destination_.sampled(show(Sampling{of, probes_.settings().connections.seed, true}), now);
  notes(now);
  recording_.keyframe(now);
}

void Share::note(formats::Time now, std::string key, std::string value) const {
  recording_.note(now, std::move(key), std::move(value));
}

}  // namespace tailcap::capture::budget
