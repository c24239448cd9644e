/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Limits the rate of stacks: one in each interval, and several at once after a pause.
 */
#ifndef TAILCAP_BPF_CORE_STACK_RATE_H
#define TAILCAP_BPF_CORE_STACK_RATE_H

#include "bpf/core/kernel.bpf.h"

/* next: by when all that has been done was due; zero at first. */
static __always_inline bool due(u64 *next, u64 now, u64 every, u64 burst)
{
	if (*next + every * burst < now)
		*next = now - every * burst;
	if (*next > now)
		return false;
	*next += every;
	return true;
}

#endif
