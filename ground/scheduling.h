// How the kernel shares CPUs among this program's threads and others.
#pragma once

namespace tailcap::ground {

// The calling thread, and threads that it makes from now on, have the same share of a CPU as before, and let others go
// first: they preempt no thread, and one that wakes up preempts them. The latter from Linux 6.12 on. False: the
// kernel does not allow it.
bool become_batch_task();

}  // namespace tailcap::ground
