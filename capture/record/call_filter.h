// A seccomp filter for the recorder: the half of it that parses what others sent. See SECURITY.md for what stays.
#pragma once

namespace tailcap::capture {

// From now on, no thread of this process starts a program or a process, connects a socket, traces, mounts, changes its
// identity, loads a program into the kernel or gets executable memory: such calls fail with EPERM. Call it after
// give_up_privileges(). Signals go to this process and to `command` only (0: none). False: this kernel has no such
// filters. Throws std::system_error if it refuses.
bool filter_calls(int command);

}  // namespace tailcap::capture
