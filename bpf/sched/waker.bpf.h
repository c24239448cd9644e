/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Threads that did something to a target, with their processes.
 */
#ifndef TAILCAP_BPF_SCHED_WAKER_H
#define TAILCAP_BPF_SCHED_WAKER_H

#include "bpf/core/target.bpf.h"

#define WAKERS_MAX 1024

struct wakers {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WAKERS_MAX);
	__type(key, u32);
	__type(value, struct waker);
};

extern struct wakers wakers SEC(".maps");

/* Notes the running thread, unless it is a target: user space would not know whose it was. */
static __always_inline void note_waker(u32 waker)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct waker *known, whose = {};

	if (!waker || waker != (u32)FIELD(task, pid) || task_state(task))
		return;
	known = bpf_map_lookup_elem(&wakers, &waker);
	if (known && known->process == (u32)FIELD(task, tgid))
		return;
	whose.process = FIELD(task, tgid);
	bpf_probe_read_kernel(whose.comm, COMM_SIZE, POINTER_IN(struct task_struct, task, group_leader)->comm);
	bpf_map_update_elem(&wakers, &waker, &whose, BPF_ANY);
}

#endif
