/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the programs use where the kernel lacks helpers of Linux 6.1. The sources are compiled twice: with OLDER_KERNEL
 * set, these definitions take the place of the helpers, and the code for newer kernels is what it would be without
 * them.
 *
 * State of tasks and sockets is in tables by their addresses instead of in the kernel's storage; an entry is removed
 * when the kernel frees the object (task_freed, socket_freed), so that an address stands for one object at a time. A
 * full table takes no more: that is counted as a loss.
 */
#ifndef TAILCAP_BPF_CORE_OLDER_H
#define TAILCAP_BPF_CORE_OLDER_H

#ifndef OLDER_KERNEL

#define IS_OLDER false

/* A member of an object that the verifier knows. */
#define FIELD(object, member) ((object)->member)

#define TASK_STORAGE(entries)                    \
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE); \
	__uint(map_flags, BPF_F_NO_PREALLOC);    \
	__type(key, int)
#define SOCKET_STORAGE(entries, flags)                  \
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);          \
	__uint(map_flags, BPF_F_NO_PREALLOC | (flags)); \
	__type(key, int)

/* Adds, and gives what was there before. */
#define FETCH_AND_ADD(at, amount) __sync_fetch_and_add(at, amount)

/* Steps of a loop with its state in a map. STEP is what a step is declared with, LOOPED follows its definition. */
#define STEP static
#define LOOPED(step)
#define LOOP(count, most, step, way) bpf_loop(count, step, &(way), 0)

#else

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define IS_OLDER true

/* The verifier does not know the running thread, nor what it is led to. */
#define FIELD(object, member)                    \
	({                                       \
		typeof(object) _from = (object); \
		BPF_CORE_READ(_from, member);    \
	})
#define bpf_get_current_task_btf() ((struct task_struct *)bpf_get_current_task())

#define TASK_STORAGE(entries)            \
	__uint(type, BPF_MAP_TYPE_HASH); \
	__uint(max_entries, entries);    \
	__type(key, u64)
#define SOCKET_STORAGE(entries, flags) TASK_STORAGE(entries)

#define FETCH_AND_ADD(at, amount)                 \
	({                                        \
		u64 _was = *(volatile u64 *)(at); \
		__sync_fetch_and_add(at, amount); \
		_was;                             \
	})

/* A program that only the other object has, for the description that user space has of both. */
#define NOT_HERE(section, name)          \
	SEC(section) int name(void *ctx) \
	{                                \
		return 0;                \
	}

#define STEP static __always_inline
#define LOOPED(step)                                                                       \
	__noinline int step##_apart(u32 i, u32 way)                                        \
	{                                                                                  \
		barrier_var(i); /* else no caller passes it, which the verifier refuses */ \
		return step(i, &way);                                                      \
	}
#define LOOP(count, most, step, way)                          \
	for (u32 _i = 0; _i < (most) && _i < (count); _i++) { \
		if (step##_apart(_i, way))                    \
			break;                                \
	}

/* The initial value of an entry. */
#define ZEROS 1024
struct blank {
	u8 zeros[ZEROS];
};

struct blanks {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct blank);
};

/* Numbers for sockets, which have none of the kernel's: of each CPU, for threads and for what interrupts them. */
struct own_numbers {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u64);
};

extern struct blanks blanks SEC(".maps");
extern struct own_numbers own_numbers SEC(".maps");

/* Entry of a table by address; flags: it is made if there is none. */
static __always_inline void *stored(void *table, u64 address, u64 flags)
{
	void *entry = bpf_map_lookup_elem(table, &address), *blank;
	u32 zero = 0;

	if (entry || !flags)
		return entry;
	blank = bpf_map_lookup_elem(&blanks, &zero);
	if (!blank || bpf_map_update_elem(table, &address, blank, BPF_NOEXIST))
		return NULL;
	return bpf_map_lookup_elem(table, &address);
}

#define bpf_task_storage_get(map, task, value, flags) stored(map, (u64)(task), flags)
#define bpf_sk_storage_get(map, sk, value, flags) stored(map, (u64)(sk), flags)

#define USUAL_STACK 16384

/* The end of a thread's stack in the kernel. */
static __always_inline u64 stack_end(struct task_struct *task)
{
	u64 size = bpf_core_type_size(struct irq_stack);

	return (u64)FIELD(task, stack) + (size ? size : USUAL_STACK);
}

#define bpf_task_pt_regs(task) (stack_end(task) - bpf_core_type_size(struct pt_regs))

#define OWN_NUMBER_CPU 48

/* cookies begin with the same bit (bpf/net/socket.bpf.h). */
static __always_inline u64 own_number(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 end = stack_end(task), begin = (u64)FIELD(task, stack), *next;
	u32 interrupts = 0;
	u64 here = (u64)&interrupts;

	barrier_var(begin); /* the verifier allows no pointer to be subtracted from */
	barrier_var(end);
	if (here < begin || here >= end)
		interrupts = 1;
	next = bpf_map_lookup_elem(&own_numbers, &interrupts);
	if (!next)
		return 0;
	*next += 2;
	return 1ull << 63 | (u64)bpf_get_smp_processor_id() << OWN_NUMBER_CPU | (*next + interrupts);
}

#define bpf_get_socket_cookie(sk) own_number()

#endif
#endif
