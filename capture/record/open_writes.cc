#include "capture/record/open_writes.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "bpf/event.h"
#include "capture/scan/proc.h"

namespace tailcap::capture {
namespace {

constexpr std::size_t kMostEnded = 4096, kKeysAtOnce = 1024;
constexpr std::uint8_t kOut = 0;  // OUT of bpf/net/socket_state.bpf.h

}  // namespace

void OpenWrites::ended(std::uint32_t pid) {
  if (map_ >= 0 && ended_.size() < kMostEnded) ended_.insert(pid);
}

std::uint64_t OpenWrites::count() {
  std::unordered_set<std::uint32_t> gone;
  std::erase_if(ended_, [&](std::uint32_t pid) { return !process_exists(pid) && gone.insert(pid).second; });
  if (gone.empty()) return 0;
  std::uint64_t open = 0;
  std::vector<bpf::goroutine_key> keys(kKeysAtOnce), left;
  std::vector<bpf::go_calls> values(kKeysAtOnce);
  std::uint32_t place = 0;
  for (bool first = true, more = true; more; first = false) {
    std::uint32_t n = kKeysAtOnce;
    more = bpf_map_lookup_batch(map_, first ? nullptr : &place, &place, keys.data(), values.data(), &n, nullptr) == 0;
    if (!more && errno != ENOENT) break;
    for (std::uint32_t i = 0; i < n; ++i) {
      if (!gone.contains(values[i].pid)) continue;
      left.push_back(keys[i]);
      for (std::uint32_t depth = 0; depth < std::min<std::uint32_t>(values[i].depth, GO_CALLS_MAX); ++depth)
        open += values[i].calls[depth].way == kOut;
    }
  }
  for (const auto& key : left) bpf_map_delete_elem(map_, &key);
  return open;
}

}  // namespace tailcap::capture
