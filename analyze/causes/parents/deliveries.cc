#include "analyze/causes/parents/deliveries.h"

#include "formats/time.h"

namespace tailcap::causes {

bool Deliveries::is_delivery(const model::Exchange& e) {
  return e.role == model::Role::client && model::is_messaging(e.protocol) && e.method == "DELIVER";
}

void Deliveries::push(const model::Exchange& e, std::uint32_t pid) {
  if (pid == 0 || !e.store || e.store->message == 0) return;
  if (is_delivery(e)) {
    if (delivered_.size() < kMostNoted) delivered_.push_back({e.id, pid, e.store->message});
    return;
  }
  if (e.role != model::Role::server || e.method == "DELIVER") return;
  if (const auto at = published_.find(e.store->message); at != published_.end()) {
    at->second.several = true;
    return;
  }
  full_ = full_ || published_.size() == kMostNoted;
  if (!full_) published_.emplace(e.store->message, Published{e.id, pid});
}

void Deliveries::settle(std::vector<model::Causes::Link>& links) {
  for (const Delivery& d : delivered_) {
    const auto at = published_.find(d.message);
    if (at == published_.end() || at->second.several || at->second.pid != d.pid || full_) continue;
    links.push_back({d.id, {at->second.id, model::CauseMethod::message, true, 0, false}});
  }
  *this = {};
}

}  // namespace tailcap::causes
