/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Calls of Go's crypto/tls in progress.
 *
 * As bpf/tls/call.bpf.h, but for two things. A goroutine may return on another thread than it called on, so calls are
 * kept by goroutine (R14 holds it in all Go code from 1.17 on). And stacks move when they grow: a buffer on one is
 * remembered by its distance from the stack's upper end, which is what moving preserves.
 */
#ifndef TAILCAP_BPF_TLS_GO_CALL_H
#define TAILCAP_BPF_TLS_GO_CALL_H

#include "bpf/tls/call.bpf.h"

/* Not an LRU map: a goroutine may wait in a read for hours. */
struct go_goroutines {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 131072);
	__type(key, struct goroutine_key);
	__type(value, struct go_calls);
};

extern struct go_goroutines go_goroutines SEC(".maps");

/* runtime.g begins with the bounds of its stack. */
struct go_stack {
	u64 low;
	u64 high;
};

#endif
