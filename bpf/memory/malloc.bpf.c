// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Calls of malloc and its kind, counted by process and size. Only recorded processes have such probes.
 */
#include "bpf/core/target.bpf.h"
#include "bpf/core/thread_stack.bpf.h"
#include "bpf/core/user.bpf.h"
#include "bpf/memory/allocated.bpf.h"

#define MALLOC_ALIGNMENT 16 /* of what malloc returns, in glibc on 64-bit machines */

struct allocated_by_process malloc_allocated SEC(".maps");
struct nothing_allocated malloc_nothing_allocated SEC(".maps");

SEC("uprobe")
int malloc_call(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 cookie = bpf_get_attach_cookie(ctx), first, second, size;
	struct allocated *allocated;
	u32 tgid = task->tgid;
	bool relayed = false; /* glibc calls malloc for it, which counts */

	KEEP_THREAD_STACK(ctx, after_probe);
	first = REGISTER(ctx, C_0);
	second = REGISTER(ctx, C_1);
	size = second;
	switch (MALLOC_COOKIE_ACT(cookie)) {
	case MALLOC_SIZE:
		size = first;
		break;
	case MALLOC_PRODUCT:
		size = first * second;
		break;
	case MALLOC_ALIGNED:
		relayed = first <= MALLOC_ALIGNMENT;
		break;
	case MALLOC_ALIGNED_TO:
		relayed = second <= MALLOC_ALIGNMENT;
		size = REGISTER(ctx, C_2);
		break;
	case MALLOC_MOVES:
		relayed = !first;
		break;
	}
	if (relayed && cookie & MALLOC_RELAYS)
		return 0;
	allocated = bpf_map_lookup_elem(&malloc_allocated, &tgid);
	if (!allocated) {
		if (!task_state(task))
			return 0;
		allocated = begin_allocated(&malloc_allocated, &malloc_nothing_allocated, tgid);
	}
	if (!allocated) {
		count_loss(LOSS_TASK_TABLE, RECORD_MALLOC_CALLS);
		return 0;
	}
	count_allocation(allocated, size);
	return 0;
}
