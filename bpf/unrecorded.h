/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Counts the traffic of targets that is recorded without events or without payload, by process and kind, so that user
 * space can report what is missing.
 */
#ifndef TAILCAP_BPF_UNRECORDED_H
#define TAILCAP_BPF_UNRECORDED_H

#include "bpf/maps.h"

#define UNRECORDED_MAX 4096 /* processes and kinds; a process usually has two at most */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, UNRECORDED_MAX);
	__type(key, struct unrecorded_key);
	__type(value, struct unrecorded_count);
} unrecorded SEC(".maps");

/* Present if the socket has been counted. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u8);
} unrecorded_sockets SEC(".maps");

/* The kind of traffic of a socket that cannot be recorded; 0: it cannot carry requests. */
static __always_inline u32 unrecorded_kind(u16 family, u16 type, u16 protocol)
{
	if (family == AF_VSOCK)
		return UNRECORDED_VSOCK;
	if (family == AF_SMC)
		return UNRECORDED_SMC;
	if (family != AF_INET && family != AF_INET6)
		return 0;
	switch (protocol) {
	case IPPROTO_MPTCP:
		return UNRECORDED_MPTCP;
	case IPPROTO_SCTP:
		return UNRECORDED_SCTP;
	case IPPROTO_UDP:
		return type == SOCK_DGRAM ? UNRECORDED_UDP : 0;
	}
	return 0;
}

/* Counts a call on a socket that moved this many bytes. first: the first call on it. */
__noinline int count_unrecorded(u32 pid, u32 kind, u32 bytes, u32 first)
{
	struct unrecorded_key key = {.pid = pid, .kind = kind};
	struct unrecorded_count *count = bpf_map_lookup_elem(&unrecorded, &key);

	if (!count) {
		struct unrecorded_count none = {};

		bpf_map_update_elem(&unrecorded, &key, &none, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&unrecorded, &key);
	}
	if (!count) {
		count_loss(LOSS_SOCKET_TABLE, RECORD_UNRECORDED);
		return 0;
	}
	__sync_fetch_and_add(&count->calls, 1);
	__sync_fetch_and_add(&count->bytes, bytes);
	if (first)
		__sync_fetch_and_add(&count->sockets, 1);
	return 0;
}

#endif
