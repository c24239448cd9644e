/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Since Linux 6.13, a program that needs some stack gets memory that each CPU has once for it, instead of the thread's
 * stack. A thread that is preempted in a probe at a function, or that goes on with a program in which another one was
 * preempted, shares that memory with it, and the kernel crashes on what it finds there. A program with a tail call
 * keeps the thread's stack, even one that never makes it.
 */
#ifndef TAILCAP_BPF_CORE_THREAD_STACK_H
#define TAILCAP_BPF_CORE_THREAD_STACK_H

#include "bpf/core/kernel.bpf.h"
#include <bpf/bpf_helpers.h>

#define ONE_PROGRAM                            \
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
	__uint(max_entries, 1);                \
	__uint(key_size, sizeof(u32));         \
	__uint(value_size, sizeof(u32))

struct after_probe {
	ONE_PROGRAM;
};

extern struct after_probe after_probe SEC(".maps"); /* always empty */
extern const volatile __u8 goes_on;                 /* always 0 */

/* All programs that name one table must be at the same hook. */
#define KEEP_THREAD_STACK(ctx, table)                    \
	do {                                             \
		if (goes_on)                             \
			bpf_tail_call(ctx, &(table), 0); \
	} while (0)

#endif
