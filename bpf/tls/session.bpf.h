/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * TLS sessions of targets: which exist, and their descriptions.
 */
#ifndef TAILCAP_BPF_TLS_SESSION_H
#define TAILCAP_BPF_TLS_SESSION_H

#include "bpf/core/goroutine.bpf.h"
#include "bpf/net/sampling.bpf.h"

#define TLS_SESSION_BIT (1ull << 62) /* formats::kTlsSessionBit */

enum tls_step { STEP_SEEN, STEP_HANDSHAKE, STEP_FAILED, STEP_SHUTDOWN, STEP_FREED };

extern const volatile __u32 sessions_kept; /* this many are never evicted */

/* How its plaintext is taken. */
enum session_way {
	WAY_PROBES,
	WAY_KEYS,    /* user space decrypts the records of its socket */
	WAY_NEITHER, /* which of both is not known */
};

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
	bool untold;   /* it goes over to probes: the first call tells that it exists */
	u8 way;        /* enum session_way */
	bool begun;    /* its handshake was seen to begin */
	bool whole;    /* its file had probes at reads and writes when it began */
};

struct tls_sessions {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct session_key);
	__type(value, struct tls_session);
};

extern struct tls_sessions tls_sessions SEC(".maps");

extern __u64 tls_session_count;
extern __u64 tls_sessions_ended;

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

static __always_inline void tell_step(struct tls_session *session, struct task_struct *task, u8 step, s32 code,
				      u64 time)
{
	struct record_tls_step *record;

	if (session->way != WAY_PROBES || session_left_out(&session->stream))
		return;
	record = reserve(sizeof(*record), RECORD_TLS_STEP, &session->stream.missed);
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
	key->memory = (u64)POINTER_IN(struct task_struct, task, mm);
	key->started = POINTER_IN(struct task_struct, task, group_leader)->start_time;
}

/* Adds a session. Null if it cannot be kept. Not inlined: its stack would count with that of all functions that it
 * calls. */
static __noinline struct tls_session *new_session(const struct session_key *key, u8 library, u8 way)
{
	struct tls_session fresh;

	__builtin_memset(&fresh, 0, sizeof(fresh));
	fresh.stream.family = AF_UNIX; /* positions count bytes, as for UNIX sockets */
	fresh.stream.chosen_in = plaintext_seen_since();
	fresh.stream.cookie = TLS_SESSION_BIT | (__sync_fetch_and_add(&tls_session_count, 1) + 1);
	/* The first message of a session needs no proof. */
	fresh.stream.direction[OUT].budget = payload_limit;
	fresh.stream.direction[IN].budget = payload_limit;
	fresh.library = library;
	fresh.way = way;
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
	if (session && session->way == WAY_PROBES && session_is_old(&session->stream) && !records_none()) {
		forget_session(&key);
	} else if (session && session_returns(&session->stream, task, began)) {
		forget_session(&key);
	} else if (session) {
		bind_session(&session->stream, task, began);
		if (session->untold) {
			session->untold = false;
			tell_step(session, task, STEP_SEEN, 0, began);
		}
		if (session->prepared) {
			session->prepared = false;
			session->handshakes++;
			tell_step(session, task, STEP_HANDSHAKE, 0, began);
		}
		return session;
	}
	if (!session && may_be_forgotten())
		count_loss(LOSS_SESSION_TABLE, RECORD_TLS_STEP);
	session = new_session(&key, library, WAY_PROBES);
	if (!session)
		return NULL;
	bind_session(&session->stream, task, began);
	tell_step(session, task, STEP_SEEN, 0, began);
	return session;
}

#endif
