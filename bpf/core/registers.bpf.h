/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Part of bpf/core/kernel.bpf.h: all that the programs know of the processor. Registers at a system call's entry and at
 * a probe in a program's function, the number of a system call, the thread pointer, 32-bit programs.
 *
 * Numbers of system calls are those of x86-64 everywhere, in programs and in records.
 */
#ifndef TAILCAP_BPF_CORE_REGISTERS_H
#define TAILCAP_BPF_CORE_REGISTERS_H

#if defined(__TARGET_ARCH_arm64)
#include "bpf/core/registers_arm64.bpf.h"
#else

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	unsigned long r14;
	unsigned long r12;
	unsigned long bp;
	unsigned long bx;
	unsigned long r11;
	unsigned long r10;
	unsigned long r9;
	unsigned long r8;
	unsigned long ax;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
	unsigned long ip;
	unsigned long flags;
	unsigned long sp;
};

struct thread_info {
	u32 status; /* TS_COMPAT while a 32-bit system call runs */
};

struct thread_struct {
	unsigned long fsbase; /* the thread pointer */
};

#pragma clang attribute pop

/* What is written before it is seen before it, what is written after it after. */
#define IN_ORDER(write)    \
	do {               \
		barrier(); \
		(write);   \
		barrier(); \
	} while (0)

#define TS_COMPAT 2
#define IN_32_BIT_CALL(task) (FIELD(task, thread_info.status) & TS_COMPAT)
#define THREAD_POINTER(task) FIELD(task, thread.fsbase)

/* Arguments of a system call. Above 1023: none is in progress. */
#define CALL_NUMBER(regs) FIELD(regs, orig_ax)
#define THIS_CALL(regs) ((regs)->orig_ax) /* of a tracepoint's own argument */
#define CALL_0(regs) FIELD(regs, di)
#define CALL_1(regs) FIELD(regs, si)
#define CALL_2(regs) FIELD(regs, dx)
#define CALL_3(regs) FIELD(regs, r10)

/* Registers by what they hold: for REGISTER, and as members. */
#define STACK_POINTER sp
#define FRAME_POINTER bp
#define PROGRAM_COUNTER ip
/* Before a function's first call; depth: what it has put on the stack so far. */
#define CALLER(ctx, depth) user_word(REGISTER(ctx, sp) + (depth))
#define C_0 di
#define C_1 si
#define C_2 dx
#define C_3 cx
#define RESULT ax
/* Go's own convention. */
#define GO_0 ax
#define GO_1 bx
#define GO_2 cx
#define GO_3 di
#define GO_4 si
#define GO_5 r8
#define GO_6 r9
#define GO_7 r10
#define GO_8 r11
#define GO_GOROUTINE r14
#define GO_CHANNEL_KEPT r12 /* by the compilers of all releases so far, across selectgo's calls */

/* The comparison before said "not above". */
#define FLAGS flags
#define NOT_ABOVE(flags) ((flags) & (1 | 0x40)) /* carry, zero */

#endif
#endif
