#include "capture/stacks/scripts/script_frames.h"

#include <algorithm>

namespace tailcap::capture::stacks {

namespace {

using Of = MergedFrame::Of;

std::vector<MergedFrame> of_program(std::size_t count) {
  std::vector<MergedFrame> frames;
  for (std::size_t i = 0; i < count; ++i) frames.push_back({Of::program, i});
  return frames;
}

// How many frames there are with the outermost entry. Those behind it are functions in C, in which the thread, or the
// fiber, began; other frames there are none of this moment.
std::size_t entered(std::span<const std::uint64_t> script) {
  std::size_t count = script.size();
  while (count > 0 && script[count - 1] & SCRIPT_IN_C) count--;
  return count > 0 && script[count - 1] & SCRIPT_ENTRY ? count : 0;
}

// Reads the script's stack from the innermost frame on: one interpreter's frame executes a run of frames, of which the
// outermost is its entry.
class Runs {
 public:
  Runs(std::span<const std::uint64_t> script, bool cut) : script_(script), cut_(cut) {}

  bool done() const { return at_ == script_.size(); }
  void take(std::vector<MergedFrame>& frames) {
    while (!done()) {
      const std::size_t at = at_++;
      frames.push_back({Of::script, at});
      if (script_[at] & SCRIPT_ENTRY && (cut_ || at_ != entered(script_))) break;
    }
    if (done() && cut_) frames.push_back({Of::cut});
  }

 private:
  std::span<const std::uint64_t> script_;
  bool cut_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<MergedFrame> merge_script(const std::vector<bool>& interpreters, std::span<const std::uint64_t> script,
                                      bpf::script_end script_end, formats::StackEnd end) {
  const auto entries = std::count_if(script.begin(), script.end(), [](auto number) { return number & SCRIPT_ENTRY; });
  const auto calls = std::count(interpreters.begin(), interpreters.end(), true);
  const bool cut = script_end == bpf::SCRIPT_END_CUT,
             complete = end == formats::StackEnd::start && script_end != bpf::SCRIPT_END_APART;
  // The interpreter has been called, and has not made its frame yet; or it is about to return.
  const bool between = !cut && !interpreters.empty() && interpreters[0] && calls == entries + 1;
  bool fits = script_end != bpf::SCRIPT_END_NONE && !script.empty() && end != formats::StackEnd::unknown;
  if (cut)
    fits = fits && (!complete || calls >= entries);
  else
    fits = fits && entered(script) > 0 && (between || (complete ? calls == entries : calls <= entries));
  if (!fits) return of_program(interpreters.size());
  std::vector<MergedFrame> frames;
  Runs runs(script, cut);
  for (std::size_t i = 0; i < interpreters.size(); ++i) {
    if (interpreters[i] && !runs.done() && !(between && i == 0))
      runs.take(frames);
    else
      frames.push_back({Of::program, i});
  }
  if (!runs.done()) frames.push_back({Of::gap});
  while (!runs.done()) runs.take(frames);
  return frames;
}

std::vector<MergedFrame> place_script(std::size_t program_frames, std::span<const std::uint64_t> script) {
  std::vector<MergedFrame> frames = of_program(program_frames);
  for (std::size_t i = 0; i < script.size(); ++i) {
    const std::uint64_t place = script[i] & SCRIPT_PLACE;
    if (place < frames.size()) frames[place] = {Of::script, i};
  }
  return frames;
}

}  // namespace tailcap::capture::stacks
