// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Values that one goroutine passes to another through a channel, at the places that user space has chosen in the
 * runtime.
 *
 * The channel is locked at each of these places, so the records of one channel are in the order of the events. Values
 * without a size are left out: they transfer nothing.
 */
#include "bpf/core/thread_stack.bpf.h"
#include "bpf/go/go.bpf.h"

/* runtime.hchan, the part that is the same in every release. */
struct channel {
	u64 count, capacity, buffer;
	u16 element; /* bytes of a value */
	u16 unused[3];
};

/* The slot `back` steps before the next one to be filled (of: 0) or emptied (of: 1); 0: the channel does not match. */
static __always_inline u64 slot_of(u64 address, const struct channel *channel, u32 indices, u32 of, u32 back)
{
	u64 at[2], slot;

	if (!channel->capacity || channel->count > channel->capacity ||
	    bpf_probe_read_user(at, sizeof(at), (void *)(address + indices)))
		return 0;
	if (at[0] >= channel->capacity || at[1] >= channel->capacity)
		return 0;
	if (at[1] + channel->count != at[0] && at[1] + channel->count != at[0] + channel->capacity)
		return 0;
	slot = of ? at[1] : at[0];
	if (back)
		slot = (slot ? slot : channel->capacity) - 1;
	return channel->buffer + slot * channel->element;
}

static __always_inline bool holds(u64 address, u64 slot)
{
	struct channel channel;
	u64 at;

	if (bpf_probe_read_user(&channel, sizeof(channel), (void *)address) || !channel.element)
		return false;
	at = slot - channel.buffer;
	return slot >= channel.buffer && channel.count <= channel.capacity && channel.capacity < (1ull << 32) &&
	       at < channel.capacity * channel.element && at % channel.element == 0;
}

SEC("uprobe")
int channel_event(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct record_go_channel *record;
	struct go_layout *layout;
	struct channel channel;
	u64 cookie, goroutine, address = 0, slot = 0, partner = 0;
	u32 file, number, indices;
	u8 act;

	KEEP_THREAD_STACK(ctx, after_probe);
	if (!task_state(task))
		return 0;
	cookie = bpf_get_attach_cookie(ctx);
	file = GO_COOKIE_FILE(cookie);
	act = GO_COOKIE_ACT(cookie);
	number = GO_COOKIE_NUMBER(cookie);
	indices = number >> 8;
	layout = bpf_map_lookup_elem(&go_files, &file);
	if (!layout)
		return 0;
	if (grows_stack(ctx, cookie & GO_SKIP_BELOW_OR_EQUAL))
		return 0;
	goroutine = REGISTER(ctx, GO_GOROUTINE);
	address = REGISTER(ctx, GO_0);
	if (act == GO_SELECT_PUTS || act == GO_SELECT_TAKES) {
		if (!user_word(address)) /* a type begins with its size */
			return 0;
		slot = REGISTER(ctx, GO_1);
		if (act == GO_SELECT_TAKES)
			slot = REGISTER(ctx, GO_2);
		/* The compilers of all releases so far keep the channel here. */
		address = REGISTER(ctx, GO_CHANNEL_KEPT);
		if (!holds(address, slot)) {
			address = REGISTER(ctx, GO_3);
			if (!holds(address, slot))
				address = 0;
		}
	} else {
		if (act == GO_PUT || act == GO_TOOK)
			address -= number & 0xff;
		if (bpf_probe_read_user(&channel, sizeof(channel), (void *)address) || !channel.element)
			return 0;
		if (act == GO_GIVES || act == GO_FETCHES) {
			partner = REGISTER(ctx, GO_1);
			partner = number_of(layout, user_word(partner));
			/* The first value of a full buffer is taken, and the waiting sender's value goes behind the
			 * last: into the same slot. */
			if (act == GO_FETCHES && channel.capacity) {
				act = GO_EXCHANGES;
				slot = slot_of(address, &channel, indices, 1, 0);
			}
		} else {
			slot = slot_of(address, &channel, indices, act == GO_TOOK, 1);
		}
	}
	record = reserve(sizeof(*record), RECORD_GO_CHANNEL, NULL);
	if (!record)
		return 0;
	fill_head(&record->h, task, RECORD_GO_CHANNEL, bpf_ktime_get_ns());
	record->goroutine = number_of(layout, goroutine);
	record->channel = address;
	record->slot = slot;
	record->partner = partner;
	record->act = act;
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
	return 0;
}
