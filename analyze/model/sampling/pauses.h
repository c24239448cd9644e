// When off-CPU intervals were not recorded, because recording would have cost more than its budget.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/recorder_event.h"

namespace tailcap::model {

struct Pause {
  std::int64_t from = 0, to = 0;
};

class Pauses {
 public:
  static constexpr std::size_t kMost = 64u << 10;  // at a time; the last of more has no end

  // Notes of the recorder are of their time on.
  void push(const formats::Note& note, formats::Time time);
  bool empty() const { return pauses_.empty(); }
  // Some of [from, to) lies in a pause, of any machine.
  bool touch(std::int64_t from, std::int64_t to) const;
  // The last that ended until t; null: none.
  const Pause* last_until(std::int64_t t) const;
  void forget_before(std::int64_t t);

 private:
  std::vector<Pause> pauses_;  // disjoint, in order of time
  std::uint64_t open_ = 0;     // a bit for each machine that is in the last one, and that has not ended
};

}  // namespace tailcap::model
