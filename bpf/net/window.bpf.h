/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * For how long the peer's window has kept TCP from sending, by TCP's own account.
 */
#ifndef TAILCAP_BPF_NET_WINDOW_H
#define TAILCAP_BPF_NET_WINDOW_H

#include "bpf/core/kernel.bpf.h"
#include <bpf/bpf_core_read.h>

/* enum tcp_chrono; its sums begin with TCP_CHRONO_BUSY. */
#define CHRONO_RWND_LIMITED 2

static __always_inline u32 window_ticks(struct tcp_sock *tcp, u32 now)
{
	u32 ticks = BPF_CORE_READ(tcp, chrono_stat[CHRONO_RWND_LIMITED - 1]);

	if (BPF_CORE_READ_BITFIELD_PROBED(tcp, chrono_type) == CHRONO_RWND_LIMITED)
		ticks += now - BPF_CORE_READ(tcp, chrono_start);
	return ticks;
}

#endif
