#include "analyze/model/sampling/pauses.h"

#include <algorithm>
#include <iterator>

#include "analyze/model/sampling/budget.h"
#include "analyze/model/sampling/take.h"
#include "formats/machine.h"

namespace tailcap::model {

void Pauses::push(const formats::Note& note, formats::Time time) {
  if (note.key != kWaitsNote) return;
  std::string_view value = note.value;
  const bool off = take(value, "off");
  if (!off && !take(value, "on")) return;
  formats::Machine machine = 1;
  if (take(value, kWaitsMachine) && (!take_number(value, machine) || machine == 0 || machine > formats::kMaxMachines))
    return;
  if (!value.empty()) return;
  const std::uint64_t before = open_, bit = std::uint64_t{1} << (machine - 1);
  const std::int64_t at = formats::nanoseconds(time);
  if (off && before == 0) {
    const std::int64_t from = pauses_.empty() ? at : std::max(at, pauses_.back().to);
    pauses_.push_back({from, INT64_MAX});
  }
  open_ = off ? open_ | bit : open_ & ~bit;
  if (before == 0 || open_ != 0) return;
  if (pauses_.size() < kMost)
    pauses_.back().to = std::max(at, pauses_.back().from);
  else
    open_ = before;
}

bool Pauses::touch(std::int64_t from, std::int64_t to) const {
  const auto after =
      std::upper_bound(pauses_.begin(), pauses_.end(), from, [](std::int64_t t, const Pause& p) { return t < p.to; });
  return after != pauses_.end() && after->from < to;
}

const Pause* Pauses::last_until(std::int64_t t) const {
  const auto after = std::upper_bound(pauses_.begin(), pauses_.end(), t,
                                      [](std::int64_t time, const Pause& p) { return time < p.to; });
  return after == pauses_.begin() ? nullptr : &*std::prev(after);
}

// The last one that has ended is kept.
void Pauses::forget_before(std::int64_t t) {
  const auto kept = std::find_if(pauses_.begin(), pauses_.end(), [&](const Pause& p) { return p.to >= t; });
  if (kept - pauses_.begin() > 1) pauses_.erase(pauses_.begin(), std::prev(kept));
}

}  // namespace tailcap::model
