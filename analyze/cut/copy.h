// Copies a part of a capture.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tailcap::cut {

struct KeptWindow {
  formats::Time from, to;
};

struct KeptPart {
  std::vector<KeptWindow> windows;  // ascending, apart from each other
  // Sockets and sessions whose events are kept from the first one until then.
  std::unordered_map<std::uint64_t, formats::Time> connections;
  bool all_sessions = false;     // likewise, until the last window ends
  bool all_connections = false;  // likewise
  bool all_others = false;       // events of threads and goroutines outside the windows, too, until the last ends
};

using Notes = std::vector<std::pair<std::string, std::string>>;

struct Written {
  std::uint64_t events = 0, file_bytes = 0;
};

// `notes` are added to those of the preamble. Throws for files that cannot be read or written.
Written copy(const std::string& in, const std::string& out, const KeptPart& part, const Notes& notes, bool force);

}  // namespace tailcap::cut
