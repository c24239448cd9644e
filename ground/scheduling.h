// How the kernel shares CPUs among this program's threads and others.
#pragma once

#include <sys/types.h>

#include <vector>

namespace tailcap::ground {

// The calling thread, and threads that it makes from now on, have the same share of a CPU as before, and let others go
// first: they preempt no thread, and one that wakes up preempts them. The latter from Linux 6.12 on, and not at once
// where that thread has had its share. False: the kernel does not allow it.
bool become_batch_task();

// An idle task runs only where no other thread wants the CPU, and one that wakes up preempts it at once. True: the
// thread is one now, or a batch task again. Threads that it makes are what it is. Only with CAP_SYS_NICE can a thread
// become a batch task again.
bool set_idle(pid_t thread, bool idle);
// The threads of this process, ascending. Empty: /proc is not readable, and errno says why.
std::vector<pid_t> own_threads();

}  // namespace tailcap::ground
