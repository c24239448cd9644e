/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The I/O that ends an uninterruptible sleep: a thread waited for the I/O whose completion wakes it.
 */
#ifndef TAILCAP_BPF_SCHED_BLOCK_H
#define TAILCAP_BPF_SCHED_BLOCK_H

#include "bpf/sched/stall.bpf.h"

#define UNINTERRUPTIBLE 2

/* The longest time between a completion and the wake-ups that it causes. */
#define COMPLETING 100000

struct queued_io {
	u64 since;
	u32 device; /* in the kernel's format: 20 bits of minor */
	u32 bytes;
	u8 held; /* it was throttled until then */
	u8 unused[7];
};

/* The last I/O that this CPU completed. */
struct completion {
	struct queued_io io;
	u64 time;    /* 0: an I/O that was not remembered */
	u64 current; /* the task that was running */
};

struct completions {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct completion);
};

extern struct completions completions SEC(".maps");

/* A thread is woken: if the completion of an I/O wakes it, it waited for that I/O. A thread that waits for a lock is
 * woken by the lock holder, and an I/O may have completed just before while the holder was running. */
static __always_inline void ended_by_io(struct task_state *state, struct task_struct *task, u64 now)
{
	struct completion *last;
	u32 zero = 0;
	u64 since;

	if (!(state->off_cpu.state & UNINTERRUPTIBLE) || state->stall.lock_began)
		return;
	last = bpf_map_lookup_elem(&completions, &zero);
	if (!last || !last->time || now - last->time > COMPLETING || last->current != bpf_get_current_task())
		return;
	since = last->io.since;
	if (since < state->off_cpu.left)
		since = state->off_cpu.left;
	else if (last->io.held)
		emit_stall(task, STALL_IO_THROTTLED, state->off_cpu.left, since, last->io.device, last->io.bytes);
	emit_stall(task, STALL_BLOCK_IO, since, now, last->io.device, last->io.bytes);
}

#endif
