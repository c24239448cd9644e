/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The sender of a signal that stops a process, and who froze its cgroup.
 */
#ifndef TAILCAP_BPF_SCHED_SIGNAL_H
#define TAILCAP_BPF_SCHED_SIGNAL_H

#include "bpf/core/target.bpf.h"

#define STATE_STOPPED 4
#define STATE_TRACED 8

struct stop {
	u32 signal;
	u32 sender; /* thread; 0: the kernel */
};

/* The last stop signal per process: sent, possibly not yet delivered. */
struct stops {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct stop);
};

extern struct stops stops SEC(".maps");

/* The thread that froze a cgroup of the unified hierarchy last, or one above it; by the cgroup's number. */
struct freezes {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, u32);
};

extern struct freezes freezes SEC(".maps");

/* This replaces the arguments of the system call that was in progress. */
static __always_inline void note_stop(struct off_cpu_state *off, u32 process)
{
	struct stop *stop;

	if (!(off->state & STATE_STOPPED))
		return;
	stop = bpf_map_lookup_elem(&stops, &process);
	off->argument0 = stop ? stop->signal : 0;
	off->argument1 = stop ? stop->sender : 0;
}

/* Likewise, of a thread whose cgroup of the unified hierarchy is frozen. */
static __always_inline void note_freeze(struct off_cpu_state *off, const struct task_struct *task)
{
	u64 group = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	u32 *by = bpf_map_lookup_elem(&freezes, &group);

	off->argument0 = FREEZER;
	off->argument1 = by ? *by : 0;
}

#endif
