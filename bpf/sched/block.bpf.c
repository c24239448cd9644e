// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * I/Os of the block layer, for the waits that they end (bpf/sched/block.bpf.h).
 *
 * I/Os are remembered from the moment that a target submits them to the block layer. I/Os that the block layer's
 * throttling releases are remembered, too: a kernel worker submits them late, and their owner is not known until they
 * wake a thread.
 */
#include "bpf/core/program.bpf.h"
#include "bpf/sched/block.bpf.h"

/* The most I/Os of one request that are examined. */
#define MERGED_MAX 16

/* "kthrotld": the queue whose only work is to release throttled I/Os. */
#define RELEASE_QUEUE 0x646c746f7268746bull

/* Key: the address of the struct bio. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct queued_io);
} queued_ios SEC(".maps");

struct completions completions SEC(".maps");

static __always_inline bool lets_throttled_go(struct task_struct *task)
{
	struct kthread *thread;
	struct worker *worker;
	struct {
		u64 name;
		u64 end;
	} queue = {};

	if (!(FIELD(task, flags) & PF_WQ_WORKER))
		return false;
	if (!bpf_core_field_exists(task->worker_private) || !bpf_core_type_exists(struct kthread) ||
	    !bpf_core_field_exists(struct worker, current_pwq) || !bpf_core_field_exists(struct workqueue_struct, name))
		return false;
	thread = (struct kthread *)FIELD(task, worker_private);
	worker = (struct worker *)BPF_CORE_READ(thread, data);
	bpf_probe_read_kernel(&queue, sizeof(queue.name) + 1, BPF_CORE_READ(worker, current_pwq, wq)->name);
	return queue.name == RELEASE_QUEUE && !queue.end;
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
	io.device = FIELD(POINTER_IN(struct bio, bio, bi_bdev), bd_dev);
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

/* Completions of devices without requests, such as those of the device mapper. */
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

/* Completions of all other devices. Merged I/Os share one request: the first remembered one represents all. The pieces
 * of an I/O that was split are not remembered, and point to it. */
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
