/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What ends an uninterruptible sleep, where that is an I/O: the completion that wakes a thread is what it waited for.
 *
 * I/Os that a target hands to the block layer are remembered from then on, and those that the block layer's throttling
 * lets go: these come out of a kernel worker, late, and nothing tells whose they are until they wake somebody.
 */
#ifndef TAILCAP_BPF_DISK_H
#define TAILCAP_BPF_DISK_H

#include "bpf/stall.h"
#include "bpf/target.h"
#include <bpf/bpf_tracing.h>

#define UNINTERRUPTIBLE 2

/* I/Os of one request that are looked at. */
#define MERGED_MAX 16

/* Between the completion and the wake-ups that it makes. */
#define COMPLETING 100000

/* What the worker runs that lets throttled I/Os go; 0 where the kernel has none. */
extern const void blk_throtl_dispatch_work_fn __ksym __weak;

struct queued_io {
	u64 since;
	u32 device; /* as the kernel keeps it: 20 bits of minor */
	u32 bytes;
	u8 held; /* was throttled until then */
	u8 unused[7];
};

/* By the address of the struct bio. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct queued_io);
} queued_ios SEC(".maps");

/* What this CPU completed last. */
struct completion {
	struct queued_io io;
	u64 time;    /* 0: something that was not remembered */
	u64 current; /* in whose time */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct completion);
} completions SEC(".maps");

static __always_inline bool lets_throttled_go(struct task_struct *task)
{
	struct kthread *thread;
	struct worker *worker;

	if (!(task->flags & PF_WQ_WORKER) || !&blk_throtl_dispatch_work_fn)
		return false;
	if (!bpf_core_field_exists(task->worker_private) || !bpf_core_type_exists(struct kthread) ||
	    !bpf_core_type_exists(struct worker))
		return false;
	thread = (struct kthread *)task->worker_private;
	worker = (struct worker *)BPF_CORE_READ(thread, data);
	return BPF_CORE_READ(worker, current_func) == &blk_throtl_dispatch_work_fn;
}

SEC("tp_btf/block_bio_queue")
int BPF_PROG(stall_io_queued, struct bio *bio)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool held = lets_throttled_go(task);
	struct queued_io io = {};
	u64 key = (u64)bio;

	if (!held && !task_state(task))
		return 0;
	io.since = bpf_ktime_get_ns();
	io.device = bio->bi_bdev->bd_dev;
	io.bytes = bio->bi_iter.bi_size;
	io.held = held;
	bpf_map_update_elem(&queued_ios, &key, &io, BPF_ANY);
	return 0;
}

static __always_inline void completes(struct completion *last, struct queued_io *io)
{
	last->io = *io;
	last->time = bpf_ktime_get_ns();
	last->current = bpf_get_current_task();
}

/* Of devices that have no requests, as those of the device mapper. */
SEC("tp_btf/block_bio_complete")
int BPF_PROG(stall_io_done, void *queue, struct bio *bio)
{
	struct completion *last;
	struct queued_io *io;
	u64 key = (u64)bio;
	u32 zero = 0;

	last = bpf_map_lookup_elem(&completions, &zero);
	if (!last)
		return 0;
	last->time = 0;
	io = bpf_map_lookup_elem(&queued_ios, &key);
	if (!io)
		return 0;
	completes(last, io);
	bpf_map_delete_elem(&queued_ios, &key);
	return 0;
}

/* Of all others. I/Os that were merged have one request: the first of them that is remembered stands for all. Of one
 * that was cut the pieces are not remembered, and point to it. */
SEC("tp_btf/block_rq_complete")
int BPF_PROG(stall_request_done, struct request *request)
{
	struct bio *bio = BPF_CORE_READ(request, bio);
	struct completion *last;
	struct queued_io *io;
	u32 zero = 0;
	u64 key;

	last = bpf_map_lookup_elem(&completions, &zero);
	if (!last)
		return 0;
	last->time = 0;
	for (int i = 0; i < MERGED_MAX && bio; i++) {
		key = (u64)bio;
		io = bpf_map_lookup_elem(&queued_ios, &key);
		if (io) {
			if (!last->time)
				completes(last, io);
			bpf_map_delete_elem(&queued_ios, &key);
		} else if (!last->time) {
			key = (u64)BPF_CORE_READ(bio, bi_private);
			io = bpf_map_lookup_elem(&queued_ios, &key);
			if (io)
				completes(last, io);
		}
		bio = BPF_CORE_READ(bio, bi_next);
	}
	return 0;
}

/* A thread is woken: if it is from an I/O's completion, it waited for that. Who waits for a lock is woken by the thread
 * that gives it up, in whose time an I/O may have been completed just before. */
static __always_inline void ended_by_io(struct task_state *state, struct task_struct *task, u64 now)
{
	struct completion *last;
	u32 zero = 0;
	u64 since;

	if (!(state->state & UNINTERRUPTIBLE) || state->lock_began)
		return;
	last = bpf_map_lookup_elem(&completions, &zero);
	if (!last || !last->time || now - last->time > COMPLETING || last->current != bpf_get_current_task())
		return;
	since = last->io.since;
	if (since < state->left)
		since = state->left;
	else if (last->io.held)
		emit_stall(state, task, STALL_IO_THROTTLED, state->left, since, last->io.device, last->io.bytes);
	emit_stall(state, task, STALL_BLOCK_IO, since, now, last->io.device, last->io.bytes);
}

#endif
