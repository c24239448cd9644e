// The application's function in which most samples of some requests are.
#pragma once

#include <optional>
#include <vector>

#include "analyze/model/study/flame.h"

namespace tailcap::views {

// The innermost function that is in most of the stacks, with what it calls. In programs with functions of Python,
// PHP, JavaScript, Ruby or Java only those count. None: too few samples, or no function is in most of them.
std::optional<model::HotFunction> hot_function(const std::vector<model::FoldedStack>& stacks);

}  // namespace tailcap::views
