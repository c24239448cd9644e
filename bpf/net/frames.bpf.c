// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Follows the frames of an I/O (bpf/net/frames.bpf.h).
 *
 * The state of the walk is in the scratch memory, and its steps are separate functions: the verifier checks each of
 * them once or twice, not once per loop iteration.
 */
#include "bpf/net/frames.bpf.h"
#include <bpf/bpf_endian.h>

struct tls_heads tls_heads SEC(".maps");

#ifdef OLDER_KERNEL
#define STEPS_MAX 4096 /* the verifier follows each */
#else
#define STEPS_MAX 65536 /* frames in one I/O: the smallest in 576 KiB; the work is proportional to its bytes */
#endif
#define WALK_CHUNK 256 /* bytes per read: costs no more than reading the nine bytes of a header */
#define MERGE_MAX 128  /* bytes between two ranges; a separate record costs as much */
#define HOPS 24        /* headers that the verifier has to see in one loop: it takes fewer steps for nested loops */

/* frames->header is complete: parses it. False: it is not a valid header, and frames cannot be followed. */
static __always_inline bool enter_frame(struct walk *walk, u64 socket, bool strict)
{
	struct frame_state *frames = &walk->frames;

	frames->have = 0;
	if (walk->framing == FRAMING_TLS)
		frames->synced = enter_tls(frames, socket);
	else if (walk->framing == FRAMING_AMQP)
		frames->synced = enter_amqp(frames, strict);
	else
		frames->synced = enter_http2(frames, strict);
	return frames->synced;
}

/* When it returns 0, data holds bytes [start, start + want) of the I/O, and more of them if available. */
__noinline int walk_fill(u32 way, u32 want, u32 more)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	struct walk *walk;
	u32 have, rest, size, from, to;

	if (!scratch)
		return -1;
	walk = &scratch->walk;
	have = walk->filled;
	rest = walk->length - walk->start;
	if (have >= want)
		return 0;
	if (want > rest || want > HEAD_MAX)
		return -1;
	if (more > want)
		want = least_of(more, least_of(rest, HEAD_MAX));
	size = want - have;
	from = walk->start + have;
	to = have + walk->lead;
	if (to > HEAD_MAX + LEAD_MAX)
		return -1;
	if (walk->segments == 1) {
		if ((u64)from + size > walk->size)
			return -1;
		barrier_var(size);
		if (size > HEAD_MAX)
			return -1;
		if (bpf_probe_read_user(scratch->data + to, size, (void *)(walk->base + from)))
			return -1;
	} else if (gather_pieces(way, walk->segments, from, size, to) != size) {
		return -1;
	}
	walk->filled = want;
	return 0;
}

/* Emits bytes [start, end) of the I/O as a record. */
__noinline int walk_tell(u32 way, u32 end)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	struct record_io *record;
	struct walk *walk;
	u32 kept, size;
	u64 position;

	if (!scratch)
		return 0;
	record = &scratch->record;
	walk = &scratch->walk;
	kept = walk->kept;
	if (kept > HEAD_MAX)
		kept = HEAD_MAX;
	if (kept && walk_fill(way, kept, 0)) {
		record->payload = PAYLOAD_FAULT;
		kept = 0;
	}
	position = walk->position + walk->start;
	record->position = walk->wide ? position : (u32)position;
	record->h.length = end - walk->start;
	record->head = kept;
	if (walk->parts) {
		record->flags |= IO_CONTINUED;
		record->h.missed = 0;
	}
	size = kept + walk->lead;
	barrier_var(size);
	if (size > HEAD_MAX + LEAD_MAX)
		return 0;
	/* A large record may jump over the window in which the reader is woken: check each time. */
	if (output_after(record, sizeof(*record) + size, wake_flag(kept > 1024 ? 0 : record->h.time), &walk->spilled)) {
		count_loss(LOSS_RING_FULL, record->h.kind & (RECORD_KINDS - 1));
		walk->dropped += record->h.missed + 1;
	}
	walk->parts++;
	walk->start = end;
	walk->filled = 0;
	walk->kept = 0;
	return 0;
}

