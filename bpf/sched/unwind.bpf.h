/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The stack of the running thread in user space: by the tables of its code, where user space has made them.
 */
#ifndef TAILCAP_BPF_SCHED_UNWIND_H
#define TAILCAP_BPF_SCHED_UNWIND_H

#include "bpf/core/target.bpf.h"

struct walk {
	u64 pc;
	u64 sp;
	u64 bp;
	/* The mapping that was found last. */
	u64 start;
	u64 stop;
	u64 bias;
	u32 table;
	u32 list;
	u32 parts;
	u32 count;
	u32 end;  /* enum stack_end */
	u8 exact; /* pc is where it goes on, not a return address */
	u8 bp_unknown;
	u16 unused;
	u32 tid;  /* of the stack; 0: of none */
	u32 made; /* some code is HotSpot's */
	u64 found_pc;
	u64 found_sp;
	u64 frames[STACK_MAX];
	/* The frame pointers of frames that were passed by them, in Java the methods of frames; 0: of others. */
	u64 bps[STACK_MAX];
};

/* Used with interrupts off: the clock's samples and the switches of a CPU cannot meet here. */
struct walks {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct walk);
};

/* By process; user space makes them, and a process that runs another program loses them. */
struct unwind_processes {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct unwind_process);
};

extern struct walks walks SEC(".maps");
extern struct unwind_processes unwind_processes SEC(".maps");

/* A step of a walk through code that HotSpot has made: bpf/scripts/hotspot.bpf.c. */
enum hotspot_step {
	HOTSPOT_NOT,    /* it is no code of HotSpot's, or has a frame pointer */
	HOTSPOT_PASSED, /* the caller is in found_pc and found_sp of the walk */
	HOTSPOT_LOST,   /* how this code finds its caller is not known */
};

/* Whether the process has such code. Has to be called before steps of its stack. */
__noinline int begin_hotspot(u32 tgid);
/* Whether an address is in code of HotSpot's; if so, a step can pass it. Apart, because stacks of kernel programs are
 * small. */
__noinline int find_hotspot_code(u64 at);
__noinline int step_in_hotspot(void);

/* Fills walks. A separate function for the verifier: it checks this one once, not once per call. */
__noinline int walk_by_tables(u32 list, u32 parts);

/* Frames from the innermost on; fewer than STACK_MAX, or as many. The task is the running one. */
static __always_inline u32 user_stack(void *ctx, struct task_struct *task, u64 *frames, u32 *end)
{
	u32 zero = 0, tgid = FIELD(task, tgid), count = 0;
	struct unwind_process *process;
	struct walk *walk;
	long got;

	*end = STACK_END_UNKNOWN;
	if (FIELD(task, flags) & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER))
		return 0;
	process = IS_OLDER ? NULL : bpf_map_lookup_elem(&unwind_processes, &tgid);
	walk = bpf_map_lookup_elem(&walks, &zero);
	if (walk)
		walk->tid = 0;
	if (process && walk) {
		walk_by_tables(process->list, process->parts);
		*end = walk->end;
		count = walk->count;
		if (count > STACK_MAX)
			count = STACK_MAX;
		if (count)
			bpf_probe_read_kernel(frames, count * sizeof(u64), walk->frames);
		return count;
	}
	got = bpf_get_stack(ctx, frames, STACK_MAX * sizeof(u64), BPF_F_USER_STACK);
	if (got > 0)
		count = (u32)got / sizeof(u64);
	return count > STACK_MAX ? STACK_MAX : count;
}

static __always_inline void forget_tables(struct task_struct *task)
{
	u32 tgid = FIELD(task, tgid);

	bpf_map_delete_elem(&unwind_processes, &tgid);
}

#endif
