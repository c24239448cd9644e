// Options of all commands: what reading may take (formats/bounds/read_limits.h), and the names of trace fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "formats/time.h"

namespace tailcap::cli {

// Sets what was given; an empty text and no time were not. From then on the process is held to it. Throws UsageError.
void set_read_options(const char* command, const std::string& max_memory, formats::Duration max_cpu,
                      std::optional<std::uint64_t> max_requests, const std::string& trace_keys);

// Bytes: "24MB" (powers of 1000), "24MiB" (of 1024). Throws UsageError, which names the option.
std::uint64_t byte_count_of(const char* option, const std::string& text);

// TAILCAP_THREADS, or 0. For tests of sameness: results never depend on it.
unsigned threads_from_environment();

// Says which captures were not read to their end, and why. Returns the exit code of a command that ended with `code`.
int report_stops(const char* command, int code);

}  // namespace tailcap::cli
