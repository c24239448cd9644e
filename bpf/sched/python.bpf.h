/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The frames of Python code that the running thread executes.
 */
#ifndef TAILCAP_BPF_SCHED_PYTHON_H
#define TAILCAP_BPF_SCHED_PYTHON_H

#include "bpf/core/target.bpf.h"

#define PYTHON_FRAME_WORDS 16 /* a power of two; ten are read */
#define PYTHON_CODE_WORDS 32  /* likewise; 18 are read */

/* A code object that user space knows. */
struct python_known {
	u32 tgid;
	u32 unused;
	u64 code;
};

/* All that a walk needs: the stacks of the programs that call it have no room. */
struct python_walk {
	struct python_process process;
	struct python_known known;
	u64 head[4]; /* of a string: type, length, hash, state */
	u64 thread_pointer;
	u64 interpreter; /* the next one */
	u64 thread;      /* its state, or what may be */
	u64 frame_at;
	u32 count;
	u32 end; /* enum python_end */
	u64 frame[PYTHON_FRAME_WORDS];
	u64 code[PYTHON_CODE_WORDS];
	struct record_python_code record;
	u64 frames[PYTHON_FRAMES];
};

/* Used with interrupts off, as walks of bpf/sched/unwind.bpf.h. */
struct python_walks {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct python_walk);
};

/* By process; user space makes them, and a process that runs another program loses them. */
struct python_processes {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct python_process);
};

extern struct python_walks python_walks SEC(".maps");
extern struct python_processes python_processes SEC(".maps");

/* Fills python_walks. A function of its own for the verifier. */
__noinline int walk_python(u32 tgid);

/* Frames from the innermost on, at most PYTHON_FRAMES. The task is the running one. */
static __always_inline u32 python_stack(struct task_struct *task, u64 *frames, u16 *end)
{
	u32 zero = 0, tgid = task->tgid, count;
	struct python_walk *walk;

	*end = PYTHON_END_NONE;
	if (!bpf_map_lookup_elem(&python_processes, &tgid))
		return 0;
	walk_python(tgid);
	walk = bpf_map_lookup_elem(&python_walks, &zero);
	if (!walk || walk->end == PYTHON_END_NONE)
		return 0;
	*end = walk->end;
	count = walk->count;
	barrier_var(count);
	if (count > PYTHON_FRAMES)
		count = PYTHON_FRAMES;
	if (count)
		bpf_probe_read_kernel(frames, count * sizeof(u64), walk->frames);
	return count;
}

static __always_inline void forget_python(struct task_struct *task)
{
	u32 tgid = task->tgid;

	bpf_map_delete_elem(&python_processes, &tgid);
}

#endif
