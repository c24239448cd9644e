// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Host problems (--profile node): slow I/O of any disk, submitted by any process, and page blocks that are
 * broken up because memory in one piece is short.
 */
#include "bpf/sched/stall.bpf.h"
#include "bpf/core/program.bpf.h"
#include "bpf/core/target.bpf.h"

const volatile __u64 slow_io = 0; /* I/Os that take at least this long are recorded */

struct page;

#define PAGE_BLOCK_ORDER 9 /* 2 MiB on x86-64 */

/* An I/O that was handed to its driver, keyed by the address of the struct request; thread is the one that began it. */
struct begun_io {
	u64 since;
	u32 pid;
	u32 tid;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct begun_io);
} begun_ios SEC(".maps");

SEC("tp_btf/block_io_start")
int BPF_PROG(node_io_begins, struct request *request)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct begun_io io = {.since = bpf_ktime_get_ns(), .pid = FIELD(task, tgid), .tid = FIELD(task, pid)};
	u64 key = (u64)request;

	if (bpf_map_update_elem(&begun_ios, &key, &io, BPF_ANY))
		count_loss(LOSS_TASK_TABLE, RECORD_STALL);
	return 0;
}

static __always_inline u32 device_of(struct request *request)
{
	struct block_device *device = BPF_CORE_READ(request, part);

	return device ? BPF_CORE_READ(device, bd_dev) : 0;
}

SEC("tp_btf/block_io_done")
int BPF_PROG(node_io_ends, struct request *request)
{
	u64 key = (u64)request, now;
	struct begun_io *io = bpf_map_lookup_elem(&begun_ios, &key);
	struct record_stall *record;

	if (!io)
		return 0;
	now = bpf_ktime_get_ns();
	if (now - io->since < slow_io)
		goto over;
	record = reserve(sizeof(*record), RECORD_STALL, NULL);
	if (!record)
		goto over;
	fill_head_by(&record->h, io->pid, io->tid, RECORD_STALL, now);
	record->began = io->since;
	record->where = device_of(request);
	record->detail = BPF_CORE_READ(request, stats_sectors) << 9;
	record->what = STALL_BLOCK_IO;
	bpf_ringbuf_submit(record, wake_flag(now));
over:
	bpf_map_delete_elem(&begun_ios, &key);
	return 0;
}

/* Memory of one kind was taken from a page block of another kind, but not the whole block. */
SEC("tp_btf/mm_page_alloc_extfrag")
int BPF_PROG(node_fragments, struct page *page, int order, int taken_from, int kind, int other_kind)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct record_stall *record;

	if (taken_from >= PAGE_BLOCK_ORDER)
		return 0;
	record = reserve(sizeof(*record), RECORD_STALL, NULL);
	if (!record)
		return 0;
	fill_head(&record->h, task, RECORD_STALL, bpf_ktime_get_ns());
	record->began = record->h.time;
	record->where = order;
	record->detail = 0;
	record->what = STALL_FRAGMENTED;
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
	return 0;
}
