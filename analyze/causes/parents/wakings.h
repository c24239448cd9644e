// Which thread woke another one that waited on a futex, or started it: the threads of a pool wait so for work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "formats/event.h"

namespace tailcap::causes {

struct Waking {
  formats::Time at = formats::kNoTime;
  std::uint32_t by = 0;  // 0: not known
};

class Wakings {
 public:
  static constexpr std::size_t kMaxThreads = 4096;
  static constexpr std::size_t kMaxKept = 256;  // of a thread; the oldest are forgotten

  void push(const formats::Event& event);
  // The last ones of the thread until then by another thread, latest first: at most two.
  std::vector<Waking> last(std::uint32_t tid, formats::Time until) const;

 private:
  std::unordered_map<std::uint32_t, std::deque<Waking>> threads_;
};

}  // namespace tailcap::causes
