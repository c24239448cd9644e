// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Delays of a thread inside the kernel that tracepoints report: reclaim, locks of the kernel, FUSE, write-back.
 */
#include "bpf/core/program.bpf.h"
#include "bpf/sched/stall.bpf.h"

#define LOCK_SPIN 1
#define LOCK_MUTEX 32

static __always_inline int reclaim_begins(void)
{
	struct task_state *state = task_state(bpf_get_current_task_btf());

	if (state)
		state->stall.reclaim_began = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int reclaim_ends(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = task_state(task);

	if (!state || !state->stall.reclaim_began)
		return 0;
	emit_stall(task, STALL_RECLAIM, state->stall.reclaim_began, bpf_ktime_get_ns(), 0, 0);
	state->stall.reclaim_began = 0;
	return 0;
}

SEC("tp_btf/mm_vmscan_direct_reclaim_begin")
int BPF_PROG(stall_reclaim_begin)
{
	return reclaim_begins();
}

SEC("tp_btf/mm_vmscan_direct_reclaim_end")
int BPF_PROG(stall_reclaim_end)
{
	return reclaim_ends();
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_begin")
int BPF_PROG(stall_memcg_begin)
{
	return reclaim_begins();
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_end")
int BPF_PROG(stall_memcg_end)
{
	return reclaim_ends();
}

SEC("tp_btf/mm_compaction_begin")
int BPF_PROG(stall_compaction_begin)
{
	struct task_state *state = task_state(bpf_get_current_task_btf());

	if (state)
		state->stall.compaction_began = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/mm_compaction_end")
int BPF_PROG(stall_compaction_end, struct compact_control *control)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = task_state(task);

	if (!state || !state->stall.compaction_began)
		return 0;
	emit_stall(task, STALL_COMPACTION, state->stall.compaction_began, bpf_ktime_get_ns(),
		   IS_OLDER ? 0 : control->order, 0); /* there it has other arguments */
	state->stall.compaction_began = 0;
	return 0;
}

SEC("tp_btf/contention_begin")
int BPF_PROG(stall_lock_begin, void *lock, unsigned int flags)
{
	struct task_state *state;

	if (flags & LOCK_SPIN && !(flags & LOCK_MUTEX)) /* never sleeps; a mutex may spin before it does */
		return 0;
	state = task_state(bpf_get_current_task_btf());
	/* a mutex begins twice: to spin, and to sleep */
	if (!state || (state->stall.lock_began && state->stall.lock == (u64)lock))
		return 0;
	state->stall.lock_began = bpf_ktime_get_ns();
	state->stall.lock = (u64)lock;
	state->stall.lock_flags = flags;
	return 0;
}

SEC("tp_btf/contention_end")
int BPF_PROG(stall_lock_end, void *lock)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = task_state(task);

	if (!state || !state->stall.lock_began || state->stall.lock != (u64)lock)
		return 0;
	emit_stall(task, STALL_KERNEL_LOCK, state->stall.lock_began, bpf_ktime_get_ns(), state->stall.lock,
		   state->stall.lock_flags);
	state->stall.lock_began = 0;
	return 0;
}

/* Announces the reason for the next sleep; sched.bpf.c follows it. */
static __always_inline int announce(u32 what)
{
	struct task_state *state = task_state(bpf_get_current_task_btf());

	if (!state)
		return 0;
	state->stall.pending = what;
	state->stall.pending_since = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/balance_dirty_pages")
int BPF_PROG(stall_writeback)
{
	return announce(STALL_WRITEBACK);
}

/* A fault in a mapping of a file; if the page is present, nothing sleeps. */
SEC("tp_btf/mm_filemap_fault")
int BPF_PROG(stall_fault)
{
	return announce(STALL_MAJOR_FAULT);
}

SEC("tp_btf/fuse_request_send")
int BPF_PROG(stall_fuse)
{
	return announce(STALL_FUSE);
}
