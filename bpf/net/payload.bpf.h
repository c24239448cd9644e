/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Selects the bytes of an I/O that are kept, and reads them from the caller's buffer.
 *
 * The arguments of the current system call locate the buffer. Its number is checked before any argument is used as a
 * pointer: reading user memory costs 75 ns, a read that faults a microsecond.
 */
#ifndef TAILCAP_BPF_NET_PAYLOAD_H
#define TAILCAP_BPF_NET_PAYLOAD_H

#include "bpf/net/scratch.bpf.h"

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
	u64 nr = CALL_NUMBER(regs);

	from->base = 0;
	from->size = 0;
	from->syscall = nr < 1024 ? nr : NO_SYSCALL;
	from->segments = 0;
	from->whole = true;
	from->payload = PAYLOAD_NO_BUFFER;
	if (FIELD(task, flags) & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)) {
		from->syscall = NO_SYSCALL;
		return;
	}
	if (IN_32_BIT_CALL(task)) {
		from->payload = PAYLOAD_UNSUPPORTED;
		from->syscall = NO_SYSCALL;
		return;
	}
	if (number_only) {
		from->payload = PAYLOAD_CAPTURED;
		return;
	}
	if (nr == NR_read || nr == NR_write || nr == NR_sendto || nr == NR_recvfrom) {
		from->base = CALL_1(regs);
		from->size = CALL_2(regs);
		from->segments = 1;
	} else if (nr == NR_readv || nr == NR_writev) {
		if (!read_segments(way, CALL_1(regs), CALL_2(regs), from)) {
			from->payload = PAYLOAD_FAULT;
			return;
		}
	} else if (nr == NR_sendmsg || nr == NR_recvmsg) {
		if (bpf_probe_read_user(&header, sizeof(header), (void *)CALL_1(regs)) ||
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

#define HTTP2_PREFACE 0x20495250           /* PRI_ */
#define AMQP_PREFACE 0x0109000050514d41ull /* AMQP, version 0-9-1 */
#define TLS_HEADER 5
#define TLS_HANDSHAKE 0x16
#define TLS_RECORD_MAX (16384 + 2048)

/* Whether these are the first four bytes of an HTTP/1 message, or of the HTTP/2 preface. A function of its own: the
 * verifier would otherwise follow every caller through all its cases. */
__noinline int starts_message(u32 word);

/* What an I/O of length bytes may begin by its first eight: FRAMING_CALLS, FRAMING_AMQP or FRAMING_NONE. */
__noinline int starts_call(u64 first, u32 length);

/* Heads of frames are followed. */
static __always_inline bool has_frames(u8 framing)
{
	return (u8)(framing - FRAMING_TLS) <= FRAMING_AMQP - FRAMING_TLS;
}

/* Messages may begin anywhere in an I/O: if they are not followed, each I/O gets the whole budget. */
static __always_inline bool many_messages(u8 framing)
{
	return framing >= FRAMING_HTTP2;
}

static __always_inline bool message_start(const u8 *data)
{
	return starts_message(*(const u32 *)data);
}

/* Bytes of the next I/O that are always kept, whether or not a message begins with it. */
static __always_inline u32 least_kept(u8 framing, u32 budget)
{
	u32 least = payload_limit < HEAD_MIN ? payload_limit : HEAD_MIN;

	if (many_messages(framing))
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
	if ((!now || now == FRAMING_CALLS) && length >= TLS_HEADER && tls_start(data))
		return FRAMING_TLS;
	if ((now == FRAMING_TLS || now == FRAMING_CALLS) && length >= 4 && message_start(data))
		return FRAMING_NONE;
	if (!now && length >= 8)
		return starts_call(*(const u64 *)data, length);
	return now;
}

/* A message start gets a new budget; kept bytes are deducted from it. framing: the result of framing_of for these
 * bytes. */
static __always_inline u32 budget_for(u8 framing, u32 budget, const u8 *data, u32 length)
{
	/* Too short to decide: the beginning of a message may be cut anywhere. */
	return length < 4 || many_messages(framing) || message_start(data) ? payload_limit : budget;
}

static __always_inline void keep_budget(struct socket_state *state, u32 way, const u8 *data, u32 kept)
{
	struct direction_state *direction = &state->direction[way & 1];
	u32 budget;

	state->framing = framing_of(state->framing, data, kept);
	budget = budget_for(state->framing, direction->budget, data, kept);
	direction->budget = budget > kept ? budget - kept : 0;
}

/* Several pieces: copies bytes [from, from + size) of the I/O to scratch->data + to. Returns how many; more than
 * HEAD_MAX if a piece could not be read. */
__noinline u32 gather_pieces(u32 way, u32 segments, u32 from, u32 size, u32 to);

/* Fills head, tail and payload of scratch->record for the I/O in scratch->walk. Returns the bytes in scratch->data. */
__noinline u32 keep_pieces(u32 way);

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
