#include "analyze/causes/parents/deliveries.h"

#include <algorithm>
#include <utility>

#include "formats/time.h"

namespace tailcap::causes {

bool Deliveries::is_delivery(const model::Exchange& e) {
  return e.role == model::Role::client && model::is_messaging(e.protocol) && e.method == "DELIVER";
}

void Deliveries::push(const model::Exchange& e, std::uint32_t pid) {
  if (pid == 0 || !e.store || e.store->message == 0) return;
  if (is_delivery(e)) {
    if (delivered_.size() < kMostNoted) delivered_.push_back({e.id, pid, e.request.last_done, e.store->message});
    return;
  }
  if (e.role != model::Role::server || e.method == "DELIVER") return;
  if (const auto at = published_.find(e.store->message); at != published_.end()) {
    at->second.several = true;
    return;
  }
  full_ = full_ || published_.size() == kMostNoted;
  if (!full_) published_.emplace(e.store->message, Published{e.id, pid, e.request.first_done});
}

void Deliveries::settle(std::vector<model::Causes::Link>& links) {
  const auto subscriber = [](const Delivery& d) { return std::pair{d.message, d.id.connection}; };
  std::ranges::sort(delivered_, {}, [&](const Delivery& d) { return std::pair{subscriber(d), d.id.index}; });
  for (auto d = delivered_.begin(); d != delivered_.end() && !full_;) {
    const auto next =
        std::find_if(d, delivered_.end(), [&](const Delivery& n) { return subscriber(n) != subscriber(*d); });
    const auto at = published_.find(d->message);
    const bool proved = next - d == 1 && at != published_.end() && !at->second.several && at->second.pid == d->pid &&
                        at->second.read <= d->sent;
    if (proved) links.push_back({d->id, {at->second.id, model::CauseMethod::message, true, 0, false}});
    d = next;
  }
  *this = {};
}

}  // namespace tailcap::causes
