/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The stacks of waits that turned out long.
 *
 * At the switch to the thread it is known how long it waited, but its memory cannot be read yet. So the switch asks for
 * an interrupt on this CPU, which comes as soon as the switch is over: the thread is still inside its wait then, and
 * its stack is the one that it waited with. Threads that wait shorter pay a comparison.
 */
#ifndef TAILCAP_BPF_SCHED_LONG_WAIT_H
#define TAILCAP_BPF_SCHED_LONG_WAIT_H

#include "bpf/core/stack_rate.bpf.h"
#include "bpf/core/target.bpf.h"

/* Walking takes 4 us where the stack is in the caches, and 60 in Python where another program has had them. So its time
 * is limited, not its number: to a part of each CPU, with what that is in four seconds at once after a pause. Waits
 * that are not much longer than a long one leave half of it to others. */
#define WALK_PART 500
#define LONG_EVERY (2500ull * WALK_PART) /* the interrupt alone takes 2.5 us */
#define LONG_BURST (4000000000ull / LONG_EVERY)
#define MUCH_LONGER 10
#define OWED_FOR 100000 /* ns from the switch to the interrupt, at most */

/* What the next interrupt on this CPU is for. */
struct owed_stack {
	u64 left; /* the wait's begin */
	u64 since;
	u64 ip; /* of the program; these three tell that the thread has not returned to it since */
	u64 sp;
	u64 syscall;
	u64 goroutine;
	u64 next; /* bpf/core/stack_rate.bpf.h */
	u64 left_out;
	u32 tid; /* 0: nothing is owed */
	u32 unused;
};

struct owed_stacks {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct owed_stack);
};

/* Always empty: the kernel raises its interrupt whenever it is read. */
struct nudges {
#ifdef OLDER_KERNEL /* which has none, and takes no such stacks */
	__uint(type, BPF_MAP_TYPE_RINGBUF);
#else
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
#endif
	__uint(max_entries, 4096);
};

extern struct owed_stacks owed_stacks SEC(".maps");
extern struct nudges nudges SEC(".maps");

/* User space switches it on and off at any time. */
extern __u8 take_stacks;
extern const volatile __u64 long_wait; /* ns; 0: stacks are taken at every switch-out instead */

static long no_message(struct bpf_dynptr *message, void *unused)
{
	return 0;
}

static __always_inline bool user_thread(const struct task_struct *task)
{
	return !(FIELD(task, flags) & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER | PF_EXITING));
}

/* The thread is switched in, and has waited. Where two CPUs ask at the same moment, only one gets its interrupt. */
static __always_inline void owe_stack(const struct off_cpu_state *off, struct task_struct *task, u64 now)
{
	struct owed_stack *owed;
	struct pt_regs *regs;
	u32 zero = 0;
	u64 spare;

	if (IS_OLDER || now - off->left < long_wait || !user_thread(task))
		return;
	owed = bpf_map_lookup_elem(&owed_stacks, &zero);
	if (!owed)
		return;
	if (owed->tid)
		owed->left_out++;
	owed->tid = 0;
	spare = now - off->left < MUCH_LONGER * long_wait ? LONG_EVERY * (LONG_BURST / 2) : 0;
	if (owed->next + spare > now || !due(&owed->next, now, LONG_EVERY, LONG_BURST)) {
		owed->left_out++;
		return;
	}
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	owed->left = off->left;
	owed->since = now;
	owed->ip = FIELD(regs, PROGRAM_COUNTER);
	owed->sp = FIELD(regs, STACK_POINTER);
	owed->syscall = CALL_NUMBER(regs);
	owed->goroutine = off->goroutine;
	owed->tid = FIELD(task, pid);
	bpf_user_ringbuf_drain(&nudges, no_message, NULL, BPF_RB_FORCE_WAKEUP);
}

static __always_inline bool still_owed(const struct owed_stack *owed, struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	return owed->tid == (u32)FIELD(task, pid) && bpf_ktime_get_ns() - owed->since < OWED_FOR &&
	       owed->ip == FIELD(regs, PROGRAM_COUNTER) && owed->sp == FIELD(regs, STACK_POINTER) &&
	       owed->syscall == CALL_NUMBER(regs);
}

#endif
