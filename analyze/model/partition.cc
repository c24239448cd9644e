#include "analyze/model/partition.h"

#include <algorithm>
#include <cassert>

#include "analyze/model/label_group.h"
#include "ground/sort_by_number.h"

namespace tailcap::model {

template <class T>
std::uint32_t Partitions::Pieces<T>::add(std::span<const T> things) {
  assert(things.size() <= kPiece);
  if (pieces_.empty() || pieces_.back().size() + things.size() > kPiece) {
    pieces_.emplace_back();
    pieces_.back().reserve(kPiece);
  }
  const auto place = (pieces_.size() - 1) * kPiece + pieces_.back().size();
  pieces_.back().insert(pieces_.back().end(), things.begin(), things.end());
  return static_cast<std::uint32_t>(place);
}

void Partitions::add(ExchangeId request, std::span<const AccountPart> parts, std::span<const Culprit> culprits) {
  Entry e;
  e.request = request;
  e.parts_at = parts_.add(parts);
  e.culprits_at = culprits_.add(culprits);
  e.parts_n = static_cast<std::uint16_t>(parts.size());
  e.culprits_n = static_cast<std::uint16_t>(culprits.size());
  entries_.push_back(e);
}

void Partitions::sort() {
  ground::sort_by_number(entries_,
                         [](const Entry& e) { return std::uint64_t{e.request.connection} << 32 | e.request.index; });
  first_of_.clear();
  for (std::uint32_t i = 0; i < entries_.size(); ++i)
    while (first_of_.size() <= entries_[i].request.connection) first_of_.push_back(i);
  first_of_.push_back(static_cast<std::uint32_t>(entries_.size()));
}

const Partitions::Entry* Partitions::find(ExchangeId request) const {
  if (request.connection + std::size_t{1} >= first_of_.size()) return nullptr;
  const auto first = entries_.begin() + first_of_[request.connection];
  const auto last = entries_.begin() + first_of_[request.connection + 1];
  if (first == last || request.index < first->request.index) return nullptr;
  // Mostly, all requests of a connection have one.
  const std::uint32_t place = request.index - first->request.index;
  if (place < last - first && first[place].request == request) return &first[place];
  const auto at = std::lower_bound(first, last, request, [](const Entry& e, ExchangeId id) { return e.request < id; });
  return at != last && at->request == request ? &*at : nullptr;
}

std::span<const AccountPart> Partitions::parts(ExchangeId request) const {
  const Entry* e = find(request);
  return e && e->parts_n != 0 ? parts_.at(e->parts_at, e->parts_n) : std::span<const AccountPart>{};
}

std::span<const Culprit> Partitions::culprits(ExchangeId request) const {
  const Entry* e = find(request);
  return e && e->culprits_n != 0 ? culprits_.at(e->culprits_at, e->culprits_n) : std::span<const Culprit>{};
}

const CpuGroup* group_of(const Culprit& culprit, std::span<const CpuGroup> groups) {
  const bool named = culprit.label == Label::sched_throttled || culprit.label == Label::sched_stopped;
  return named && culprit.what != 0 && culprit.what <= groups.size() ? &groups[culprit.what - 1] : nullptr;
}

const SocketPeer* peer_of(const Culprit& c, std::span<const SocketPeer> peers) {
  return names_peer(c.label) && c.request.connection == 0 && c.what != 0 && c.what <= peers.size() ? &peers[c.what - 1]
                                                                                                   : nullptr;
}

std::string_view lock_of(const Culprit& c, const LockNames& locks) {
  if (c.label != Label::lock_futex && c.label != Label::timer_sleep) return {};
  const auto found = locks.find(c.what);
  return found == locks.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace tailcap::model
