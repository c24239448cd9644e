// Keys of notes that the recorder writes for the analyser.
#pragma once

#include <string_view>

namespace tailcap::ground {

// From its time on nothing is complete: the recorder removes its kernel programs, which takes a tenth of a second and
// more.
inline constexpr std::string_view kStopsNote = "tailcap.stops";

// A lock at which threads of a process waited: "7f001234 cart_mutex".
inline constexpr std::string_view kLockNote = "tailcap.lock";

// The memory limit of a cgroup that a process is in: "41943040 41939000 812 77:20480000,78:1024 /shop", bytes,
// how many are used, how often the limit was reached so far, the processes with most memory of their own, and the path.
inline constexpr std::string_view kMemoryNote = "tailcap.memory";

// A process that had a lock on a file, which this thread was refused or waits for: "4711".
inline constexpr std::string_view kFileLockNote = "tailcap.file_lock";

// A cgroup of the unified hierarchy that was frozen while this process was in it: "/shop".
inline constexpr std::string_view kFrozenNote = "tailcap.frozen";

// "1": use of disks is recorded at all moments, not only around waits of recorded threads.
inline constexpr std::string_view kDiskUseNote = "tailcap.disk_use";

// In the preamble: "997", samples a second of each CPU, where there are any.
inline constexpr std::string_view kSampleRateNote = "tailcap.sampling.samples";

}  // namespace tailcap::ground
