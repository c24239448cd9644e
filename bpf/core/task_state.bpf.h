/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is remembered of a thread that is a target.
 */
#ifndef TAILCAP_BPF_CORE_TASK_STATE_H
#define TAILCAP_BPF_CORE_TASK_STATE_H

#include "bpf/core/kernel.bpf.h"

#define STATE_NEW 0x800 /* TASK_NEW: it has not run yet */

/* The current off-CPU interval, or the last one. */
struct off_cpu_state {
	u64 left;     /* time of the switch-out; 0: it is not off-CPU */
	u64 runnable; /* time of the wake-up; 0: it still sleeps. While it is on a CPU: of one that found it there */
	u64 argument0;
	u64 argument1;
	u64 socket;    /* its cookie if argument0 is a socket's descriptor */
	u64 goroutine; /* run by the thread when it was switched out */
	u32 waker;
	u32 state;
	u64 delay;    /* its sched_info.run_delay when it left */
	u64 switches; /* earlier switch-outs, by the kernel's own count; 0: not seen yet */
	s16 syscall;
	u8 file_kind; /* enum file_kind, of argument0 */
	u8 throttled;
	u8 stacked; /* enum stacked (bpf/sched/left_stack.bpf.h) */
	u8 timed;
	u8 woken_in; /* enum woken_in */
	u8 woken_early;
	u64 steal_before; /* of its CPU, by the scheduler's account, at its last switch-in */
	u32 stolen;       /* ns of its last time on the CPU, if worth telling */
	u16 ran;          /* steal_before is known */
	u16 epoch;        /* all of it is of this epoch (waits_epoch) */
};

/* What the thread is known to run: as of this epoch, a program of this file (0: not a Go program), with this layout. */
struct go_thread_state {
	u32 epoch;
	u16 file;
	s16 slot;
	u16 number;
	u8 c_code;
	u8 words;   /* from g.m to g.goid; 0: its g.m is not known, or may change */
	u32 met;    /* the last goroutine that was met here, its lower half */
	u64 thread; /* its g.m */
	u64 own;    /* its own goroutine (g0 or gsignal), which has no number, as met last; 0: not met */
};

/* A wait to write to a TCP socket. */
struct sending_state {
	u64 socket; /* its address; 0: none */
	u32 since;  /* in ticks */
	u32 window; /* ticks for which the peer's window had blocked it before */
};

/* Delays inside the kernel that have begun; 0: none. */
struct stall_state {
	u8 pending; /* enum stall: what it is about to sleep for */
	u8 asleep;  /* enum stall: what it sleeps for */
	u16 unused;
	u32 lock_flags;
	u64 pending_since;
	u64 lock_began;
	u64 lock;
	u64 reclaim_began;
	u64 compaction_began;
	u64 refused; /* the last lock on a file that it was refused */
};

/* A call on a regular file that has been off-CPU, and an open that has begun. */
struct file_state {
	u64 began; /* its first switch-out in the call; 0: none */
	u64 until; /* its last switch-in */
	u64 object;
	u64 calls; /* reads and writes before it, by the kernel's own count */
	u64 bytes; /* moved by them */
	u64 goroutine;
	s32 descriptor;
	s16 syscall;
	u16 named;      /* 1: its path is in slow_files; 2: it is not known */
	u64 open_began; /* 0: it opens nothing */
};

/* Exists only for targets. One value for all subsystems, since each storage costs its own look-up at every switch. What
 * every switch touches comes first: the kernel places the value 8 bytes into a cache line, so those are three lines. */
struct task_state {
	struct off_cpu_state off_cpu;
	u32 missed;  /* off-CPU intervals lost since the last one that came through */
	u16 touched; /* a target only because it used a selected port: its other sockets are not recorded */
	u16 existed; /* its program ran before it became a target */
	struct go_thread_state go;
	struct sending_state sending;
	struct stall_state stall;
	struct file_state file;
	/* Its last socket call, where connections are sampled (bpf/net/sampling.bpf.h). */
	u64 moved_at;
	u64 moved_by; /* a goroutine; 0: none */
	u64 moved_choice;
};

#endif
