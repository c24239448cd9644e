#include "analyze/views/flame/hot_function.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "analyze/views/flame/frames.h"

namespace tailcap::views {

namespace {

constexpr std::uint64_t kLeastSamples = 30;  // with fewer, a share of a half may be anything from 31 to 69 %

}  // namespace

std::optional<model::HotFunction> hot_function(const std::vector<model::FoldedStack>& stacks) {
  std::uint64_t samples = 0, with_scripts = 0;
  std::map<std::string_view, std::uint64_t> in;  // samples, by function
  std::vector<std::vector<std::string_view>> all;
  for (const model::FoldedStack& stack : stacks) {
    samples += stack.value;
    const auto& frames = all.emplace_back(frames_of(stack.frames));
    with_scripts += std::ranges::any_of(frames, of_script) ? stack.value : 0;
    for (const std::string_view frame : std::set(frames.begin(), frames.end())) in[frame] += stack.value;
  }
  if (samples < kLeastSamples) return std::nullopt;
  const bool script = 2 * with_scripts > samples;
  const auto counts = [&](std::string_view frame) {
    return 2 * in[frame] > samples && (script ? of_script(frame) : has_name(frame) && !inlined_library(frame));
  };
  std::map<std::string_view, std::uint64_t> innermost;  // of those in most stacks
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto at = std::find_if(all[i].rbegin(), all[i].rend(), counts);
    if (at != all[i].rend()) innermost[*at] += stacks[i].value;
  }
  const auto best = std::ranges::max_element(innermost, {}, [](const auto& each) { return each.second; });
  if (best == innermost.end()) return std::nullopt;
  return model::HotFunction{std::string(best->first), samples, in[best->first]};
}

}  // namespace tailcap::views
