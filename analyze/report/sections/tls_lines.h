// TLS connections in words, one line per peer.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/study.h"

namespace tailcap::report {

inline constexpr std::size_t kTlsPeersShown = 20;

// "12 to 10.0.0.1:443 (shop.example), TLS 1.3: 11 handshakes done, median 2.31 ms, …". printable().
std::vector<std::string> tls_lines(const model::Study& study);

}  // namespace tailcap::report
