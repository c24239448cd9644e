#include "analyze/views/flame/hot_function.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace tailcap::views {

namespace {

constexpr std::uint64_t kLeastSamples = 30;  // with fewer, a share of a half may be anything from 31 to 69 %

// "render_invoice (svc.py:5)"
bool of_python(std::string_view frame) {
  const auto colon = frame.rfind(':'), from = frame.rfind(" (");
  return colon != frame.npos && from != frame.npos && from < colon && frame.ends_with(')') &&
         colon + 2 < frame.size() &&
         frame.substr(colon + 1, frame.size() - colon - 2).find_first_not_of("0123456789") == frame.npos &&
         frame.find('(', from + 2) == frame.npos;
}

bool has_name(std::string_view frame) {
  return !frame.empty() && !frame.starts_with('[') && !frame.ends_with("_[k]") && !frame.starts_with("(other");
}

// Without the process, which is the lowest frame.
std::vector<std::string_view> frames_of(std::string_view stack) {
  std::vector<std::string_view> frames;
  for (auto end = stack.find(';'); end != stack.npos;) {
    stack.remove_prefix(end + 1);
    end = stack.find(';');
    frames.push_back(stack.substr(0, end));
  }
  return frames;
}

}  // namespace

std::optional<model::HotFunction> hot_function(const std::vector<model::FoldedStack>& stacks) {
  std::uint64_t samples = 0, with_python = 0;
  std::map<std::string_view, std::uint64_t> in;  // samples, by function
  std::vector<std::vector<std::string_view>> all;
  for (const model::FoldedStack& stack : stacks) {
    samples += stack.value;
    const auto& frames = all.emplace_back(frames_of(stack.frames));
    with_python += std::ranges::any_of(frames, of_python) ? stack.value : 0;
    for (const std::string_view frame : std::set(frames.begin(), frames.end())) in[frame] += stack.value;
  }
  if (samples < kLeastSamples) return std::nullopt;
  const bool python = 2 * with_python > samples;
  const auto counts = [&](std::string_view frame) {
    return 2 * in[frame] > samples && (python ? of_python(frame) : has_name(frame));
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
