// The application's function in which some requests spent most of their waits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyze/model/study/flame.h"

namespace tailcap::views {

// A wait of one of the requests: how long it took, and its stack, as RequestStacks writes it; empty: none.
struct StackedWait {
  std::int64_t time = 0;
  const std::string* stack = nullptr;  // null: it has none
};

// The innermost function of the application that is in most of the waiting time, with what it called and who called it.
// In programs with functions of Python, PHP, JavaScript, Ruby or Java only those count. None: too few waits have
// stacks, or no function is in most of their time.
std::optional<model::WaitingFunction> waiting_function(const std::vector<StackedWait>& waits);

}  // namespace tailcap::views
