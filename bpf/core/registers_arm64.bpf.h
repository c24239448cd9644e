/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Part of bpf/core/registers.bpf.h, which says what each means: arm64.
 */
#ifndef TAILCAP_BPF_CORE_REGISTERS_ARM64_H
#define TAILCAP_BPF_CORE_REGISTERS_ARM64_H

#include "bpf/core/calls_arm64.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
	u64 orig_x0; /* a system call's first argument: its result takes the place in regs */
	s32 syscallno;
};

struct thread_info {
	unsigned long flags;
	struct {
		u32 count;
	} preempt;
};

struct thread_struct {
	struct {
		unsigned long tp_value; /* as of the last switch */
	} uw;
};

#pragma clang attribute pop

/* An atomic instruction with a result is a barrier in both directions. */
#define IN_ORDER(write)                                                    \
	do {                                                               \
		u64 _fence = 0;                                            \
		_fence = __sync_fetch_and_add((volatile u64 *)&_fence, 1); \
		barrier_var(_fence);                                       \
		(write);                                                   \
		_fence = __sync_fetch_and_add((volatile u64 *)&_fence, 1); \
		barrier_var(_fence);                                       \
	} while (0)

#define TIF_32BIT 22
#define PSR_32BIT 0x10
#define IN_32_BIT_CALL(task) ((task)->thread_info.flags & (1ul << TIF_32BIT))
#define THREAD_POINTER(task) ((task)->thread.uw.tp_value)

/* Interrupts that the running thread's CPU is in. Elsewhere it is the CPU's own. */
#define PREEMPT_COUNT(task) ((task)->thread_info.preempt.count)

/* A 32-bit program uses other numbers. */
static __always_inline u64 x86_call_number(s32 nr, u64 pstate)
{
	u64 at = (u32)nr;

	if (nr < 0)
		return ~0ull;
	if (pstate & PSR_32BIT)
		return CALL_UNKNOWN;
	if (at < CALLS_NAMED)
		return arm64_calls[at];
	return at >= CALLS_ALIKE && at < CALL_UNKNOWN ? at : CALL_UNKNOWN;
}

#define CALL_NUMBER(regs) x86_call_number((regs)->syscallno, (regs)->pstate)
#define CALL_0(regs) ((regs)->orig_x0)
#define CALL_1(regs) ((regs)->regs[1])
#define CALL_2(regs) ((regs)->regs[2])
#define CALL_3(regs) ((regs)->regs[3])

#define STACK_POINTER sp
#define FRAME_POINTER regs[29]
#define PROGRAM_COUNTER pc
#define CALLER(ctx, depth) REGISTER(ctx, regs[30])
#define C_0 regs[0]
#define C_1 regs[1]
#define C_2 regs[2]
#define C_3 regs[3]
#define RESULT regs[0]
#define GO_0 regs[0]
#define GO_1 regs[1]
#define GO_2 regs[2]
#define GO_3 regs[3]
#define GO_4 regs[4]
#define GO_5 regs[5]
#define GO_6 regs[6]
#define GO_7 regs[7]
#define GO_8 regs[8]
#define GO_GOROUTINE regs[28]
#define GO_CHANNEL_KEPT regs[3] /* not known, and not used: channels are not recorded */

#define FLAGS pstate
#define NOT_ABOVE(flags) (((flags) & (1ull << 30)) || !((flags) & (1ull << 29))) /* zero, or no carry */

#endif
