#include "analyze/causes/parents/deliveries.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "formats/time.h"

namespace tailcap::causes {

namespace {

// Two clocks were read at the two ends of a request: their distance is known that well.
constexpr formats::Duration kClocks = 2 * model::WallClock::kStep;

model::Causes::Link link_of(model::ExchangeId delivery, model::ExchangeId publisher) {
  return {delivery, {publisher, model::CauseMethod::message, true, 0, false}};
}

}  // namespace

bool Deliveries::is_delivery(const model::Exchange& e) {
  return e.role == model::Role::client && model::is_messaging(e.protocol) && e.method == "DELIVER";
}

void Deliveries::Publications::add(std::uint64_t message, const Published& published) {
  if (message == 0) return;
  if (const auto at = by_message_.find(message); at != by_message_.end()) {
    at->second.several = true;
    return;
  }
  full_ = full_ || by_message_.size() == kMostNoted;
  if (!full_) by_message_.emplace(message, published);
}

const Deliveries::Published* Deliveries::Publications::of(const Delivery& d) const {
  const auto at = by_message_.find(d.message);
  const bool proved =
      !full_ && at != by_message_.end() && !at->second.several && at->second.pid == d.pid && at->second.read <= d.sent;
  return proved ? &at->second : nullptr;
}

void Deliveries::push(const formats::Event& event) {
  if (const auto* clock = std::get_if<formats::ClockSnapshot>(&event.body))
    clock_.add(event.time, clock->realtime, clock->uncertainty);
}

void Deliveries::push(const model::Exchange& e, std::uint32_t pid) {
  if (pid == 0 || !e.store) return;
  const model::StoreFacts& store = *e.store;
  if (is_delivery(e)) {
    const auto note = [&](std::vector<Delivery>& to, std::uint64_t message) {
      if (message != 0 && to.size() < kMostNoted)
        to.push_back({e.id, pid, e.request.last_done, message, store.stored_at});
    };
    note(delivered_, store.message);
    note(handed_out_, store.stored);
    return;
  }
  if (e.role != model::Role::server || e.method == "DELIVER") return;
  const Published published{e.id, pid, e.request.first_done, e.response.last_done};
  published_.add(store.message, published);
  stored_.add(store.stored, published);
}

void Deliveries::settle(std::vector<model::Causes::Link>& links) {
  const auto subscriber = [](const Delivery& d) { return std::pair{d.message, d.id.connection}; };
  std::ranges::sort(delivered_, {}, [&](const Delivery& d) { return std::pair{subscriber(d), d.id.index}; });
  for (auto d = delivered_.begin(); d != delivered_.end();) {
    const auto next =
        std::find_if(d, delivered_.end(), [&](const Delivery& n) { return subscriber(n) != subscriber(*d); });
    const Published* const published = next - d == 1 ? published_.of(*d) : nullptr;
    if (published) links.push_back(link_of(d->id, published->id));
    d = next;
  }
  if (clock_.known()) settle_stored(links);
  *this = {};
}

// Consumers of a stream have a message each, and again where they did not acknowledge it.
void Deliveries::settle_stored(std::vector<model::Causes::Link>& links) const {
  for (const Delivery& d : handed_out_) {
    const Published* const published = stored_.of(d);
    if (!published || !formats::known(published->answered)) continue;
    const formats::Duration slack = kClocks + clock_.error();
    if (d.stored_at >= clock_.realtime(published->read - slack) &&
        d.stored_at <= clock_.realtime(published->answered + slack))
      links.push_back(link_of(d.id, published->id));
  }
}

}  // namespace tailcap::causes
