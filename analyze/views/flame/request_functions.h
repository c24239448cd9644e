// The functions in which one request was on a CPU, and in which it waited.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/study/flame.h"

namespace tailcap::views {

// Samples, or a wait of kLongWait and more, with their stack, as RequestStacks writes it.
struct OwnedStack {
  bool waited = false;
  std::uint64_t value = 0;             // samples; ns
  const std::string* stack = nullptr;  // null: it has none
};

// By the innermost function of the application and what it called: those on a CPU first, each with the most first.
std::vector<model::RequestFunction> functions_of(const std::vector<OwnedStack>& stacks);

}  // namespace tailcap::views
