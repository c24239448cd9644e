/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Counts the traffic of targets that is recorded without events or without payload, by process and kind, so that user
 * space can report what is missing.
 */
#ifndef TAILCAP_BPF_NET_UNRECORDED_H
#define TAILCAP_BPF_NET_UNRECORDED_H

#include "bpf/core/target.bpf.h"

/* Present if the socket has been counted. */
struct unrecorded_sockets {
	SOCKET_STORAGE(1, 0);
	__type(value, u8);
};

extern struct unrecorded_sockets unrecorded_sockets SEC(".maps");

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
__noinline int count_unrecorded(u32 pid, u32 kind, u32 bytes, u32 first);

#endif
