#include "analyze/flow/partition.h"

#include <algorithm>

namespace tailcap::flow {

void Partitions::add(ExchangeId request, std::span<const Part> parts, std::span<const Culprit> culprits) {
  entries_.push_back({request, static_cast<std::uint32_t>(parts.size()), static_cast<std::uint32_t>(culprits.size()),
                      parts_.size(), culprits_.size()});
  parts_.insert(parts_.end(), parts.begin(), parts.end());
  culprits_.insert(culprits_.end(), culprits.begin(), culprits.end());
}

void Partitions::sort() {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.request < b.request; });
}

const Partitions::Entry* Partitions::find(ExchangeId request) const {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), request, [](const Entry& e, ExchangeId id) { return e.request < id; });
  return at != entries_.end() && at->request == request ? &*at : nullptr;
}

std::span<const Part> Partitions::parts(ExchangeId request) const {
  const Entry* e = find(request);
  return e ? std::span{parts_}.subspan(e->parts_at, e->parts_n) : std::span<const Part>{};
}

std::span<const Culprit> Partitions::culprits(ExchangeId request) const {
  const Entry* e = find(request);
  return e ? std::span{culprits_}.subspan(e->culprits_at, e->culprits_n) : std::span<const Culprit>{};
}

}  // namespace tailcap::flow
