/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Languages whose functions stand in the program's own stack. A walk through what the walk of that stack
 * (bpf/sched/unwind.bpf.h) has left of each frame: its frame pointer, or a method.
 */
#ifndef TAILCAP_BPF_SCRIPTS_IN_STACK_H
#define TAILCAP_BPF_SCRIPTS_IN_STACK_H

#include "bpf/sched/script.bpf.h"
#include "bpf/sched/unwind.bpf.h"

/* The latest walk of a stack on this CPU. */
static __always_inline struct walk *program_walk(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&walks, &zero);
}

/* It was of the running thread. */
static __always_inline bool of_this_thread(const struct walk *program)
{
	return program->tid == (u32)bpf_get_current_task_btf()->pid;
}

/* The place of the next frame; false: there is none. */
static __always_inline bool next_place(const struct walk *program, u32 *next, u32 *place)
{
	u32 at = *next;

	if (at >= program->count || at >= STACK_MAX)
		return false;
	*next = at + 1;
	*place = at;
	return true;
}

/* Keeps the function of a place by its number; false: there is no more room. */
static __always_inline bool keep_function(struct script_walk *walk, u64 number, u32 place)
{
	u32 count;

	if (!has_room(walk, &count))
		return false;
	walk->frames[count] = number | place;
	walk->count = count + 1;
	return true;
}

#endif
