/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Go's part of bpf/tls/way.bpf.h.
 *
 * A handshake runs on one goroutine from clientHandshake or serverHandshake to the derivation of its keys, which does
 * not name the connection: the goroutine tells which it is. Every tls.Conn has its handshake before its first byte, so
 * one that was not seen to begin is older than the probes.
 */
#ifndef TAILCAP_BPF_TLS_GO_WAY_H
#define TAILCAP_BPF_TLS_GO_WAY_H

#include "bpf/tls/go_call.bpf.h"
#include "bpf/tls/way.bpf.h"

#define GO_HANDSHAKES_MAX 2       /* of a goroutine: TLS inside TLS */
#define GO_HANDSHAKES_KEPT 8192   /* at least, of all goroutines */
#define GO_WITHOUT_SOCKET (~0ull) /* of a QUIC connection: nothing that is recorded has these keys */

/* The handshakes that a goroutine has under way, innermost last. Those that failed stay until others need the place. */
struct go_handshakes {
	u64 objects[GO_HANDSHAKES_MAX]; /* tls.Conn; 0: of a QUIC connection */
	u32 depth;
	u32 began; /* the last of them: the stretch of time, as in go_way.bpf.c */
};

struct go_shaking {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2 * GO_HANDSHAKES_KEPT);
	__type(key, struct goroutine_key);
	__type(value, struct go_handshakes);
};

extern struct go_shaking go_shaking SEC(".maps");

/* By the number in the cookie: how often the file's probes at reads and writes were placed. User space counts before it
 * places them. */
extern __u32 tls_data_epochs[OTHERS_FILES_MAX];

/* Calls are known only to the probes that saw them begin. */
static __always_inline u32 go_calls_epoch(u64 cookie)
{
	return tls_auto && cookie & TLS_BY_KEYS ? tls_data_epochs[OTHERS_FILE(cookie)] : plaintext_seen_since();
}

static __always_inline bool go_calls_are_old(const struct go_calls *calls, u64 cookie)
{
	if (tls_auto && cookie & TLS_BY_KEYS)
		return calls->epoch != go_calls_epoch(cookie);
	return calls_are_old(calls->epoch);
}

/* A handshake begins. */
__noinline int go_session_begins(u64 object, u64 goroutine, u64 cookie);

#define GO_UNREADABLE 1 /* keys of a cipher that keys do not read */
#define GO_LAST 2       /* the last keys of a handshake */

/* Keys are derived: the number of the session, as in struct record_tls_secret, or GO_WITHOUT_SOCKET. */
__noinline u64 go_session_deriving(u64 goroutine, u64 cookie, u64 how);

#endif
