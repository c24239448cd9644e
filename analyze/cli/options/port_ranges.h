// Ports as an option names them: "3306,6000-6010".
#pragma once

#include <string>
#include <vector>

#include "analyze/model/audit/network_policy.h"

namespace tailcap::cli {

// Nothing: none. Throws UsageError, which names the option.
std::vector<model::audit::PortRange> port_ranges_of(const char* option, const std::string& text);

}  // namespace tailcap::cli
