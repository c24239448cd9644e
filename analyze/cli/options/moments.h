// Times of a capture as people have them.
#pragma once

#include <string>
#include <utility>

namespace tailcap::cli {

// "-10s", before the end of the recording, and "12:34:56", UTC on its day, as what --from and --to always take: a time
// since the start ("14.5s") or one with its date. Other texts are returned as they are. Reads no events. Throws
// UsageError.
std::string placed(const std::string& text, const std::string& file);

// The second before and the second after a request ("12.3", "slowest", "@1") or a moment, as --from and --to. Throws
// UsageError, or std::runtime_error where there is no such request.
std::pair<std::string, std::string> around(const std::string& text, const std::string& file);

}  // namespace tailcap::cli
