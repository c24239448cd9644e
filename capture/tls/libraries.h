// Finds the TLS libraries of this system.
#pragma once

#include <string>
#include <vector>

namespace tailcap::capture::tls {

// Paths of TLS libraries where the dynamic linker usually looks.
std::vector<std::string> system_libraries();

}  // namespace tailcap::capture::tls
