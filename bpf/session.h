/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * TLS sessions of targets: which exist, their descriptions, and the plaintext that they move.
 *
 * Programs at user functions may be preempted, unlike those at tracepoints: they have exclusive use of per-CPU data
 * only after acquiring it (take_scratch).
 */
#ifndef TAILCAP_BPF_SESSION_H
#define TAILCAP_BPF_SESSION_H

#include "bpf/io.h"

#define TLS_SESSION_BIT (1ull << 62) /* formats::kTlsSessionBit */

enum tls_step { STEP_SEEN, STEP_HANDSHAKE, STEP_FAILED, STEP_SHUTDOWN, STEP_FREED };

const volatile __u32 sessions_kept = 0; /* this many are never evicted */

/* Limits handshakes without an end: a program that repeats them for ever must not fill the ring. */
#define HANDSHAKES_TOLD 64

/* Identifies the process uniquely: numbers and addresses are reused. */
struct session_key {
	u64 object; /* SSL, gnutls_session_t, tls.Conn */
	u64 memory; /* struct mm_struct: differs after exec */
	u64 started;
};

struct tls_session {
	struct socket_state stream; /* cookie: the session's number; counted: plaintext bytes moved */
	u8 library;
	u8 handshakes;
	bool prepared; /* its handshake becomes part of the first call */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct session_key);
	__type(value, struct tls_session);
} tls_sessions SEC(".maps");

__u64 tls_session_count = 0;
__u64 tls_sessions_ended = 0;

static __always_inline void forget_session(struct session_key *key)
{
	if (!bpf_map_delete_elem(&tls_sessions, key))
		__sync_fetch_and_add(&tls_sessions_ended, 1);
}

/* Sessions whose end is not seen stay in the map until others need their entries. Once there are more than are
 * guaranteed to be kept, a session that is met in its middle may be an evicted one. */
static __always_inline bool may_be_forgotten(void)
{
	return tls_session_count - tls_sessions_ended >= sessions_kept;
}

/* Acquires a scratch memory. Its number replaces the direction, which is its lowest bit; less than 2: preempted
 * programs on this CPU have them all. */
static __always_inline u32 take_scratch(u32 way)
{
	for (u32 i = 1; i <= SCRATCHES_SHARED; i++) {
		u32 key = 2 * i + way;
		struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &key);

		if (scratch && !__sync_val_compare_and_swap(&scratch->taken, 0, 1))
			return key;
	}
	return way;
}

static __always_inline void tell_step(struct tls_session *session, struct task_struct *task, u8 step, s32 code,
				      u64 time)
{
	struct record_tls_step *record = reserve(sizeof(*record), RECORD_TLS_STEP, &session->stream.missed);

	if (!record)
		return;
	fill_head(&record->h, task, RECORD_TLS_STEP, time);
	record->session = session->stream.cookie;
	record->code = code;
	record->library = session->library;
	record->step = step;
	record->unused = 0;
	record->goroutine = running_goroutine();
	bpf_ringbuf_submit(record, wake_flag(time));
}

static __always_inline void fill_key(struct session_key *key, struct task_struct *task, u64 object)
{
	key->object = object;
	key->memory = (u64)task->mm;
	key->started = task->group_leader->start_time;
}

/* Adds a session. Null if it cannot be kept. Not inlined: its stack would count with that of all functions that it
 * calls. */
static __noinline struct tls_session *new_session(const struct session_key *key, u8 library)
{
	struct tls_session fresh;

	__builtin_memset(&fresh, 0, sizeof(fresh));
	fresh.stream.family = AF_UNIX; /* positions count bytes, as for UNIX sockets */
	fresh.stream.cookie = TLS_SESSION_BIT | (__sync_fetch_and_add(&tls_session_count, 1) + 1);
	/* The first message of a session needs no proof. */
	fresh.stream.direction[OUT].budget = payload_limit;
	fresh.stream.direction[IN].budget = payload_limit;
	fresh.library = library;
	if (bpf_map_update_elem(&tls_sessions, key, &fresh, BPF_ANY)) {
		count_loss(LOSS_SESSION_TABLE, RECORD_TLS_STEP);
		return NULL;
	}
	return bpf_map_lookup_elem(&tls_sessions, key);
}

/* The session of a call that began at that time; emitted if it is new. */
static __always_inline struct tls_session *session_of(struct task_struct *task, u64 object, u8 library, u64 began)
{
	struct tls_session *session;
	struct session_key key;

	fill_key(&key, task, object);
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (session) {
		if (session->prepared) {
			session->prepared = false;
			session->handshakes++;
			tell_step(session, task, STEP_HANDSHAKE, 0, began);
		}
		return session;
	}
	if (may_be_forgotten())
		count_loss(LOSS_SESSION_TABLE, RECORD_TLS_STEP);
	session = new_session(&key, library);
	if (session)
		tell_step(session, task, STEP_SEEN, 0, began);
	return session;
}

