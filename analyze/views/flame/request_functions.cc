#include "analyze/views/flame/request_functions.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>

#include "analyze/views/flame/frames.h"

namespace tailcap::views {
namespace {

struct InnermostFrames {
  std::string_view function, called, caller;  // empty: not known, or none
};

InnermostFrames innermost(const std::vector<std::string_view>& frames) {
  const bool script = std::ranges::any_of(frames, of_script);
  const auto counts = [&](std::string_view frame) { return of_application(frame, script); };
  InnermostFrames out;
  const auto at = std::find_if(frames.rbegin(), frames.rend(), counts);
  if (at == frames.rend()) {
    const auto last = std::find_if(frames.rbegin(), frames.rend(), has_name);
    if (last != frames.rend()) out.called = *last;
    return out;
  }
  out.function = *at;
  // What it called: the frame below, of the library; the interpreter's own frames say nothing.
  for (auto inner = at.base(); inner != frames.end(); ++inner)
    if (has_name(*inner) && (!script || of_script(*inner) || inner + 1 == frames.end())) {
      out.called = *inner;
      break;
    }
  const auto outer =
      std::find_if(at + 1, frames.rend(), [&](std::string_view f) { return f != out.function && counts(f); });
  if (outer != frames.rend()) out.caller = *outer;
  return out;
}

}  // namespace

std::vector<model::RequestFunction> functions_of(const std::vector<OwnedStack>& stacks) {
  std::map<std::tuple<bool, std::string_view, std::string_view, std::string_view>, model::RequestFunction> sums;
  for (const OwnedStack& each : stacks) {
    const InnermostFrames found = each.stack ? innermost(frames_of(*each.stack)) : InnermostFrames{};
    model::RequestFunction& sum = sums[{each.waited, found.function, found.called, found.caller}];
    sum.waited = each.waited;
    sum.function = found.function;
    sum.called = found.called;
    sum.caller = found.caller;
    sum.stacked = sum.stacked || each.stack;
    ++sum.count;
    sum.value += each.value;
  }
  std::vector<model::RequestFunction> out;
  for (auto& [key, sum] : sums) out.push_back(std::move(sum));
  std::ranges::stable_sort(out, {}, [](const model::RequestFunction& f) {
    return std::tuple(f.waited, ~f.value);  // the most first
  });
  return out;
}

}  // namespace tailcap::views
