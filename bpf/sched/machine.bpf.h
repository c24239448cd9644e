/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who uses the CPUs, what the hypervisor takes of them, and whether an interrupt is running: what the scheduler itself
 * keeps per CPU.
 */
#ifndef TAILCAP_BPF_SCHED_MACHINE_H
#define TAILCAP_BPF_SCHED_MACHINE_H

#include "bpf/core/settings.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

struct cpu_tables {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu_table);
};

extern struct cpu_tables cpu_tables SEC(".maps");
/* Waits of targets for a CPU, a quota or a disk that took 1 ms or more. */
extern __u64 long_waits;
extern __u16 waits_epoch; /* bpf/core/target.bpf.h */

/* Where the counter of interrupts that a CPU is in lies, seen from its run queue; 0: not known. Both are per-CPU data,
 * of which only the types tell the distance. */
extern const volatile __s64 preempt_count_at;
extern const volatile __u8 counts_disabled_interrupts;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct rq {
	u64 clock;
	u64 clock_task;
	u64 prev_steal_time_rq; /* CONFIG_PARAVIRT_TIME_ACCOUNTING */
};

struct cfs_rq {
	struct rq *rq; /* CONFIG_FAIR_GROUP_SCHED */
};

struct sched_entity {
	struct cfs_rq *cfs_rq;
};

struct sched_info {    /* by the queue's clock; CONFIG_SCHED_INFO */
	u64 run_delay; /* in queues, altogether */
	u64 last_arrival;
	u64 last_queued; /* 0: it is in no queue */
};

struct task_struct___scheduled {
	struct sched_entity se;
	struct sched_info sched_info;
	u32 on_cpu; /* a byte since Linux 7; a load is adapted only if no type has a sign */
};

struct task_io_accounting___disk { /* CONFIG_TASK_IO_ACCOUNTING */
	u64 read_bytes;
	u64 write_bytes;
};

struct task_struct___io {
	struct task_io_accounting___disk ioac;
};

struct task_struct___rt {
	int softirq_disable_cnt; /* CONFIG_PREEMPT_RT */
};

#pragma clang attribute pop

/* The run queue of the CPU that the task is on, of whatever class it is; NULL: not known. */
static __always_inline struct rq *queue_of(struct task_struct *task)
{
	if (!bpf_core_field_exists(struct sched_entity, cfs_rq) || !bpf_core_field_exists(struct cfs_rq, rq))
		return NULL;
	return FIELD(POINTER_IN(struct task_struct___scheduled, (struct task_struct___scheduled *)task, se.cfs_rq), rq);
}

/* False: it is not known. */
static __always_inline bool count_interrupts(int *count)
{
#ifdef PREEMPT_COUNT
	*count = PREEMPT_COUNT(bpf_get_current_task_btf());
	return true;
#else
	const char *queue;

	if (!preempt_count_at)
		return false;
	queue = (const char *)queue_of(bpf_get_current_task_btf());
	return queue && !bpf_probe_read_kernel(count, sizeof(*count), queue + preempt_count_at);
#endif
}

/* enum woken_in */
static __always_inline u8 running_in(void)
{
	int count;

	if (!count_interrupts(&count))
		return WOKEN_UNKNOWN;
	if (count & HARDIRQ_OR_NMI)
		return WOKEN_IN_INTERRUPT;
	/* There soft interrupts are run by threads, and counted elsewhere. */
	if (bpf_core_field_exists(struct task_struct___rt, softirq_disable_cnt))
		return WOKEN_UNKNOWN;
	return count & SOFTIRQ_SERVED ? WOKEN_IN_SOFTIRQ : WOKEN_BY_THREAD;
}

/* What the hypervisor has taken of this CPU so far, as far as the scheduler leaves it out of the time of threads. */
static __always_inline u64 stolen_so_far(struct rq *queue)
{
	return queue && bpf_core_field_exists(queue->prev_steal_time_rq) ? FIELD(queue, prev_steal_time_rq) : 0;
}

/* What ran since the last switch is not known after a pause. */
static __always_inline void of_this_epoch(struct cpu_table *table)
{
	if (table->epoch == waits_epoch)
		return;
	table->epoch = waits_epoch;
	table->switched = 0;
	table->running = 0;
}

static __always_inline void take_place(struct cpu_table *table, struct cpu_slot *slot, struct task_struct *task)
{
	IN_ORDER(slot->changes++);
	table->others += slot->time;
	slot->tgid = FIELD(task, tgid);
	slot->time = 0;
	slot->read = 0;
	slot->written = 0;
	bpf_probe_read_kernel(slot->comm, COMM_SIZE, POINTER_IN(struct task_struct, task, group_leader)->comm);
	IN_ORDER(slot->changes++);
}

/* What the thread has had read from disks and written so far, in bytes. 0: not known. */
static __always_inline u64 bytes_read(struct task_struct *task)
{
	return bpf_core_field_exists(struct task_io_accounting___disk, read_bytes)
		       ? MEMBER(struct task_struct___io, task, ioac.read_bytes)
		       : 0;
}

static __always_inline u64 bytes_written(struct task_struct *task)
{
	return bpf_core_field_exists(struct task_io_accounting___disk, write_bytes)
		       ? MEMBER(struct task_struct___io, task, ioac.write_bytes)
		       : 0;
}

/* This CPU, with this queue, switches from prev to next. Nothing else runs here meanwhile that changes its table. */
static __always_inline void count_slice(struct rq *queue, struct task_struct *prev, struct task_struct *next)
{
	struct cpu_table *table;
	struct cpu_slot *slot;
	u32 cpu = bpf_get_smp_processor_id();
	u64 clock;

	if (!queue)
		return;
	table = bpf_map_lookup_elem(&cpu_tables, &cpu);
	if (!table)
		return;
	clock = FIELD(queue, clock_task);
	of_this_epoch(table);
	if (prev->pid && table->switched) {
		slot = &table->slots[prev->tgid & (CPU_SLOTS - 1)];
		if (slot->tgid != prev->tgid)
			take_place(table, slot, prev);
		slot->time += clock - table->switched;
		/* now and then the kernel runs no program for a switch */
		if (table->thread == (u32)prev->pid) {
			slot->read += bytes_read(prev) - table->read;
			slot->written += bytes_written(prev) - table->written;
		}
	}
	table->thread = next->pid;
	if (next->pid) { /* the account of the idle thread, which is in no cache, is of no use */
		table->read = bytes_read(next);
		table->written = bytes_written(next);
	}
	table->queue = (u64)queue;
	table->switched = clock;
	table->running = next->pid ? next->tgid : 0;
}

#endif
