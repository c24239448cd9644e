/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * BPF_PROG, for programs at tracepoints. Where the kernel may take the CPU from a thread in the middle of such a
 * program, the next thread that comes to it there would be skipped, and would use the same per-CPU memory. So the
 * thread stays on its CPU until the program ends.
 */
#ifndef TAILCAP_BPF_CORE_PROGRAM_H
#define TAILCAP_BPF_CORE_PROGRAM_H

#include "bpf/core/settings.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#ifndef OLDER_KERNEL
#undef BPF_PROG
/* clang-format off */
#define BPF_PROG(name, args...)											\
	name(unsigned long long *ctx);										\
	static __always_inline int ____##name(unsigned long long *ctx, ##args);					\
	int name(unsigned long long *ctx)									\
	{													\
		int result;											\
														\
		if (may_be_preempted && bpf_preempt_disable)							\
			bpf_preempt_disable();									\
		_Pragma("GCC diagnostic push")									\
		_Pragma("GCC diagnostic ignored \"-Wint-conversion\"") /* arguments of all types come as numbers */	\
		result = ____##name(___bpf_ctx_cast(args));							\
		_Pragma("GCC diagnostic pop")									\
		if (may_be_preempted && bpf_preempt_enable)							\
			bpf_preempt_enable();									\
		return result;											\
	}													\
	static __always_inline int ____##name(unsigned long long *ctx, ##args)
/* clang-format on */
#endif

#endif
