/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The memory and the registers of programs in user space.
 */
#ifndef TAILCAP_BPF_CORE_USER_H
#define TAILCAP_BPF_CORE_USER_H

#include "bpf/core/kernel.bpf.h"
#include <bpf/bpf_helpers.h>

static __always_inline u64 user_word(u64 address)
{
	u64 word;

	return bpf_probe_read_user(&word, sizeof(word), (void *)address) ? 0 : word;
}

/* Reads a register at once: the verifier refuses a context pointer after arithmetic on it. */
#define REGISTER(regs, name)               \
	({                                 \
		u64 _value = (regs)->name; \
		barrier_var(_value);       \
		_value;                    \
	})

/* Go's functions let the stack grow first where it is too small; then the same call hits the probe again. checks: the
 * probe is at the jump that decides. */
static __always_inline bool grows_stack(struct pt_regs *ctx, bool checks)
{
	u64 flags = checks ? REGISTER(ctx, FLAGS) : 0;

	return checks && NOT_ABOVE(flags);
}

#endif