static __always_inline void fill_plaintext(struct record_io *record, const struct tls_session *session,
					   const struct task_struct *task, u64 position, u32 length, u32 way, u64 began,
					   u8 payload)
{
	fill_head(&record->h, task, way == OUT ? RECORD_TLS_SEND : RECORD_TLS_RECEIVE, bpf_ktime_get_ns());
	record->h.length = length;
	record->socket = session->stream.cookie;
	record->position = position;
	record->began = began;
	record->syscall = NO_SYSCALL;
	record->payload = payload;
	record->flags = 0;
	record->head = 0;
	record->tail = 0;
	record->goroutine = running_goroutine();
}

/* Like emit_small() for sockets. */
static __always_inline void plaintext_small(struct tls_session *session, struct task_struct *task, u64 position,
					    u32 length, u32 way, u64 began, const struct source *from, const u32 room)
{
	struct record_io *record = reserve(sizeof(*record) + room, way == OUT ? RECORD_TLS_SEND : RECORD_TLS_RECEIVE,
					   &session->stream.missed);
	u8 *data = (u8 *)(record + 1);
	u32 size = length;

	if (!record)
		return;
	fill_plaintext(record, session, task, position, length, way, began, from->payload);
	record->h.missed = take_missed(&session->stream.missed);
	if (room) {
		barrier_var(size);
		if (size > room || bpf_probe_read_user(data, size, (void *)from->base)) {
			record->payload = PAYLOAD_FAULT;
		} else {
			record->head = size;
			keep_budget(&session->stream, way, data, size);
		}
	}
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
}

/* Like emit_large() for sockets. */
static __always_inline void plaintext_large(struct io_scratch *scratch, u32 number, struct tls_session *session,
					    u32 length, u32 way, const struct source *from)
{
	struct record_io *record = &scratch->record;
	u32 bytes = keep_payload(scratch, number, from, length, &session->stream);

	record->h.missed = take_missed(&session->stream.missed);
	barrier_var(bytes);
	if (bytes > HEAD_MAX + TAIL_SIZE) /* impossible; the verifier must see the check */
		bytes = 0;
	if (output(record, sizeof(*record) + bytes, wake_flag(record->h.time))) {
		count_loss(LOSS_RING_FULL, way == OUT ? RECORD_TLS_SEND : RECORD_TLS_RECEIVE);
		__sync_fetch_and_add(&session->stream.missed, record->h.missed + 1);
	}
}

/* Uses a scratch memory to follow HTTP/2 frames, or to select the bytes to keep as for sockets. False: there is no free
 * memory. */
static __always_inline bool plaintext_walked(struct tls_session *session, struct task_struct *task, u64 position,
					     u32 length, u32 way, u64 began, struct source *from)
{
	struct socket_state *stream = &session->stream;
	u32 number = take_scratch(way);
	struct io_scratch *scratch;

	scratch = bpf_map_lookup_elem(&scratches, &number);
	if (!scratch || number < 2) {
		from->payload = PAYLOAD_FAULT;
		return false;
	}
	fill_plaintext(&scratch->record, session, task, position, length, way, began, from->payload);
	if (stream->framing || !stream->direction[way & 1].begun) {
		scratch->record.h.missed = take_missed(&stream->missed);
		if (walk_frames(scratch, stream, number, position, length, from, 0))
			goto out;
		if (scratch->record.h.missed)
			__sync_fetch_and_add(&stream->missed, scratch->record.h.missed);
		fill_plaintext(&scratch->record, session, task, position, length, way, began, from->payload);
	}
	plaintext_large(scratch, number, session, length, way, from);
out:
	__sync_val_compare_and_swap(&scratch->taken, 1, 0);
	return true;
}

/* length bytes were moved from or to buffer; 0: not in a buffer of the caller. No bytes: the end of the incoming
 * stream. */
static __always_inline void emit_plaintext(struct tls_session *session, struct task_struct *task, u32 way, u64 buffer,
					   u32 length, u64 began)
{
	u64 position = __sync_fetch_and_add(&session->stream.direction[way & 1].counted, (u64)length);
	struct source from = {
		.base = buffer,
		.size = length,
		.syscall = NO_SYSCALL,
		.payload = payload_limit ? PAYLOAD_CAPTURED : PAYLOAD_OFF,
		.segments = 1,
		.whole = true,
	};

	if (payload_limit && !buffer)
		from.payload = PAYLOAD_NO_BUFFER;
	if (!length) {
		plaintext_small(session, task, position, 0, way, began, &from, 0);
		return;
	}
	if (session->stream.framing &&
	    (from.payload != PAYLOAD_CAPTURED || all_bulk(&session->stream, way, position, length))) {
		step_over(&session->stream, way, position, length);
		plaintext_small(session, task, position, length, way, began, &from, 0);
	} else if (from.payload != PAYLOAD_CAPTURED)
		plaintext_small(session, task, position, length, way, began, &from, 0);
	else if (session->stream.framing || !session->stream.direction[way & 1].begun || length > 512 ||
		 length > at_least(&session->stream, way)) {
		if (!plaintext_walked(session, task, position, length, way, began, &from))
			plaintext_small(session, task, position, length, way, began, &from, 0);
	} else if (length <= 64)
		plaintext_small(session, task, position, length, way, began, &from, 64);
	else
		plaintext_small(session, task, position, length, way, began, &from, 512);
}

#endif
