#include "analyze/views/flame/request_samples.h"

#include <algorithm>
#include <stdexcept>

#include "analyze/views/flame/stacks.h"

namespace tailcap::views {

model::RequestSamples sum_of(const std::vector<model::FoldedStack>& stacks) {
  model::RequestSamples out;
  std::map<std::string, std::uint64_t> tops, all;
  for (const auto& stack : stacks) {
    // The process is the lowest frame.
    const auto process = stack.frames.find(';');
    const std::string frames = process == stack.frames.npos ? stack.frames : stack.frames.substr(process + 1);
    out.count += stack.value;
    tops[frames.substr(frames.rfind(';') + 1)] += stack.value;  // npos + 1 is 0
    all[frames] += stack.value;
  }
  const auto most = [](const std::map<std::string, std::uint64_t>& counts, std::string& what, std::uint64_t& count) {
    for (const auto& [name, n] : counts)
      if (n > count) {
        what = name;
        count = n;
      }
  };
  most(tops, out.top, out.of_top);
  most(all, out.stack, out.of_stack);
  return out;
}

std::map<model::ExchangeId, model::RequestSamples> request_samples(const std::string& path,
                                                                   std::vector<model::ExchangeId> requests,
                                                                   formats::SampleKind kind) {
  std::map<model::ExchangeId, model::RequestSamples> out;
  if (requests.empty()) return out;
  FlameChoice choice;
  choice.ids = std::move(requests);
  std::sort(choice.ids.begin(), choice.ids.end());
  choice.by_request = true;
  choice.samples = kind;
  FlameResult result;
  try {
    result = flame_of(path, choice);
  } catch (const std::runtime_error&) {
    return out;  // none of them was served here, or there are no samples
  }
  for (const auto& [id, own] : result.by_request) out.emplace(id, sum_of(own));
  return out;
}

}  // namespace tailcap::views
