#include "capture/links/drops.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <limits>

#include "bpf/event.h"

namespace tailcap::capture::links {

using namespace formats;

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
// Subsystems of the kernel number reasons of their own, of which the names of this number are kept.
constexpr std::size_t kMostNames = 4096;

}  // namespace

std::string_view Drops::name_of(std::uint32_t reason) {
  const auto known = reasons_.find(reason);
  if (known != reasons_.end()) return known->second;
  if (reasons_.size() >= kMostNames) return "";
  return reasons_[reason] = std::to_string(reason);
}

// A program that runs now counts in the second that is not over.
void Drops::take(int map, std::uint32_t before) {
  std::vector<bpf::drop_key> over;
  bpf::drop_key key{};
  for (int error = bpf_map_get_next_key(map, nullptr, &key); error == 0;
       error = bpf_map_get_next_key(map, &key, &key)) {
    if (key.second < before) over.push_back(key);
    if (over.size() > DROP_DESTINATIONS + DROP_REASONS) break;  // keys that vanish make it begin again
  }
  for (const bpf::drop_key& k : over) {
    std::uint64_t count = 0;
    if (bpf_map_lookup_elem(map, &k, &count) != 0 || bpf_map_delete_elem(map, &k) != 0 || count == 0) continue;
    PacketDrops& d = taken_.emplace_back();
    d.began = time_from(std::int64_t{k.second} * kSecondNs);
    d.reason = name_of(k.reason);
    d.family = static_cast<Family>(k.family);
    d.protocol = static_cast<std::uint8_t>(k.protocol);
    std::copy(std::begin(k.address), std::end(k.address), d.to.bytes.begin());
    d.to.port = k.port;
    d.count = count;
  }
}

const std::vector<PacketDrops>& Drops::take(Time now, bool all) {
  taken_.clear();
  if (reasons_.empty()) return taken_;
  const auto second = static_cast<std::uint32_t>(nanoseconds(now) / kSecondNs);
  for (const int map : maps_) take(map, all ? std::numeric_limits<std::uint32_t>::max() : second);
  return taken_;
}

}  // namespace tailcap::capture::links
