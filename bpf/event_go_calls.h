/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Part of bpf/event.h: the map of calls of Go's crypto/tls in progress, which user space reads when a process has
 * ended. */
#ifndef TAILCAP_BPF_EVENT_GO_CALLS_H
#define TAILCAP_BPF_EVENT_GO_CALLS_H

#define GO_CALLS_MAX 3

struct go_call {
	__u64 object;
	__u64 buffer; /* or its distance below the upper end of the stack */
	__u64 began;
	__u8 way; /* OUT (0) or IN */
	__u8 on_stack;
	__u8 unused[6];
};

/* The calls that a goroutine is in, innermost last. */
struct go_calls {
	struct go_call calls[GO_CALLS_MAX];
	__u32 depth;
	__u32 epoch; /* go_calls_epoch() when they began */
	__u32 pid;   /* the process; a later one may have the same key */
	__u32 unused;
};

struct goroutine_key {
	__u64 goroutine;
	__u64 memory; /* struct mm_struct */
};

#ifdef __cplusplus
static_assert(sizeof(go_calls) == 112);
#endif

#endif
