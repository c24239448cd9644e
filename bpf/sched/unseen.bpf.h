/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Switches and wake-ups for which the kernel ran no program, as far as the scheduler's account of the thread tells
 * them.
 */
#ifndef TAILCAP_BPF_SCHED_UNSEEN_H
#define TAILCAP_BPF_SCHED_UNSEEN_H

#include "bpf/core/task_state.bpf.h"
#include "bpf/sched/machine.bpf.h"

/* The longest time, in ns, from the wake-up of a thread that is being switched out to the switch-out's tracepoint. */
#define SWITCHING_OUT 200000

/* A guest's kernel may run no program, and tell its own tracers little, while a thread of its provider's agent runs:
 * not at the switch from it, nor at wake-ups and completions of I/O by interrupts meanwhile (6.18; one off-CPU interval
 * in some thousands). The scheduler's account of the thread that comes next still says when it came back. 0: it does
 * not.
 */
static __always_inline u64 came_back_unseen(const struct off_cpu_state *off, struct task_struct *task, u64 now)
{
	struct rq *queue = queue_of(task);
	u64 back;

	if (!queue || !bpf_core_field_exists(queue->clock) || !bpf_core_field_exists(struct sched_info, last_arrival))
		return 0;
	back = now - FIELD(queue, clock) + MEMBER(struct task_struct___scheduled, task, sched_info.last_arrival);
	if (off->runnable && back < off->runnable && off->runnable - back < SWITCHING_OUT)
		back = off->runnable; /* the two clocks differ by less than a switch takes */
	return back > off->left && back >= off->runnable && back <= now ? back : 0;
}

static __always_inline u64 run_delay(struct task_struct *task)
{
	return bpf_core_field_exists(struct sched_info, run_delay)
		       ? MEMBER(struct task_struct___scheduled, task, sched_info.run_delay)
		       : 0;
}

/* Nor does the kernel run one at the wake-up before such a switch. The same account says how long the thread was in
 * queues since it left, and so when it was woken. back: when it came back, or comes back now. */
static __always_inline void woken_unseen(struct off_cpu_state *off, struct task_struct *task, struct rq *queue,
					 u64 back)
{
	u64 queued, delay;

	if (off->runnable || off->woken_early || !queue || !bpf_core_field_exists(queue->clock) ||
	    !bpf_core_field_exists(struct sched_info, run_delay) ||
	    !bpf_core_field_exists(struct sched_info, last_queued))
		return;
	delay = run_delay(task) - off->delay;
	queued = MEMBER(struct task_struct___scheduled, task, sched_info.last_queued);
	if (queued && queued < FIELD(queue, clock))
		delay += FIELD(queue, clock) - queued;
	if (delay < back - off->left)
		off->runnable = back - delay;
}

#endif
