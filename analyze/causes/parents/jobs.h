// Finds the requests behind calls that were made by workers of a pool, which take jobs from a channel.
//
// A worker takes from its channel repeatedly and works on what it took last. A channel counts only if goroutines that
// serve requests give to it and never take from it: channels for answers, tokens or connections look the same
// otherwise. No request is named where the worker meanwhile took a value of another request, or a value that no request
// gave.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/causes/note.h"
#include "analyze/causes/parents/descent.h"
#include "analyze/causes/parents/hand_overs.h"

namespace tailcap::causes {

class Jobs {
 public:
  static constexpr std::size_t kMaxLooked = 256;  // values taken before a call that are examined

  // descent knows the process's exchanges; all must outlive this.
  Jobs(const Process& process, const Descent& descent) : process_(process), descent_(descent) {}
  // taken: all values that goroutines of the process took, in order.
  void index(const std::vector<ChannelTransfer>& taken);

  Descent::Found of(const Note& call) const;

 private:
  // One value that a goroutine took.
  struct Item {
    ChannelTransfer taken;
    std::int64_t server = -1;  // the request of the goroutine that gave it
    bool direct = false;       // the giver works on the request or was started for it; else it took it from such a one
    bool sure = false;
  };
  struct Channel {
    bool jobs = false;     // goroutines that serve requests gave to it
    bool answers = false;  // … and took from it, or some goroutine did both
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
