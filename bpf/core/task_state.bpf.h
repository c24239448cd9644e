/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is remembered of a thread that is a target.
 */
#ifndef TAILCAP_BPF_CORE_TASK_STATE_H
#define TAILCAP_BPF_CORE_TASK_STATE_H

#include "bpf/core/kernel.bpf.h"

/* Exists only for targets. Collects what happened since the task was switched out. */
struct task_state {
	u64 left;
	u64 runnable;
	u64 argument0;
	u64 argument1;
	u32 waker;
	u32 state;
	u64 socket;
	s16 syscall;
	u8 file;
	u8 throttled;
	u8 pending;  /* enum stall: what it is about to sleep for */
	u8 asleep;   /* enum stall: what it sleeps for */
	u16 touched; /* a target only because it used a selected port: its other sockets are not recorded */
	u32 missed;
	u64 pending_since;
	u64 reclaim_began;
	u64 compaction_began;
	u64 lock_began;
	u64 lock;
	u32 lock_flags;
	u8 stacked; /* bpf/sched/left_stack.bpf.h: enum stacked, for the current off-CPU interval */
	u8 unused[3];
	/* bpf/core/goroutine.bpf.h: as of this epoch, the thread runs a program of this file (0: not a Go program),
	 * with this layout. */
	u32 go_epoch;
	u16 go_file;
	s16 go_slot;
	u16 go_number;
	u8 go_c_code;
	u8 go_words;        /* from g.m to g.goid; 0: its g.m is not known, or may change */
	u64 go_thread;      /* its g.m */
	u64 goroutine;      /* when it was switched out */
	u64 sending;        /* address of the TCP socket that it waits to write to; 0: none */
	u32 sending_since;  /* in ticks */
	u32 sending_window; /* ticks for which the peer's window had blocked it before */
	/* bpf/sched/file.bpf.h */
	u64 open_began; /* 0: it opens nothing */
	u64 file_began; /* its first switch-out in a call on a file; 0: none */
	u64 file_until; /* its last switch-in */
	u64 file_object;
	u64 file_calls; /* reads and writes before it, by the kernel's own count */
	u64 file_bytes; /* moved by them */
	u64 file_goroutine;
	s32 file_descriptor;
	s16 file_call;  /* the system call's number */
	u16 file_named; /* its path is in slow_files */
	u64 switches;   /* earlier switch-outs, by the kernel's own count; 0: not seen yet */
};

#endif
