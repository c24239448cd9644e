/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * For how long a thread asked to sleep, so that a timer that is late can be distinguished from a long sleep.
 */
#ifndef TAILCAP_BPF_SCHED_SLEEP_H
#define TAILCAP_BPF_SCHED_SLEEP_H

#include "bpf/core/task_state.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define NR_nanosleep 35
#define NR_clock_nanosleep 230
#define TIMER_ABSTIME 1
#define STATE_INTERRUPTIBLE 1
#define NS_PER_S 1000000000ll

#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_BOOTTIME 7
#define CLOCK_TAI 11

/* As programs pass it. */
struct user_timespec {
	s64 seconds;
	s64 nanoseconds;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};

struct timens_offsets {
	struct timespec64 monotonic;
};

struct time_namespace {
	struct timens_offsets offsets;
};

struct nsproxy {
	struct time_namespace *time_ns;
};

struct task_struct___time {
	struct nsproxy *nsproxy;
};

#pragma clang attribute pop

static __always_inline bool sleeps(u64 nr)
{
	return nr == NR_nanosleep || nr == NR_clock_nanosleep;
}

/* Its clock is ahead of the kernel's by this, in a container with a time namespace of its own. */
static __always_inline s64 clock_offset(struct task_struct *task)
{
	struct time_namespace *space;

	if (!bpf_core_field_exists(struct nsproxy, time_ns))
		return 0;
	space = BPF_CORE_READ((struct task_struct___time *)task, nsproxy, time_ns);
	return BPF_CORE_READ(space, offsets.monotonic.tv_sec) * NS_PER_S +
	       BPF_CORE_READ(space, offsets.monotonic.tv_nsec);
}

/* Relative sleeps by all of these clocks take as long; until an instant only the one that now is read from is known. */
static __always_inline void note_sleep(struct off_cpu_state *off, struct task_struct *task, struct pt_regs *regs,
				       u64 now)
{
	struct user_timespec asked;
	u64 where = CALL_0(regs), clock = CALL_0(regs);
	bool until = false;
	s64 ns;

	if (IN_32_BIT_CALL(task))
		return;
	if (off->syscall == NR_clock_nanosleep) {
		until = CALL_1(regs) & TIMER_ABSTIME;
		where = CALL_2(regs);
		if (until ? clock != CLOCK_MONOTONIC
			  : clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME &&
				    clock != CLOCK_TAI)
			return;
	}
	if (bpf_probe_read_user(&asked, sizeof(asked), (void *)where))
		return;
	if (asked.seconds < 0 || asked.seconds > 1000000 || asked.nanoseconds < 0 || asked.nanoseconds >= NS_PER_S)
		return;
	ns = asked.seconds * NS_PER_S + asked.nanoseconds;
	if (until)
		ns -= clock_offset(task) + (s64)now;
	off->argument1 = ns > 0 ? ns : 0;
	off->timed = true;
}

#define NR_epoll_wait 232
#define NR_epoll_pwait 281
#define NR_epoll_pwait2 441
#define WITHOUT_LIMIT (~0ull)

static __always_inline bool waits_for_events(u64 nr)
{
	return nr == NR_epoll_wait || nr == NR_epoll_pwait || nr == NR_epoll_pwait2;
}

/* For how long it waits for events at most: an event loop's next timer. */
static __always_inline void note_limit(struct off_cpu_state *off, struct task_struct *task, struct pt_regs *regs)
{
	struct user_timespec limit;
	s32 ms = CALL_3(regs);

	if (IN_32_BIT_CALL(task))
		return;
	if (off->syscall != NR_epoll_pwait2) {
		off->argument1 = ms < 0 ? WITHOUT_LIMIT : ms * 1000000ull;
	} else if (!CALL_3(regs)) {
		off->argument1 = WITHOUT_LIMIT;
	} else {
		if (bpf_probe_read_user(&limit, sizeof(limit), (void *)CALL_3(regs)))
			return;
		if (limit.seconds < 0 || limit.seconds > 1000000 || limit.nanoseconds < 0 ||
		    limit.nanoseconds >= NS_PER_S)
			return;
		off->argument1 = limit.seconds * NS_PER_S + limit.nanoseconds;
	}
	off->timed = true;
}

#endif
