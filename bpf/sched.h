/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Time off the CPU: one record per interval, folded in the task's storage from when it left to when it is back.
 */
#ifndef TAILCAP_BPF_SCHED_H
#define TAILCAP_BPF_SCHED_H

#include "bpf/target.h"
#include <bpf/bpf_tracing.h>

#define NR_futex 202

/* What ps shows; above are modifiers (killable, freezable, no load), which differ from kernel to kernel. */
#define STATE_REPORTED 0x7f
#define PREEMPTED 256

/* The waker is named only where it is certain. Waking happens in interrupts as well, and then the running thread has
 * nothing to do with it; not every kernel shows whether this is one. A thread inside futex() on the very address
 * that the woken one waits for is the waker. */
static __always_inline u32 certain_waker(const struct task_state *state)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs;

	if (state->syscall != NR_futex || kernel_thread(task))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	return regs->orig_ax == NR_futex && regs->di == state->argument0 ? task->pid : 0;
}

static __always_inline void leave(struct task_state *state, struct task_struct *task, u32 task_bits, u64 now)
{
	struct pt_regs *regs;
	u64 nr;

	state->left = now;
	state->waker = 0;
	state->state = task_bits;
	/* still runnable: preempted, so it queues for a CPU from now on */
	state->runnable = task_bits == 0 || task_bits == PREEMPTED ? now : 0;
	state->syscall = -1;
	state->argument0 = 0;
	state->argument1 = 0;
	if (task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER))
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	nr = regs->orig_ax;
	if (nr >= 1024) /* interrupted in user mode */
		return;
	state->syscall = nr;
	state->argument0 = regs->di;
	state->argument1 = regs->si;
}

static __always_inline void back(struct task_state *state, struct task_struct *task, u64 now)
{
	struct record_off_cpu *record = reserve(sizeof(*record), RECORD_OFF_CPU, &state->missed);

	if (record) {
		record->h.time = now;
		record->h.pid = task->tgid;
		record->h.tid = task->pid;
		record->h.kind = RECORD_OFF_CPU;
		record->h.missed = take_missed(&state->missed);
		record->h.length = 0;
		record->left = state->left;
		record->runnable = state->runnable;
		record->argument0 = state->argument0;
		record->argument1 = state->argument1;
		record->waker = state->waker;
		record->state = state->state;
		record->syscall = state->syscall;
		record->unused[0] = record->unused[1] = record->unused[2] = 0;
		bpf_ringbuf_submit(record, wake_flag(record->h.time));
	}
	state->left = 0;
}

SEC("tp_btf/sched_switch")
int switch_task(u64 *ctx)
{
	struct task_struct *prev = (struct task_struct *)ctx[1];
	struct task_struct *next = (struct task_struct *)ctx[2];
	struct task_state *state;
	u64 now = 0;

	if (prev->pid) {
		state = task_state(prev);
		if (state) {
			u32 bits;

			if (ctx[0]) /* preempted, whatever it was about to do */
				bits = PREEMPTED;
			else if (switch_tells_state)
				bits = ctx[3] & STATE_REPORTED;
			else if (bpf_core_field_exists(prev->__state))
				bits = prev->__state & STATE_REPORTED;
			else
				bits = BPF_CORE_READ((struct task_struct___state *)prev, state) & STATE_REPORTED;
			now = bpf_ktime_get_ns();
			leave(state, prev, bits, now);
		}
	}
	if (next->pid) {
		state = task_state(next);
		if (state && state->left)
			back(state, next, now ? now : bpf_ktime_get_ns());
	}
	return 0;
}

/* Not sched_wakeup: that one may run on the woken thread's CPU, late and beside anybody. */
SEC("tp_btf/sched_waking")
int BPF_PROG(wake_up, struct task_struct *task)
{
	struct task_state *state = task_state(task);

	if (!state || !state->left || state->runnable)
		return 0;
	state->runnable = bpf_ktime_get_ns();
	state->waker = certain_waker(state);
	return 0;
}

#endif
