// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reads the bytes of an I/O from the pieces of the caller's buffer.
 */
#include "bpf/net/payload.bpf.h"

struct scratches scratches SEC(".maps");

__noinline int starts_message(u32 word)
{
	switch (word) {
	case 0x50545448: /* HTTP */
	case 0x20544547: /* GET_ */
	case 0x54534f50: /* POST */
	case 0x20545550: /* PUT_ */
	case 0x44414548: /* HEAD */
	case 0x454c4544: /* DELE */
	case 0x4954504f: /* OPTI */
	case 0x43544150: /* PATC */
	case 0x4e4e4f43: /* CONN */
	case 0x43415254: /* TRAC */
	case HTTP2_PREFACE:
		return 1;
	}
	return 0;
}

static __always_inline u32 byte_of(u64 first, u32 i)
{
	return first >> (8 * i) & 0xff;
}

__noinline int starts_call(u64 first, u32 length)
{
	u32 whole = first & 0xffffff;

	if (length < 8)
		return FRAMING_NONE;
	if (first == AMQP_PREFACE)
		return FRAMING_AMQP;
	/* Redis: *3 CR, *12 CR */
	if (byte_of(first, 0) == '*' && byte_of(first, 1) >= '1' && byte_of(first, 1) <= '9' &&
	    (byte_of(first, 2) == '\r' || byte_of(first, 3) == '\r'))
		return FRAMING_CALLS;
	/* PostgreSQL: query, parse, bind. The first message has no type, but the version. */
	if (whole == 'Q' || whole == 'P' || whole == 'B')
		return FRAMING_CALLS;
	if (!(whole & 0xffff) && first >> 32 == 0x0300)
		return FRAMING_CALLS;
	/* MySQL: a query, a statement that is prepared, or executed */
	if (!byte_of(first, 3) && whole + 4 == length &&
	    (byte_of(first, 4) == 0x03 || byte_of(first, 4) == 0x16 || byte_of(first, 4) == 0x17))
		return FRAMING_CALLS;
	/* Kafka: the size of all of it, an API and its version. No frame of HTTP/2 has as its first word the length of
	 * the I/O; eight bytes may be no more than the beginning. */
	if (length > 8 && !byte_of(first, 0) && !byte_of(first, 4) && byte_of(first, 5) < 128 && !byte_of(first, 6) &&
	    byte_of(first, 7) < 32 && __builtin_bswap32((u32)first) + 4 == length)
		return FRAMING_CALLS;
	/* AMQP: a method on a channel, with a size below 2^24, of a class below 256 */
	if (byte_of(first, 0) == 1 && !byte_of(first, 3) && !byte_of(first, 7))
		return FRAMING_CALLS;
	switch ((u32)first) {
	case 0x20425550: /* NATS: PUB_ */
	case 0x42555048: /* HPUB */
	case 0x2047534d: /* MSG_ */
	case 0x47534d48: /* HMSG */
	/* memcached */
	case 0x20746567: /* get_ */
	case 0x73746567: /* gets */
	case 0x20746573: /* set_ */
	case 0x20646461: /* add_ */
	case 0x656c6564: /* dele */
	case 0x72636e69: /* incr */
	case 0x72636564: /* decr */
		return FRAMING_CALLS;
	}
	return FRAMING_NONE;
}

/* The loops over pieces are calls of bpf_loop: the verifier looks once at what is called, not once per piece. What they
 * have in common is in scratch->gather. */

/* Stops at the piece that contains the byte gather->skip of those from this piece on. */
STEP long pass_piece(u32 i, void *way)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, way);
	struct gathering *gather;

	if (!scratch || i >= SEGMENTS_MAX)
		return 1;
	gather = &scratch->gather;
	if (gather->skip < scratch->iov[i].length)
		return 1;
	gather->skip -= scratch->iov[i].length;
	gather->piece = i + 1;
	return 0;
}
LOOPED(pass_piece)

/* Copies the next piece, from its byte gather->skip on. */
STEP long gather_piece(u32 i, void *way)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, way);
	struct gathering *gather;
	u32 piece, to, size, skip;
	u64 rest;

	if (!scratch)
		return 1;
	gather = &scratch->gather;
	piece = gather->piece;
	to = gather->to;
	size = gather->left;
	if (piece >= gather->segments || !size)
		return 1;
	gather->failed = true;
	if (piece >= SEGMENTS_MAX || to > HEAD_MAX + LEAD_MAX)
		return 1;
	skip = gather->skip;
	rest = scratch->iov[piece].length - skip;
	if (size > rest)
		size = rest;
	if (size > HEAD_MAX)
		return 1;
	/* the address of an empty piece may be anything */
	if (size && bpf_probe_read_user(scratch->data + to, size, (void *)(scratch->iov[piece].base + skip)))
		return 1;
	gather->failed = false;
	gather->piece = piece + 1;
	gather->skip = 0;
	gather->to = to + size;
	gather->left -= size;
	return 0;
}
LOOPED(gather_piece)

__noinline u32 gather_pieces(u32 way, u32 segments, u32 from, u32 size, u32 to)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	struct gathering *gather;

	if (!scratch || segments > SEGMENTS_MAX)
		return HEAD_MAX + 1;
	gather = &scratch->gather;
	gather->segments = segments;
	gather->piece = 0;
	gather->skip = from;
	gather->to = to;
	gather->left = size;
	gather->failed = false;
	if (from)
		LOOP(segments, SEGMENTS_MAX, pass_piece, way);
	LOOP(segments, SEGMENTS_MAX, gather_piece, way);
	return gather->failed ? HEAD_MAX + 1 : size - gather->left;
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
