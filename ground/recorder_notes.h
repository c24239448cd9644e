// Keys of notes that the recorder writes for the analyser.
#pragma once

#include <string_view>

namespace tailcap::ground {

// From its time on nothing is complete: the recorder removes its kernel programs, which takes a tenth of a second and
// more.
inline constexpr std::string_view kStopsNote = "tailcap.stops";

// Of a process: "7f001234 cart_mutex", a lock at which its threads waited.
inline constexpr std::string_view kLockNote = "tailcap.lock";

// Of a process: "41943040 41939000 812 77:20480000,78:1024 /shop", the memory limit of a cgroup that it is in: bytes,
// how many are used, how often the limit was reached so far, the processes with most memory of their own, and the path.
inline constexpr std::string_view kMemoryNote = "tailcap.memory";

// Of a thread: "4711", a process that had a lock on a file, which this thread was refused or waits for.
inline constexpr std::string_view kFileLockNote = "tailcap.file_lock";

// In the preamble: "997", samples a second of each CPU, where there are any.
inline constexpr std::string_view kSampleRateNote = "tailcap.sampling.samples";

}  // namespace tailcap::ground
