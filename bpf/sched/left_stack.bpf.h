/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel and user stacks of a thread that is switched out because it blocks, not because it is preempted.
 *
 * How long it will be off-CPU is not known then, so the stacks are stored with the thread and emitted at the switch-in:
 * for all intervals of STACK_LONG and more, and for some of the others. Walking costs a microsecond or two, and
 * by tables a third of one for each frame and half of one for each of a script, so the number of walks per CPU and
 * second is limited. The weight of the next emitted stack on that CPU counts those left out.
 */
#ifndef TAILCAP_BPF_SCHED_LEFT_STACK_H
#define TAILCAP_BPF_SCHED_LEFT_STACK_H

#include "bpf/core/stack_rate.bpf.h"
#include "bpf/sched/script.bpf.h"
#include "bpf/sched/unwind.bpf.h"

#define STACK_LONG 1000000  /* ns */
#define WALK_EVERY 100000   /* ns between two walks on a CPU, on average */
#define WALK_BURST 1000     /* walks in one burst */
#define FRAME_EVERY 10000   /* ns more for each frame that was found by tables, or is a script's */
#define SHORT_EVERY 1000000 /* ns between two emitted shorter intervals */
#define SHORT_BURST 200
#define LEFT_KERNEL 64   /* frames of the kernel's stack */
#define LEFT_STACKS 4096 /* threads */

/* User space switches it on and off at any time. */
extern __u8 take_stacks;

enum stacked {
	STACK_UNWANTED,
	STACK_KEPT,
	STACK_LEFT_OUT,
};

struct left_stack {
	struct record_sample record;
	u64 frames[STACK_MAX + LEFT_KERNEL + SCRIPT_WORDS];
};

/* By thread; while a thread is off-CPU, nothing else uses its entry. */
struct left_stacks {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LEFT_STACKS);
	__type(key, u32);
	__type(value, struct left_stack);
};

/* The initial value of a new entry. */
struct no_stack {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct left_stack);
};

struct stack_rate {
	u64 next_walk; /* when the walks so far have used up their time */
	u64 next_short;
	u64 left_out;
};

/* Only sched_switch writes here, and it is not re-entered on a CPU. */
struct stack_rates {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct stack_rate);
};

extern struct left_stacks left_stacks SEC(".maps");
extern struct no_stack no_stack SEC(".maps");
extern struct stack_rates stack_rates SEC(".maps");

static __always_inline struct left_stack *stack_of(struct task_struct *task)
{
	struct left_stack *stack, *blank;
	u32 tid = FIELD(task, pid), zero = 0;

	stack = bpf_map_lookup_elem(&left_stacks, &tid);
	if (stack)
		return stack;
	blank = bpf_map_lookup_elem(&no_stack, &zero);
	if (!blank || bpf_map_update_elem(&left_stacks, &tid, blank, BPF_NOEXIST))
		return NULL;
	return bpf_map_lookup_elem(&left_stacks, &tid);
}

/* The task is the running one, and is about to block. */
static __always_inline void keep_stack(void *ctx, struct off_cpu_state *off, struct task_struct *task, u64 now)
{
	struct stack_rate *rate;
	struct left_stack *stack;
	u32 zero = 0, user, kernel = 0, script, end;
	u64 at;
	long got;

	if (FIELD(task, flags) & PF_EXITING)
		return;
	off->stacked = STACK_LEFT_OUT;
	rate = bpf_map_lookup_elem(&stack_rates, &zero);
	if (!rate || !due(&rate->next_walk, now, WALK_EVERY, WALK_BURST))
		return;
	stack = stack_of(task);
	if (!stack)
		return;
	user = user_stack(ctx, task, stack->frames, &end);
	barrier_var(user);
	if (end != STACK_END_UNKNOWN)
		rate->next_walk += (u64)user * FRAME_EVERY;
	if (user > STACK_MAX)
		user = STACK_MAX;
	got = bpf_get_stack(ctx, &stack->frames[user], LEFT_KERNEL * sizeof(u64), 0);
	if (got > 0)
		kernel = (u32)got / sizeof(u64);
	if (!user && !kernel)
		return;
	at = user + kernel;
	barrier_var(at); /* as below */
	if (at > STACK_MAX + LEFT_KERNEL)
		return;
	script = script_stack(task, &stack->frames[at], &stack->record);
	rate->next_walk += (u64)script * FRAME_EVERY;
	fill_head(&stack->record.h, task, RECORD_SAMPLE, now);
	stack->record.value = now;
	stack->record.goroutine = off->goroutine;
	stack->record.user = user;
	stack->record.kernel = kernel;
	stack->record.what = SAMPLE_OFF_CPU;
	stack->record.end = end;
	off->stacked = STACK_KEPT;
}

/* The thread is switched in. */
static __always_inline void tell_stack(struct off_cpu_state *off, struct task_struct *task, u64 now)
{
	struct stack_rate *rate;
	struct left_stack *stack;
	u32 zero = 0, tid = FIELD(task, pid);
	u64 frames, flags;

	rate = bpf_map_lookup_elem(&stack_rates, &zero);
	if (!rate)
		return;
	stack = off->stacked == STACK_KEPT ? bpf_map_lookup_elem(&left_stacks, &tid) : NULL;
	if (!stack || stack->record.value != off->left ||
	    (now - off->left < STACK_LONG && !due(&rate->next_short, now, SHORT_EVERY, SHORT_BURST))) {
		rate->left_out++;
		return;
	}
	stack->record.h.time = now; /* rings are read in the order of time */
	stack->record.weight = rate->left_out < 0xffffffff ? rate->left_out + 1 : 0xffffffff;
	rate->left_out = 0;
	flags = wake_flag(now);
	frames = (u32)stack->record.user + stack->record.kernel + stack->record.script;
	barrier_var(frames); /* Linux 6.1 forgets the check if the sum was spilled before it */
	if (frames > STACK_MAX + LEFT_KERNEL + SCRIPT_WORDS)
		return;
	if (output(stack, sizeof(stack->record) + frames * sizeof(u64), flags))
		count_loss(LOSS_RING_FULL, RECORD_SAMPLE);
}

static __always_inline void forget_stack(struct task_struct *task)
{
	u32 tid = FIELD(task, pid);

	if (stacks_chosen)
		bpf_map_delete_elem(&left_stacks, &tid);
}

#endif
