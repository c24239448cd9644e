// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Records the sender of a signal that stops a process, and who freezes a cgroup.
 */
#include "bpf/core/program.bpf.h"
#include "bpf/sched/signal.bpf.h"
#include "bpf/sched/waker.bpf.h"

#define SIGNAL_STOP 19 /* SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU */
#define SIGNAL_STOP_LAST 22

struct stops stops SEC(".maps");
struct freezes freezes SEC(".maps");
struct wakers wakers SEC(".maps");

SEC("tp_btf/signal_generate")
int BPF_PROG(stop_sent, int signal, struct kernel_siginfo *info, struct task_struct *to)
{
	struct task_struct *from = bpf_get_current_task_btf();
	struct stop stop = {.signal = signal};
	u32 process;

	if (signal < SIGNAL_STOP || signal > SIGNAL_STOP_LAST || !task_state(to))
		return 0;
	/* 0: the calling thread, as kill() sends it since Linux 7. 1: the kernel. Above: the calling thread, unless the
	 * kernel acts on behalf of another one. */
	if (!kernel_thread(from) && (!info || ((u64)info > 1 && BPF_CORE_READ(info, si_code) <= 0)))
		stop.sender = FIELD(from, pid);
	process = FIELD(to, tgid);
	bpf_map_update_elem(&stops, &process, &stop, BPF_ANY);
	return 0;
}

/* The thread writes to cgroup.freeze; of each cgroup that is frozen by that. */
SEC("tp_btf/cgroup_freeze")
int BPF_PROG(stop_frozen, struct cgroup *group, const char *path)
{
	u64 number = BPF_CORE_READ(group, kn, id);
	u32 by = FIELD(bpf_get_current_task_btf(), pid);

	bpf_map_update_elem(&freezes, &number, &by, BPF_ANY);
	note_waker(by);
	return 0;
}
