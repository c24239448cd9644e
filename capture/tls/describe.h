// Describes in one line what probes in a TLS library would cost; for `tailcap doctor`.
#pragma once

#include <string>
#include <vector>

#include "capture/symbols/plan.h"

namespace tailcap::capture::tls {

struct LibraryDescription {
  std::string text;     // "SSL_read 1.0 µs, SSL_write 1.0 µs, SSL_read_ex 10 µs a call"
  std::string refused;  // functions that cannot be probed and why; empty: none
};

// Empty if there are no functions of interest. functions: as planned for the file.
LibraryDescription describe_library(const std::vector<PlannedFunction>& functions);

}  // namespace tailcap::capture::tls
