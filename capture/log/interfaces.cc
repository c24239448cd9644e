#include "capture/log/interfaces.h"

#include <string>

#include "capture/host/clocks.h"
#include "capture/host/interfaces.h"

namespace tailcap::capture {

using namespace formats;

void Interfaces::find(const std::set<std::uint32_t>& processes) {
  links_.emplace(processes);
  if (links_->left_out() > 0)
    statements_.note(monotonic_now(), "tailcap.links.left_out",
                     std::to_string(links_->left_out()) + " network namespaces whose interfaces were not read");
}

void Interfaces::push(Time now) {
  const std::uint32_t space = own_net_namespace();
  if (space == 0) return;
  for (const InterfaceFacts& f : interface_facts())
    log_.push({now, {}, NetInterface{space, f.index, f.name, f.family, f.address, f.prefix}});
  push_changes(now);
  if (links_) links_->each([&](const NetLink& link) { log_.push({now, {}, link}); });
}

void Interfaces::push_changes(Time now) {
  if (links_) links_->each_change([&](const NetLink& link) { log_.push({now, {}, link}); });
}

}  // namespace tailcap::capture
