// The requests of a process that are under way at a time which only grows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "analyze/causes/note.h"

namespace tailcap::causes {

class Live {
 public:
  // servers: ascending by began; must outlive this.
  explicit Live(const std::vector<Note>& servers) : servers_(servers) {}

  static bool at(const Note& server, Time t) {
    return server.began <= t && (!formats::known(server.ended) || server.ended >= t);
  }
  void advance(Time to) {
    std::erase_if(now_, [&](std::uint32_t n) { return !at(servers_[n], to); });
    for (; next_ < servers_.size() && servers_[next_].began <= to; ++next_)
      if (at(servers_[next_], to)) now_.push_back(static_cast<std::uint32_t>(next_));
  }
  // Numbers in servers, ascending.
  const std::vector<std::uint32_t>& now() const { return now_; }

 private:
  const std::vector<Note>& servers_;
  std::vector<std::uint32_t> now_;
  std::size_t next_ = 0;
};

}  // namespace tailcap::causes
