/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where connections are read by their keys, and by probes only where keys cannot do it: which sessions. Go's part is
 * go_way.bpf.h.
 *
 * A session belongs to one way from its first call to its end. In OpenSSL, SSL_clear and the two functions that make
 * it a server or a client come before every handshake. A session whose handshake began while its process was a target
 * belongs to keys; one that was never seen to begin, in a program that ran before, to probes. Where both could be, to
 * neither.
 */
#ifndef TAILCAP_BPF_TLS_WAY_H
#define TAILCAP_BPF_TLS_WAY_H

#include "bpf/tls/call.bpf.h"

extern const volatile __u8 tls_auto;

/* Sessions, and processes, that keys turned out not to read: user space says so. */
struct tls_to_probes {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, u8);
};

extern struct tls_to_probes tls_to_probes SEC(".maps");

/* By the number in the cookie: the file has probes at reads and writes. */
extern __u8 tls_data_probes[OTHERS_FILES_MAX];

/* SSL_clear, or a function that prepares a handshake, was called. */
__noinline int session_begins(u64 object, u64 cookie);

/* SSL_do_handshake was called. */
__noinline int session_goes_on(u64 object, u64 cookie);

/* A call that moves bytes ends: whether probes are to take them. */
__noinline int taken_by_probes(u64 object, u64 cookie);

#define KEYS_OF_EARLY_DATA 1 /* instead of a number of bytes */

/* Keys are derived: the number of the session, as in struct record_tls_secret. key_block: how many bytes are derived
 * for TLS 1.2; 0: for TLS 1.3. */
__noinline u64 session_deriving(u64 stack, u64 key_block);

/* Without an entry a session of keys would be taken for an older one. */
static __always_inline void cannot_keep_session(void)
{
	__sync_fetch_and_add(&tls_session_count, (u64)sessions_kept);
}

static __always_inline bool process_by_probes(struct task_struct *task)
{
	u64 process = TLS_PROCESS_BIT | (u32)task->tgid;

	return bpf_map_lookup_elem(&tls_to_probes, &process);
}

/* Its bytes up to now were not recorded. */
static __always_inline void goes_over(struct tls_session *session)
{
	session->way = WAY_PROBES;
	session->untold = true;
	__sync_fetch_and_add(&session->stream.missed, 1);
	count_loss(LOSS_SESSION_TABLE, RECORD_TLS_RECEIVE);
}

/* A session that was not seen to begin: whether it is older than what is known of its process. In Go every handshake
 * that begins behind the probes is seen, so one that was not began before them. */
static __always_inline bool is_older(struct task_struct *task, u64 cookie)
{
	struct task_state *state = task_state(task);
	bool late = cookie & TLS_LATE;

	if (!state || may_be_forgotten())
		return false;
	return library_of(cookie) == TLS_GO ? state->existed || late : state->existed && !late;
}

/* For struct record_tls_secret, of a session whose keys are derived. unreadable: not by keys. */
static __always_inline u64 session_as_derived(struct tls_session *session, bool unreadable)
{
	if (session->way != WAY_KEYS)
		return session->stream.cookie | TLS_LEFT_TO_PROBES | (session->begun ? 0 : TLS_UNDER_WAY);
	if (!unreadable)
		return session->stream.cookie | (session->begun ? 0 : TLS_UNDER_WAY);
	if (session->whole) {
		session->way = WAY_PROBES;
		session->prepared = true;
	} else {
		goes_over(session);
	}
	return session->stream.cookie | TLS_LEFT_TO_PROBES;
}

#endif
