/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Records the sender of a signal that stops a process.
 */
#ifndef TAILCAP_BPF_SIGNAL_H
#define TAILCAP_BPF_SIGNAL_H

#include "bpf/target.h"
#include <bpf/bpf_tracing.h>

#define SIGNAL_STOP 19 /* SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU */
#define SIGNAL_STOP_LAST 22

#define STATE_STOPPED 4
#define STATE_TRACED 8

struct stop {
	u32 signal;
	u32 sender; /* thread; 0: the kernel */
};

/* The last stop signal per process: sent, possibly not yet delivered. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct stop);
} stops SEC(".maps");

SEC("tp_btf/signal_generate")
int BPF_PROG(stop_sent, int signal, struct kernel_siginfo *info, struct task_struct *to)
{
	struct task_struct *from = bpf_get_current_task_btf();
	struct stop stop = {.signal = signal};
	u32 process;

	if (signal < SIGNAL_STOP || signal > SIGNAL_STOP_LAST || !task_state(to))
		return 0;
	/* 0 and 1: no sender, the kernel. Above: the calling thread, unless the kernel acts on behalf of another one.
	 */
	if ((u64)info > 1 && !kernel_thread(from) && BPF_CORE_READ(info, si_code) <= 0)
		stop.sender = from->pid;
	process = to->tgid;
	bpf_map_update_elem(&stops, &process, &stop, BPF_ANY);
	return 0;
}

/* This replaces the arguments of the system call that was in progress. */
static __always_inline void note_stop(struct task_state *state, u32 process)
{
	struct stop *stop;

	if (!(state->state & STATE_STOPPED))
		return;
	stop = bpf_map_lookup_elem(&stops, &process);
	state->argument0 = stop ? stop->signal : 0;
	state->argument1 = stop ? stop->sender : 0;
}

#endif
