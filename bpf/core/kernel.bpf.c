// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The first unit that is linked: it says for all of them which functions are the kernel's.
 */
#define KERNEL_FUNCTION __attribute__((section(".ksyms"), weak))
#include "bpf/core/kernel.bpf.h"

#ifndef OLDER_KERNEL
/* Never called: the compiler describes only functions that are used. */
static __attribute__((used)) bool has_kernel_functions(void)
{
	return bpf_rdonly_cast && bpf_preempt_disable && bpf_preempt_enable;
}
#endif
