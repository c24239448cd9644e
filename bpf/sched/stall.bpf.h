/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The record of a delay of a thread inside the kernel: one per stretch, from begin to end, running or not.
 */
#ifndef TAILCAP_BPF_SCHED_STALL_H
#define TAILCAP_BPF_SCHED_STALL_H

#include "bpf/core/target.bpf.h"

/* Shorter stalls explain nothing, and there are many. */
#define STALL_MIN 10000

static __always_inline void emit_stall(struct task_struct *task, u32 what, u64 began, u64 now, u64 where, u32 detail)
{
	struct record_stall *record;

	if (!began || now - began < STALL_MIN)
		return;
	record = reserve(sizeof(*record), RECORD_STALL, NULL);
	if (!record)
		return;
	fill_head(&record->h, task, RECORD_STALL, now);
	record->began = began;
	record->where = where;
	record->detail = detail;
	record->what = what;
	bpf_ringbuf_submit(record, wake_flag(now));
}

#endif