/* Continues with the header in which the previous I/O ended. */
__noinline int walk_resume(u32 way)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	struct walk *walk;
	u32 have, need, lead;

	if (!scratch)
		return 0;
	walk = &scratch->walk;
	lead = walk->lead;
	have = walk->frames.have;
	need = header_size(walk->framing);
	if (have >= need || lead > LEAD_MAX)
		return 0;
	need = least_of(need - have, walk->length);
	if (walk_fill(way, need, WALK_CHUNK)) {
		walk->frames.synced = 0;
		return 0;
	}
	for (u32 i = 0; i < HTTP2_HEADER; i++) {
		if (i >= have && i < have + need && i - have < HTTP2_HEADER)
			walk->frames.header[i] = scratch->data[lead + (i - have)];
	}
	walk->frames.have = have + need;
	walk->at = walk->kept = need;
	if (walk->frames.have == header_size(walk->framing))
		enter_frame(walk, scratch->record.socket, false);
	return 0;
}

/* Steps over one frame's payload and the header after it. 1: the end of the I/O, or of the part that can be parsed. For
 * bpf_loop, and not through another function: calls can be nested eight deep, and tier C needs all of them. */
STEP long walk_step(u32 i, void *context)
{
	u32 way = *(u32 *)context;
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	struct frame_state *frames;
	struct walk *walk;
	u32 n, offset, whole, size, base;
	bool full = false;

	if (!scratch)
		return 1;
	walk = &scratch->walk;
	frames = &walk->frames;
	if (!frames->synced)
		return 1;
	n = least_of(walk->length - walk->at, frames->left);
	size = least_of(n, frames->keep);
	if (tls_by_keys && size && walk->start + walk->kept == walk->at && walk->kept + size > HEAD_MAX) {
		/* a long record: several events */
		n = size = HEAD_MAX - least_of(walk->kept, HEAD_MAX);
		full = true;
	}
	if (walk->start + walk->kept == walk->at)
		walk->kept = least_of(walk->kept + size, HEAD_MAX);
	frames->keep -= size;
	frames->left -= n;
	walk->at += n;
	if (walk->at >= walk->length)
		return 1;
	if (full) {
		walk_tell(way, walk->at);
		return 0;
	}
	if (tls_by_keys && enter_tail(frames)) {
		if (walk->start + walk->kept != walk->at)
			walk_tell(way, walk->at);
		return 0;
	}

	whole = header_size(walk->framing);
	offset = walk->at - walk->start;
	if (offset - walk->kept > MERGE_MAX || offset + whole > HEAD_MAX) {
		walk_tell(way, walk->at);
		offset = 0;
	}
	walk->kept = offset;
	size = least_of(walk->length - walk->at, whole);
	if (walk_fill(way, offset + size, offset + WALK_CHUNK)) {
		frames->synced = 0;
		return 1;
	}
	base = walk->lead + offset;
	if (base > HEAD_MAX + LEAD_MAX)
		return 1;
	for (u32 i = 0; i < HTTP2_HEADER; i++) /* for a shorter header the extra bytes do no harm */
		frames->header[i] = scratch->data[base + i];
	if (size < whole) {
		frames->have = size;
	} else {
		enter_frame(walk, scratch->record.socket, false);
		/* there is no room for its kept bytes after those kept so far */
		if (frames->synced && offset && offset + whole + frames->keep > HEAD_MAX)
			walk_tell(way, walk->at);
	}
	walk->kept += size;
	walk->at += size;
	return frames->have || !frames->synced;
}
LOOPED(walk_step)

/* Steps from the header at walk->at to the last header that is entirely in data. Returns where the last one's frame
 * ends. A separate loop without branches: a step costs 45 ns, an iteration of this loop 3 ns. */
__noinline u32 walk_hop(u32 way)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	u32 at, last, length, lead, whole, skip, shift, mask, behind;

	if (!scratch)
		return 0;
	lead = scratch->walk.lead;
	length = scratch->walk.length;
	at = last = scratch->walk.at;
	whole = header_size(scratch->walk.framing);
	/* skip: offset of the four header bytes that hold the length; shift, mask: its format in them; behind: what
	 * follows the frame */
	skip = shift = behind = 0;
	mask = 0xffffff;
	if (scratch->walk.framing == FRAMING_TLS) {
		skip = 1;
		mask = 0xffff;
	} else if (scratch->walk.framing == FRAMING_AMQP) {
		skip = 3;
		behind = AMQP_FRAME_END;
	} else {
		shift = 8;
	}
	if (lead > LEAD_MAX)
		return 0;
	for (u32 i = 0; i < HOPS; i++) {
		if (at > HEAD_MAX || at + whole > length)
			break;
		last = at;
		at += whole + behind + (bpf_ntohl(*(u32 *)(scratch->data + lead + at + skip)) >> shift & mask);
	}
	scratch->walk.at = last;
	return at;
}

