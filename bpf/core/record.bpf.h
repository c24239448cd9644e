/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Records: room in the ring, the head that all of them have, and the count of those that found no room.
 */
#ifndef TAILCAP_BPF_CORE_RECORD_H
#define TAILCAP_BPF_CORE_RECORD_H

#include "bpf/core/settings.bpf.h"
#include <bpf/bpf_helpers.h>

/* One ring for each CPU, or for each group of CPUs, which then share a lock and its cache lines. User space adds all
 * but the first, and reads the records of all rings in the order of their times. Each fits into a CPU's cache, because
 * writing to memory that is not there costs more than the rest of a record. What a burst has beyond that goes to the
 * spill, which all CPUs share. */
struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

/* When libbpf 1.1 links a map, it takes the size from the type, so the first of its values must lie inside the type:
 * the alignment makes that room. */
struct rings {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, RINGS_MAX);
	__type(key, u32);
	__array(values, struct ring);
} __attribute__((aligned(32)));

extern struct ring ring SEC(".maps");
extern struct ring spill SEC(".maps");
extern struct rings rings SEC(".maps");

/* Rows of enum loss_row, RECORD_KINDS counters each; user space reads them in place. The counts are exact. Losses are
 * rare enough to share a cache line. */
extern __u64 losses[LOSS_COUNTERS];

static __always_inline void count_loss(enum loss_row row, u32 kind)
{
	__sync_fetch_and_add(&losses[(u32)row * RECORD_KINDS + kind], 1);
}

/* Waking the reader costs more than an event. The reader polls every 50 ms, and is woken earlier only when a good part
 * of the ring is full. The window keeps a slow reader from being woken for every record. The check costs 26 ns, so only
 * one event in sixteen makes it, chosen by its time; the window holds a thousand events. */
#define WAKE_WINDOW (256 << 10)

static __always_inline void *ring_here(void)
{
	u32 at;

	/* the verifier knows the value and removes the rest */
	if (!ring_mask)
		return &ring;
	at = bpf_get_smp_processor_id() & ring_mask;
	return bpf_map_lookup_elem(&rings, &at);
}

static __always_inline u64 wake_flag(u64 time)
{
	u64 pending;
	void *ring;

	if (time & 15 && ring_wake >= WAKE_WINDOW)
		return BPF_RB_NO_WAKEUP;
	ring = ring_here();
	if (!ring)
		return 0;
	pending = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	return pending >= ring_wake && pending < ring_wake + WAKE_WINDOW ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* Null: there is none. */
static __always_inline void *find_room(u64 size)
{
	void *ring = ring_here(), *record = NULL;

	if (ring)
		record = bpf_ringbuf_reserve(ring, size, 0);
	if (!record && ring_spills)
		record = bpf_ringbuf_reserve(&spill, size, 0);
	return record;
}

/* Counts an event lost to a full ring, by kind, and on the socket or thread that it belongs to. */
static __always_inline void *reserve(u64 size, u32 kind, u32 *missed)
{
	void *record = find_room(size);

	if (!record) {
		count_loss(LOSS_RING_FULL, kind);
		if (missed)
			__sync_fetch_and_add(missed, 1);
	}
	return record;
}

/* The header of a record without earlier losses and without bytes moved. pid and tid are 0 where no thread caused
 * it. */
static __always_inline void fill_head_by(struct record_header *head, u32 pid, u32 tid, u16 kind, u64 time)
{
	head->time = time;
	head->pid = pid;
	head->tid = tid;
	head->kind = kind;
	head->missed = 0;
	head->length = 0;
}

static __always_inline void fill_head(struct record_header *head, const struct task_struct *task, u16 kind, u64 time)
{
	fill_head_by(head, FIELD(task, tgid), FIELD(task, pid), kind, time);
}

/* Emits a record that was assembled elsewhere. Not 0: the ring was full, and the caller counts the loss. spilled: one
 * of the records before this, with the same time, is in the spill, and this one follows it there. */
static __always_inline long output_after(void *record, u64 size, u64 flags, u8 *spilled)
{
	void *ring = *spilled ? NULL : ring_here();
	long full = ring ? bpf_ringbuf_output(ring, record, size, flags) : -1;

	if (!full || !ring_spills)
		return full;
	*spilled = 1;
	return bpf_ringbuf_output(&spill, record, size, flags);
}

static __always_inline long output(void *record, u64 size, u64 flags)
{
	u8 spilled = 0;

	return output_after(record, size, flags, &spilled);
}

/* Returns the count of events lost before this one, and resets it. Call only when this record is sure to be emitted. */
static __always_inline u16 take_missed(u32 *missed)
{
	u32 count = *missed;

	if (!count)
		return 0;
	__sync_fetch_and_add(missed, -count);
	return count > 0xffff ? 0xffff : count;
}

#endif
