// The connections and sessions under way, with what a gate notes of each. Bounded: beyond `most` the least recently
// used one is forgotten. If it is used again, it is in doubt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <unordered_map>

#include "formats/socket_event.h"

namespace tailcap::formats::mask {

template <class Entry>
class ConnectionTable {
 public:
  static constexpr std::size_t kMost = 1u << 16;

  explicit ConnectionTable(std::size_t most) : most_(most) {}

  Entry& of(std::uint64_t id) {
    const auto [found, is_new] = entries_.try_emplace(id);
    Used& used = found->second;
    if (!is_new) {
      if (used.place != order_.begin()) order_.splice(order_.begin(), order_, used.place);
      return used.entry;
    }
    order_.push_front(id);
    used.place = order_.begin();
    if (entries_.size() > most_) {
      forget(order_.back());
      forgot_ = true;
    }
    return used.entry;
  }
  // If it is known; its use does not count.
  Entry* find(std::uint64_t id) {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second.entry;
  }
  // It ended. Calls in flight when a connection is reset or a session freed are recorded after that, and continue where
  // others stopped.
  void forget_later(std::uint64_t id) {
    closed_.push_back(id);
    if (closed_.size() <= kClosedKept) return;
    forget(closed_.front());
    closed_.pop_front();
  }
  // It changed its state. Recorded again after it was left out, it is one that was open before.
  void changed(std::uint64_t id, TcpState to) {
    if (to == TcpState::close) forget_later(id);
    if (to == TcpState::left_out) forget(id);
    if (to != TcpState::syn_sent || !find(id)) return;
    // The socket connects again: that is another connection.
    std::erase(closed_, id);
    forget(id);
  }
  // Nothing that continues it is to come.
  void forget(std::uint64_t id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    order_.erase(found->second.place);
    entries_.erase(found);
  }
  // One was forgotten that had not ended.
  bool forgot() const { return forgot_; }

 private:
  static constexpr std::size_t kClosedKept = 1024;  // far more than threads that are in such a call

  struct Used {
    Entry entry;
    std::list<std::uint64_t>::iterator place;
  };

  std::size_t most_;
  bool forgot_ = false;
  std::unordered_map<std::uint64_t, Used> entries_;
  std::list<std::uint64_t> order_;    // most recently used first
  std::deque<std::uint64_t> closed_;  // oldest first
};

}  // namespace tailcap::formats::mask