/* A short I/O that is kept whole: all of it is in data, and only the end of its last frame matters. */
__noinline int walk_whole(u32 way)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	struct frame_state *frames;
	struct walk *walk;
	u32 at, end = 0, size, base, whole;

	if (!scratch)
		return 0;
	walk = &scratch->walk;
	frames = &walk->frames;
	whole = header_size(walk->framing);
	size = least_of(frames->left, walk->length - walk->at);
	frames->left -= size;
	frames->keep -= least_of(frames->keep, size);
	walk->at += size;
	if (walk->at < walk->length) {
		for (u32 i = 0; i < WHOLE_MAX / AMQP_HEADER / HOPS + 1; i++) {
			end = walk_hop(way);
			if (end > HEAD_MAX || end + whole > walk->length)
				break;
			walk->at = end;
		}
		at = end < walk->length ? end : walk->at; /* of the last header, complete or not */
		base = walk->lead + at;
		if (base > HEAD_MAX + LEAD_MAX)
			return 0;
		for (u32 i = 0; i < HTTP2_HEADER; i++)
			frames->header[i] = scratch->data[base + i];
		size = walk->length - at;
		if (size < whole) {
			frames->have = size;
		} else if (enter_frame(walk, scratch->record.socket, false)) {
			frames->left -= size - whole;
			frames->keep -= least_of(frames->keep, size - whole);
		}
	}
	walk->kept = walk->length;
	walk->at = walk->length;
	return 0;
}

/* Finds out what the connection carries from the first bytes of a direction. */
__noinline int walk_sniff(u32 way)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	struct walk *walk;
	u32 lead, n;

	if (!scratch)
		return 0;
	walk = &scratch->walk;
	lead = walk->lead;
	n = least_of(walk->length, 8);
	if (lead > LEAD_MAX || walk_fill(way, n, WALK_CHUNK))
		return 0;
	if (!walk->framing)
		walk->framing = framing_of(FRAMING_NONE, scratch->data + lead, n);
	/* Known by these bytes, or by the first of the other direction: so a frame begins here. */
	walk->frames.synced = has_frames(walk->framing);
	walk->frames.have = 0;
	walk->frames.left = 0;
	if (walk->framing == FRAMING_HTTP2 && n >= 4 && *(u32 *)(scratch->data + lead) == HTTP2_PREFACE)
		walk->frames.left = HTTP2_PREFACE_SIZE;
	if (walk->framing == FRAMING_AMQP && n == 8 && *(u64 *)(scratch->data + lead) == AMQP_PREFACE)
		walk->frames.left = AMQP_PREFACE_SIZE;
	walk->frames.keep = walk->frames.left;
	return 0;
}

/* 0: the frames cannot be followed, and nothing was emitted. */
__noinline int walk_all(u32 way)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	struct walk *walk;
	u32 whole, lead;

	if (!scratch)
		return 0;
	walk = &scratch->walk;
	whole = header_size(walk->framing);
	lead = walk->lead;
	if (walk->whole && walk_fill(way, walk->length, 0))
		walk->frames.synced = 0; /* recorded as lost, with the reason */
	else if (!walk->frames.synced) {
		if (walk->length < whole || lead > LEAD_MAX || walk_fill(way, whole, WALK_CHUNK))
			return 0;
		for (u32 i = 0; i < HTTP2_HEADER; i++)
			walk->frames.header[i] = scratch->data[lead + i];
		if (!enter_frame(walk, scratch->record.socket, true))
			return 0;
		walk->at = walk->kept = whole;
	} else if (walk->frames.have) {
		walk_resume(way);
	}
	if (walk->whole) {
		if (tls_by_keys) {
			walk->frames.left += walk->frames.tail;
			walk->frames.tail = 0;
		}
		if (walk->frames.synced)
			walk_whole(way);
	} else {
		LOOP(STEPS_MAX, STEPS_MAX, walk_step, way);
	}
	if (walk->at < walk->length)
		walk->frames.synced = 0;
	if (!walk->frames.synced) /* heads may be anywhere */
		walk->kept = least_of(walk->length - walk->start, payload_limit);
	walk_tell(way, walk->length);
	return 1;
}
