// Whether this kernel gives user shadow stacks to any process at all: the flag user_shstk in /proc/cpuinfo.
#pragma once

namespace tailcap::capture::symbols {

// Reads the file at the first call and remembers the answer. A process that will not be allowed to open files calls it
// before. Where the file cannot be read: true.
bool kernel_has_shadow_stacks();

}  // namespace tailcap::capture::symbols
