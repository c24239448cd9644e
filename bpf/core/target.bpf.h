/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Targets: a task is a target if its storage exists.
 */
#ifndef TAILCAP_BPF_CORE_TARGET_H
#define TAILCAP_BPF_CORE_TARGET_H

#include "bpf/core/record.bpf.h"
#include "bpf/core/task_state.bpf.h"
#include <bpf/bpf_core_read.h>

#define ANCESTORS_MAX 16 /* shells, supervisors and masters; deeper trees are not followed */

struct tasks {
	TASK_STORAGE(16384);
	__type(value, struct task_state);
};

struct target_pids {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u8);
};

struct target_comms {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__uint(key_size, COMM_SIZE);
	__uint(value_size, 1);
};

extern struct tasks tasks SEC(".maps");
extern struct target_pids target_pids SEC(".maps");
extern struct target_comms target_comms SEC(".maps");

/* User space detaches the programs that record waits for a time, and begins a new epoch before it attaches them again:
 * what is remembered of a wait, or of a CPU, is of no use in the next epoch. */
extern __u16 waits_epoch;

static __always_inline struct task_state *task_state(struct task_struct *task)
{
	return bpf_task_storage_get(&tasks, task, 0, 0);
}

/* Hits of probes at functions by non-targets, by file: user space removes the probes of a file with too many hits. */
extern __u64 others_hits[OTHERS_FILES_MAX];

static __always_inline void count_others(u64 cookie)
{
	__sync_fetch_and_add(&others_hits[OTHERS_FILE(cookie)], 1);
}

/* Whether the task is a target and all its sockets are, too. */
static __always_inline bool whole_target(struct task_struct *task)
{
	struct task_state *state = task_state(task);

	return state && !state->touched;
}

static __always_inline struct task_state *make_target(struct task_struct *task, bool touched)
{
	struct task_state *state = bpf_task_storage_get(&tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (state) {
		state->touched = touched;
		state->off_cpu.epoch = waits_epoch;
	} else {
		count_loss(LOSS_TASK_TABLE, RECORD_TASK);
	}
	return state;
}

/* The recorder, and the processes that work for it. */
static __always_inline bool recorders_own(struct task_struct *task)
{
	u32 parent = BPF_CORE_READ(task, real_parent, tgid);

	if (FIELD(task, tgid) == self_tgid)
		return true;
	for (int i = 0; i < 3; i++) {
		if (own_tgids[i] && (FIELD(task, tgid) == own_tgids[i] || parent == own_tgids[i]))
			return true;
	}
	return false;
}

static __always_inline bool kernel_thread(struct task_struct *task)
{
	return FIELD(task, flags) & PF_KTHREAD;
}

static __always_inline bool named(struct task_struct *task)
{
	char comm[COMM_SIZE] = {};

	if (!target_comms_used)
		return false;
	bpf_probe_read_kernel_str(comm, sizeof(comm), task->comm);
	return bpf_map_lookup_elem(&target_comms, comm);
}

/* True for the selected cgroup and those below it. */
static __always_inline bool under_target(struct cgroup *group)
{
	for (int depth = 0; depth < 16; depth++) {
		if (!group)
			return false;
		if (BPF_CORE_READ(group, kn, id) == target_cgroup)
			return true;
		group = BPF_CORE_READ(group, self.parent, cgroup);
	}
	return false;
}

static __always_inline bool in_target_cgroup(struct task_struct *task)
{
	return target_cgroup && under_target(BPF_CORE_READ(task, cgroups, dfl_cgrp));
}

/* Describes a target whose start user space has not seen, so that it reads the rest from /proc. */
static __always_inline void fill_task(struct record_task *record, struct task_struct *task)
{
	__builtin_memset(record, 0, sizeof(*record));
	fill_head(&record->h, task, RECORD_TASK, bpf_ktime_get_ns());
	record->parent_pid = BPF_CORE_READ(task, real_parent, tgid);
	record->started = FIELD(task, start_time);
	bpf_probe_read_kernel_str(record->comm, sizeof(record->comm), task->comm);
}

/* A target whose program runs already. */
static __always_inline struct task_state *make_late_target(struct task_struct *task, bool touched)
{
	struct task_state *state = make_target(task, touched);

	if (state)
		state->existed = true;
	return state;
}

static __always_inline void discovered(struct task_struct *task, bool touched)
{
	struct record_task *record;

	if (!make_late_target(task, touched))
		return;
	record = reserve(sizeof(*record), RECORD_TASK, NULL);
	if (!record)
		return;
	fill_task(record, task);
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
}

/* The running thread used a socket on a selected port: its waits belong to the requests on that port. */
static __always_inline void touched_port(struct task_struct *task)
{
	if (port_count && FIELD(task, tgid) != self_tgid && !kernel_thread(task) && !task_state(task))
		discovered(task, true);
}

#endif
