// Calls by goroutines that work for whoever gives them something to do through a channel: for which request each was
// made.
//
// A worker takes from its channel again and again, and what it took last it works on. Believed only of a channel that
// goroutines at requests give to and from which they never take: not of those that answers, tokens or connections go
// through, which have the same look. Where a worker took something else of another request in between, or something
// that nobody's request gave, nothing is said.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/causes/descent.h"
#include "analyze/causes/hand_overs.h"
#include "analyze/causes/note.h"

namespace tailcap::causes {

class Jobs {
 public:
  static constexpr std::size_t kMaxLooked = 256;  // things taken before a call that are looked at

  // descent knows the process's exchanges; all must outlive this.
  Jobs(const Process& process, const Descent& descent) : process_(process), descent_(descent) {}
  // All that goroutines of the process took, in order.
  void index(std::vector<ChannelTransfer> taken);

  Descent::Found of(const Note& call) const;

 private:
  // One value that a goroutine took.
  struct Item {
    ChannelTransfer taken;
    std::int64_t server = -1;  // whose goroutine gave it
    bool direct = false;       // it works on the request itself, or was made for it; else it took it from such a one
    bool sure = false;
  };
  struct Channel {
    bool jobs = false;     // goroutines at requests gave to it
    bool answers = false;  // … and took from it, or somebody did both
  };

  Descent::Found giver_of(const ChannelTransfer& taken) const;
  bool loops(const std::vector<std::uint32_t>& mine, std::uint64_t channel) const;
  bool finished(const Item& job, const Item& next, const Note& call) const;

  const Process& process_;
  const Descent& descent_;
  std::vector<Item> items_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> by_taker_, calls_;
  std::unordered_map<std::uint64_t, Channel> channels_;
  std::unordered_map<std::uint64_t, std::pair<Time, Time>> active_;  // by goroutine: from its first value to its last
};

}  // namespace tailcap::causes
