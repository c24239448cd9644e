/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Allocations by process and size, in per-CPU maps.
 *
 * A program here may be preempted by another one on the same CPU: counts are atomic.
 */
#ifndef TAILCAP_BPF_MEMORY_ALLOCATED_H
#define TAILCAP_BPF_MEMORY_ALLOCATED_H

#include "bpf/core/record.bpf.h"

#define ALLOCATING_PROCESSES 256

struct allocated_by_process {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, ALLOCATING_PROCESSES);
	__type(key, u32);
	__type(value, struct allocated);
};

struct nothing_allocated {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct allocated);
};

/* Zeros for a new process; NULL: the map is full. nothing: a struct nothing_allocated. */
static __always_inline struct allocated *begin_allocated(void *map, void *nothing, u32 tgid)
{
	u32 zero = 0;
	struct allocated *zeros = bpf_map_lookup_elem(nothing, &zero);

	if (!zeros)
		return NULL;
	bpf_map_update_elem(map, &tgid, zeros, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, &tgid);
}

static __always_inline u32 class_of_size(u64 size)
{
	u32 bits = 0;

	for (u32 step = 32; step; step >>= 1) {
		if (size >> step) {
			size >>= step;
			bits += step;
		}
	}
	return size ? bits + 1 : 0;
}

static __always_inline void count_allocation(struct allocated *allocated, u64 size)
{
	u32 class = class_of_size(size);

	if (class >= ALLOCATION_CLASSES)
		class = ALLOCATION_CLASSES - 1;
	__sync_fetch_and_add(&allocated->count[class], 1);
	__sync_fetch_and_add(&allocated->bytes[class], size);
}

#endif
