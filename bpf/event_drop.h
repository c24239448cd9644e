/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Part of bpf/event.h: packets that the kernel dropped, which user space reads once a second.
 */
#ifndef TAILCAP_BPF_EVENT_DROP_H
#define TAILCAP_BPF_EVENT_DROP_H

#define DROP_DESTINATIONS 512 /* that are counted apart in about two seconds; the rest is counted by reason */
#define DROP_REASONS 512      /* likewise, of the rest */

struct drop_key {
	__u32 second; /* of CLOCK_MONOTONIC */
	__u32 reason;
	__u16 family;   /* 0: no IP header was seen, and what follows is 0 */
	__u16 port;     /* host order; 0: not seen */
	__u32 protocol; /* of IP */
	__u8 address[16];
};

#endif
