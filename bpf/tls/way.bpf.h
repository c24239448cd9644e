/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where connections of OpenSSL 3 are read by their keys, and by probes only where keys cannot do it: which sessions.
 *
 * A session belongs to one way from its first call to its end. SSL_clear and the two functions that make it a server
 * or a client come before every handshake. A session whose handshake began while its process was a target belongs to
 * keys; one that was never seen to begin, in a program that ran before, to probes. Where both could be, to neither.
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

#endif
