/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Selects the bytes of an I/O that are kept, and reads them from the caller's buffer.
 *
 * The arguments of the current system call locate the buffer. Its number is checked before any argument is used as a
 * pointer: reading user memory costs 75 ns, a read that faults a microsecond.
 */
#ifndef TAILCAP_BPF_PAYLOAD_H
#define TAILCAP_BPF_PAYLOAD_H

#include "bpf/maps.h"

/* The location of the bytes. A single piece, the usual case, stays in registers; several are in scratch->iov. */
struct source {
	u64 base;
	u64 size; /* of the piece, if there is only one */
	u16 syscall;
	u16 segments;
	u8 payload; /* PAYLOAD_CAPTURED: there is a buffer */
	bool whole; /* there are no further segments, so the end can be found */
};

static __always_inline bool read_segments(u32 way, u64 vector, u64 count, struct source *from)
{
	struct io_scratch *scratch;
	struct user_iovec one;

	if (count == 1) {
		if (bpf_probe_read_user(&one, sizeof(one), (void *)vector))
			return false;
		from->base = one.base;
		from->size = one.length;
		from->segments = 1;
		return true;
	}
	from->whole = count <= SEGMENTS_MAX;
	if (count > SEGMENTS_MAX)
		count = SEGMENTS_MAX;
	from->segments = count;
	if (!count)
		return true;
	scratch = bpf_map_lookup_elem(&scratches, &way);
	return scratch && !bpf_probe_read_user(scratch->iov, count * sizeof(struct user_iovec), (void *)vector);
}

/* number_only: only the system call's number is needed, not the bytes. */
static __always_inline void find_source(u32 way, struct task_struct *task, const struct pt_regs *regs, bool number_only,
					struct source *from)
{
	struct user_msghdr header;
	u64 nr = regs->orig_ax;

	from->base = 0;
	from->size = 0;
	from->syscall = nr < 1024 ? nr : NO_SYSCALL;
	from->segments = 0;
	from->whole = true;
	from->payload = PAYLOAD_NO_BUFFER;
	if (task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)) {
		from->syscall = NO_SYSCALL;
		return;
	}
	if (task->thread_info.status & TS_COMPAT) {
		from->payload = PAYLOAD_UNSUPPORTED;
		from->syscall = NO_SYSCALL;
		return;
	}
	if (number_only) {
		from->payload = PAYLOAD_CAPTURED;
		return;
	}
	if (nr == NR_read || nr == NR_write || nr == NR_sendto || nr == NR_recvfrom) {
		from->base = regs->si;
		from->size = regs->dx;
		from->segments = 1;
	} else if (nr == NR_readv || nr == NR_writev) {
		if (!read_segments(way, regs->si, regs->dx, from)) {
			from->payload = PAYLOAD_FAULT;
			return;
		}
	} else if (nr == NR_sendmsg || nr == NR_recvmsg) {
		if (bpf_probe_read_user(&header, sizeof(header), (void *)regs->si) ||
		    !read_segments(way, header.iov, header.iov_length, from)) {
			from->payload = PAYLOAD_FAULT;
			return;
		}
	} else {
		if (nr == NR_sendmmsg || nr == NR_recvmmsg)
			from->payload = PAYLOAD_UNSUPPORTED;
		return;
	}
	from->payload = PAYLOAD_CAPTURED;
}

#define HTTP2_PREFACE 0x20495250 /* PRI_ */
#define TLS_HEADER 5
#define TLS_HANDSHAKE 0x16
#define TLS_RECORD_MAX (16384 + 2048)

/* The first four bytes of every HTTP/1 message, and of the HTTP/2 preface. */
static __always_inline bool message_start(const u8 *data)
{
	switch (*(const u32 *)data) {
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
		return true;
	}
	return false;
}

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

/* Several pieces: copies bytes [from, from + size) of the I/O to scratch->data + to. Returns how many; more than
 * HEAD_MAX if a piece could not be read. This is a separate function because the verifier would otherwise follow every
 * caller through the loop. The search is separate because a loop with two paths per iteration has too many states for
 * Linux 6.1. */
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

/* Bytes of the next I/O that are always kept, whether or not a message begins with it. If HTTP/2 frames are not
 * followed (bpf/frames.h), their heads may be anywhere, so each I/O gets the whole budget. */
static __always_inline u32 least_kept(u8 framing, u32 budget)
{
	u32 least = payload_limit < HEAD_MIN ? payload_limit : HEAD_MIN;

	if (framing == FRAMING_HTTP2)
		return payload_limit;
	return budget > least ? budget : least;
}

static __always_inline u32 at_least(const struct socket_state *state, u32 way)
{
	return least_kept(state->framing, state->direction[way & 1].budget);
}

/* The first record of a handshake, from either end. */
static __always_inline bool tls_start(const u8 *data)
{
	u32 length = data[3] << 8 | data[4];

	return data[0] == TLS_HANDSHAKE && data[1] == 3 && data[2] <= 4 && length && length <= TLS_RECORD_MAX;
}

/* Guesses the connection's framing from the first bytes of an I/O. A wrong guess costs payload, not facts: lengths and
 * positions do not depend on it. */
static __always_inline u8 framing_of(u8 now, const u8 *data, u32 length)
{
	if (length >= 4 && *(const u32 *)data == HTTP2_PREFACE)
		return FRAMING_HTTP2;
	if (!now && length >= TLS_HEADER && tls_start(data))
		return FRAMING_TLS;
	if (now == FRAMING_TLS && length >= 4 && message_start(data))
		return FRAMING_NONE;
	return now;
}

/* A message start gets a new budget; kept bytes are deducted from it. framing: the result of framing_of for these
 * bytes. */
static __always_inline u32 budget_for(u8 framing, u32 budget, const u8 *data, u32 length)
{
	/* Too short to decide: the beginning of a message may be cut anywhere. */
	return length < 4 || framing == FRAMING_HTTP2 || message_start(data) ? payload_limit : budget;
}

static __always_inline void keep_budget(struct socket_state *state, u32 way, const u8 *data, u32 kept)
{
	struct direction_state *direction = &state->direction[way & 1];
	u32 budget;

	state->framing = framing_of(state->framing, data, kept);
	budget = budget_for(state->framing, direction->budget, data, kept);
	direction->budget = budget > kept ? budget - kept : 0;
}

/* Fills head, tail and payload of scratch->record for the I/O in scratch->walk. Returns the bytes in scratch->data. */
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

/* The same for length bytes moved from or to these pieces. */
static __always_inline u32 keep_payload(struct io_scratch *scratch, u32 way, const struct source *from, u32 length,
					struct socket_state *state)
{
	struct walk *walk = &scratch->walk;
	u32 bytes;

	scratch->record.payload = from->payload;
	walk->base = from->base;
	walk->size = from->size;
	walk->segments = from->segments;
	walk->complete = from->whole;
	walk->length = length;
	walk->framing = state->framing;
	walk->budget = state->direction[way & 1].budget;
	bytes = keep_pieces(way);
	state->framing = walk->framing;
	state->direction[way & 1].budget = walk->budget;
	return bytes;
}

#endif
