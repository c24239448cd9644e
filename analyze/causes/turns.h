// What is known of threads beside their exchanges: when they waited for several descriptors at once, and when for one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "formats/event.h"

namespace tailcap::causes {

class Turns {
 public:
  explicit Turns(std::size_t limit) : limit_(limit) {}

  void push(const formats::Event& event);
  // It was seen waiting for several descriptors at once, as event loops do, or what it waited for is forgotten.
  bool multiplexes(std::uint32_t tid) const;
  // It did so in (after, until], or that is not known.
  bool waited_for_many(std::uint32_t tid, formats::Time after, formats::Time until) const;
  // Waits of it in (from, to) were lost, of which nothing is known.
  bool missed(std::uint32_t tid, formats::Time from, formats::Time to) const;
  // It was blocked in a read of one descriptor at some time in [from, to]. False also where that is forgotten: only the
  // last few are kept.
  bool blocked_reading(std::uint32_t tid, formats::Time from, formats::Time to) const;
  // Events of whatever kind and thread were lost in [from, to].
  bool lost(formats::Time from, formats::Time to) const;

 private:
  struct Blocked {
    formats::Time from = formats::kNoTime, to = formats::kNoTime;
  };
  static constexpr std::size_t kBlocked = 8;
  static constexpr std::size_t kMaxThreads = 64u << 10;
  static constexpr std::size_t kMaxLosses = 4096;
  struct Waits {
    std::vector<formats::Time> many;              // ends, ascending
    formats::Time known_since = formats::kNoTime;  // of `many`
    std::vector<Blocked> gaps;                     // waits in here were lost
    formats::Time last = formats::kNoTime;         // end of the last wait of any kind
    std::array<Blocked, kBlocked> blocked{};
    std::size_t next = 0;
    bool multiplexes = false;
  };

  std::size_t limit_;
  std::size_t kept_ = 0;
  bool overflow_ = false;  // there are threads of which nothing is kept
  std::unordered_map<std::uint32_t, Waits> threads_;
  std::vector<Blocked> losses_;
  bool losses_overflow_ = false;
};

}  // namespace tailcap::causes
