// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reads the bytes of an I/O from the pieces of the caller's buffer.
 */
#include "bpf/net/payload.bpf.h"

struct scratches scratches SEC(".maps");

/* Copies up to size bytes of piece i, from its byte skip on, to scratch->data + to. Returns how many; more than
 * HEAD_MAX if it could not be read. */
__noinline u32 gather_piece(u32 way, u32 i, u32 skip, u32 size, u32 to)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	u64 rest;

	if (!scratch || i >= SEGMENTS_MAX || to > HEAD_MAX + LEAD_MAX)
		return HEAD_MAX + 1;
	rest = scratch->iov[i].length - skip;
	if (size > rest)
		size = rest;
	if (size > HEAD_MAX)
		return HEAD_MAX + 1;
	if (!size) /* the address of an empty piece may be anything */
		return 0;
	if (bpf_probe_read_user(scratch->data + to, size, (void *)(scratch->iov[i].base + skip)))
		return HEAD_MAX + 1;
	return size;
}

/* The piece that contains a byte of the I/O, in the upper half, and the byte's offset in that piece. Beyond all pieces:
 * the number of pieces. */
__noinline u64 find_piece(u32 way, u32 segments, u32 byte)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	u32 i;

	if (!scratch)
		return (u64)SEGMENTS_MAX << 32;
	for (i = 0; i < SEGMENTS_MAX; i++) {
		if (i >= segments || byte < scratch->iov[i].length)
			break;
		byte -= scratch->iov[i].length;
	}
	return (u64)i << 32 | byte;
}

/* This is a separate function because the verifier would otherwise follow every caller through the loop. The search is
 * separate because a loop with two paths per iteration has too many states for Linux 6.1. */
__noinline u32 gather_pieces(u32 way, u32 segments, u32 from, u32 size, u32 to)
{
	u64 place = find_piece(way, segments, from);
	u32 first = place >> 32, skip = place, got = 0, piece;

	for (u32 i = 0; i < SEGMENTS_MAX; i++) {
		if (first + i >= segments || got >= size)
			break;
		piece = gather_piece(way, first + i, skip, size - got, to + got);
		if (piece > HEAD_MAX)
			return piece;
		skip = 0;
		got += piece;
	}
	return got;
}

/* Reads bytes [have, want) of the I/O; false: they could not be read. */
static __always_inline bool gather(struct io_scratch *scratch, u32 way, const struct source *from, u32 want, u32 *have)
{
	u32 got = *have, piece;

	if (want > HEAD_MAX)
		want = HEAD_MAX;
	if (from->segments == 1) {
		if (want > from->size)
			want = from->size;
		if (got > HEAD_MAX || want <= got)
			return true;
		piece = want - got;
		barrier_var(piece); /* the compiler knows that it is small; the verifier must see the check */
		if (piece > HEAD_MAX)
			return true;
		if (bpf_probe_read_user(scratch->data + got, piece, (void *)(from->base + got)))
			return false;
		*have = want;
		return true;
	}
	if (!from->segments)
		return true;
	if (got > HEAD_MAX || want <= got)
		return true;
	piece = gather_pieces(way, from->segments, got, want - got, got);
	if (piece > HEAD_MAX)
		return false;
	*have = got + piece;
	return true;
}

/* Reads the last bytes of the length moved to scratch->data, after the head. Returns how many: TAIL_SIZE, less if the
 * head comes closer to the end, 0 if they cannot be read. */
static __always_inline u32 gather_tail(struct io_scratch *scratch, u32 way, const struct source *from, u32 length,
				       u32 have)
{
	u32 want = length - have, start, got;

	if (!from->whole || have > HEAD_MAX || length <= have)
		return 0;
	if (want > TAIL_SIZE)
		want = TAIL_SIZE;
	start = length - want;
	if (from->segments == 1) {
		barrier_var(have);
		if (have > HEAD_MAX || length > from->size)
			return 0;
		return bpf_probe_read_user(scratch->data + have, want, (void *)(from->base + start)) ? 0 : want;
	}
	got = gather_pieces(way, from->segments, start, want, have);
	return got == want ? want : 0;
}

__noinline u32 keep_pieces(u32 way)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	u32 least, want, have = 0, tail = 0, budget, length;
	struct source from;
	struct walk *walk;

	if (!scratch)
		return 0;
	walk = &scratch->walk;
	from.base = walk->base;
	from.size = walk->size;
	from.segments = walk->segments;
	from.whole = walk->complete;
	length = walk->length;
	least = least_kept(walk->framing, walk->budget);
	want = length < least ? length : least;
	if (!gather(scratch, way, &from, want, &have)) {
		scratch->record.payload = PAYLOAD_FAULT;
		return 0;
	}
	walk->framing = framing_of(walk->framing, scratch->data, length);
	budget = budget_for(walk->framing, walk->budget, scratch->data, length);
	want = length < budget ? length : budget;
	if (want > have && !gather(scratch, way, &from, want, &have)) {
		scratch->record.payload = PAYLOAD_FAULT;
		return 0;
	}
	walk->budget = budget > have ? budget - have : 0;
	/* Linux 6.1 follows comparisons of two registers that cannot be true, and then knows nothing of their sum. The
	 * verifier must not see how the two values were computed. */
	scratch->record.head = have;
	have = *(volatile __u16 *)&scratch->record.head;
	if (have > HEAD_MAX)
		return 0;
	if (have < length)
		tail = gather_tail(scratch, way, &from, length, have);
	scratch->record.head = have;
	scratch->record.tail = tail;
	return have + tail;
}
