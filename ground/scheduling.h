// How the kernel shares CPUs among this program's threads and others.
#pragma once

#include <sys/types.h>

#include <vector>

namespace tailcap::ground {

// The calling thread, and threads that it makes from now on, have the same share of a CPU as before, and let others go
// first: they preempt no thread, and one that wakes up preempts them. The latter from Linux 6.12 on, and not at once
// where that thread has had its share. False: the kernel does not allow it.
bool become_batch_task();

// idle: the thread runs only where no other thread wants the CPU, and one that wakes up preempts it at once. batch: as
// become_batch_task() says. first: a batch task with ten times the share of a CPU, which has its turn before others.
enum class Share { idle, batch, first };

// nice: of the thread as a batch task. True: the thread is that now; only a batch task or an idle task becomes one.
// Threads that it makes are what it is. Only with CAP_SYS_NICE can an idle task become a batch task, and a batch task
// the first.
bool set_share(pid_t thread, Share share, int nice);
// The calling thread's nice value; 0: the kernel does not say it.
int own_nice();
// The threads of this process, ascending. Empty: /proc is not readable, and errno says why.
std::vector<pid_t> own_threads();

}  // namespace tailcap::ground
