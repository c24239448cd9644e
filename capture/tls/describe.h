// What watching a TLS library would cost, in a line; for `tailcap doctor`.
#pragma once

#include <string>

namespace tailcap::capture::tls {

struct LibraryDescription {
  std::string text;     // "SSL_read 1.0 µs, SSL_write 1.0 µs, SSL_read_ex 10 µs a call"
  std::string refused;  // functions that cannot be watched and why; empty: none
};

// Empty where the file has no functions of interest. Never throws: what is wrong with the file is in refused.
LibraryDescription describe_library(const std::string& path);

}  // namespace tailcap::capture::tls
