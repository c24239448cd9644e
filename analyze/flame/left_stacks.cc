#include "analyze/flame/left_stacks.h"

#include "formats/event.h"

namespace tailcap::flame {

using namespace formats;

namespace {
// Beyond these the waits have no stacks, as those that the recorder left out.
constexpr std::size_t kMaxWaits = 1u << 22, kMaxLeftStacks = 1u << 18;
}  // namespace

void LeftStacks::push(const Event& event) {
  const auto* sample = std::get_if<Sample>(&event.body);
  if (!sample || sample->kind != SampleKind::off_cpu) return;
  if (waits_.size() >= kMaxWaits) {
    ++left_out_;
    return;
  }
  const Texts texts{std::string(sample->user), std::string(sample->kernel), std::string(sample->lines)};
  auto known = known_.find(texts);
  if (known == known_.end()) {
    if (stacks_.size() >= kMaxLeftStacks) {
      ++left_out_;
      return;
    }
    known = known_.emplace(texts, static_cast<std::uint32_t>(stacks_.size())).first;
    stacks_.push_back(&known->first);
  }
  waits_[{event.thread.tid, nanoseconds(event.time)}] = known->second;
}

std::optional<Sample> LeftStacks::of(std::uint32_t tid, Time left) const {
  const auto wait = waits_.find({tid, nanoseconds(left)});
  if (wait == waits_.end()) return std::nullopt;
  const Texts& texts = *stacks_[wait->second];
  Sample sample;
  sample.user = texts[0];
  sample.kernel = texts[1];
  sample.lines = texts[2];
  sample.kind = SampleKind::off_cpu;
  return sample;
}

}  // namespace tailcap::flame
