// The limits that a command line gives: a file, and limits of every route.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyze/cli/options/definitions.h"
#include "analyze/model/gate/slo.h"

namespace tailcap::cli {

inline constexpr Definition kAtMost{"at-most", 0, "LIMITS",
                                    "limits of every route, like 'p99: 200ms, errors: 0.5%', as in a file of --slo "
                                    "(repeatable)",
                                    0};

// file: "": none. Nothing: the file is wrong, and that was said. Throws UsageError for the others.
std::optional<std::vector<model::gate::Slo>> limits_of(const char* command, const std::string& file,
                                                       const std::vector<std::string>& at_most);

}  // namespace tailcap::cli
