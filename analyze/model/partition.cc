#include "analyze/model/partition.h"

#include <algorithm>

#include "analyze/model/label_group.h"
#include "ground/sort_by_number.h"

namespace tailcap::model {

namespace {

constexpr std::size_t kMostOfOne = 6 * packed::kMostBytes;  // bytes of a part or a culprit

std::uint8_t* pack(const AccountPart& part, std::uint8_t* at) {
  *at++ = static_cast<std::uint8_t>(part.label);
  *at++ = static_cast<std::uint8_t>(static_cast<unsigned>(part.phase) |
                                    static_cast<unsigned>(part.evidence) << packed::kEvidenceAt |
                                    unsigned{part.crowded != 0} << packed::kCrowdedAt);
  packed::put(at, static_cast<std::uint64_t>(part.time));
  if (part.crowded != 0) *at++ = part.crowded;
  return at;
}

std::uint8_t* pack(const Culprit& culprit, std::uint8_t* at) {
  const bool request = culprit.request != ExchangeId{};
  *at++ = static_cast<std::uint8_t>((culprit.what != 0 ? packed::kWhat : 0) | (request ? packed::kRequest : 0) |
                                    (culprit.tid != 0 ? packed::kTid : 0));
  *at++ = static_cast<std::uint8_t>(culprit.label);
  packed::put(at, static_cast<std::uint64_t>(culprit.time));
  if (culprit.what != 0) packed::put(at, culprit.what);
  if (request) {
    packed::put(at, culprit.request.connection);
    packed::put(at, culprit.request.index);
  }
  if (culprit.tid != 0) packed::put(at, culprit.tid);
  return at;
}

// Their number, then they.
template <class T>
std::uint8_t* pack(std::span<const T> things, std::uint8_t* at) {
  packed::put(at, things.size());
  for (const T& thing : things) at = pack(thing, at);
  return at;
}

}  // namespace

void Partitions::pack(std::span<const AccountPart> parts, std::span<const Culprit> culprits,
                      std::vector<std::uint8_t>& out) {
  out.resize(2 * packed::kMostBytes + kMostOfOne * (parts.size() + culprits.size()));
  const std::uint8_t* const end = model::pack(culprits, model::pack(parts, out.data()));
  out.resize(static_cast<std::size_t>(end - out.data()));
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

AccountParts Partitions::parts(ExchangeId request) const {
  const Entry* const e = find(request);
  return e ? AccountParts(bytes_.at(e->at)) : AccountParts();
}

Culprits Partitions::culprits(ExchangeId request) const {
  const Entry* const e = find(request);
  if (!e) return {};
  const std::uint8_t* at = bytes_.at(e->at);
  AccountPart passed;
  for (std::size_t n = packed::get(at); n > 0; --n) packed::unpack(at, passed);
  return Culprits(at);
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
