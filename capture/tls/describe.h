// What watching a TLS library would cost, in a line; for `tailcap doctor`.
#pragma once

#include <string>
#include <vector>

#include "capture/plan.h"

namespace tailcap::capture::tls {

struct LibraryDescription {
  std::string text;     // "SSL_read 1.0 µs, SSL_write 1.0 µs, SSL_read_ex 10 µs a call"
  std::string refused;  // functions that cannot be watched and why; empty: none
};

// Empty where there are no functions of interest. functions: as they are planned in the file.
LibraryDescription describe_library(const std::vector<PlannedFunction>& functions);

}  // namespace tailcap::capture::tls
