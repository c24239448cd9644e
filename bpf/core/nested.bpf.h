// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef TAILCAP_NESTED_BPF_H
#define TAILCAP_NESTED_BPF_H

#include "bpf/core/kernel.bpf.h"
#include "bpf/core/older.bpf.h"
#include "bpf/core/settings.bpf.h"
#include "bpf/core/thread_stack.bpf.h"
#include "bpf/event.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * The kernel skips a program that is already running on the CPU. That happens to programs that run in threads and in
 * softirqs: an interrupt lets packets be processed in the middle of such a program. So each has a twin at the same
 * tracepoint, which the kernel runs after it, and which does its work where it was skipped.
 *
 * The program notes each event that it sees; where the note is another event's, the twin knows that the program was
 * skipped. A thread and the softirq that interrupts it have a note each: the softirq runs on another stack.
 *
 * Where a thread may be preempted in the middle of a program (program.bpf.h), threads skip each other's programs, too,
 * and come between a program and its twin. There each thread has a note of its own: that the program has reported this
 * thread's event. From the first time on that there is no memory for one, twins tell nothing in threads.
 */
struct event_note {
	u64 object; /* the packet or socket; 0: none, its twin has seen it */
	u64 change; /* of it */
};

/* One of threads and one of softirqs for each twin. */
struct event_notes {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * TWINS);
	__type(key, u32);
	__type(value, struct event_note);
};

enum told {
	TOLD_NOTHING,
	TOLD_BY_PROGRAM,
	TOLD_BY_TWIN, /* which goes on with the program itself: the kernel skips only what it calls at a tracepoint */
};

struct thread_note {
	u8 told[TWINS];
};

struct thread_notes {
	TASK_STORAGE(1);
	__type(value, struct thread_note);
};

extern struct event_notes event_notes SEC(".maps");
extern struct thread_notes thread_notes SEC(".maps");
extern __u8 notes_are_missing;
extern __u64 told_by_twin[TWINS]; /* events whose program was skipped */

#ifdef PREEMPT_COUNT
/* There a softirq may run on the thread's stack; the thread's own count says whether one does. */
static __always_inline bool in_thread(void *ctx)
{
	return !(PREEMPT_COUNT(bpf_get_current_task_btf()) & SOFTIRQ_SERVED);
}
#else
/* The kernel's own types do not tell the size of a thread's stack, which is that of an interrupt's. */
#ifndef USUAL_STACK
#define USUAL_STACK 16384
#endif

static __always_inline bool in_thread(void *ctx)
{
	u64 stack = (u64)FIELD(bpf_get_current_task_btf(), stack), end = bpf_core_type_size(struct irq_stack);

	end = stack + (end ? end : USUAL_STACK);
	barrier_var(stack); /* the verifier allows no pointer to be subtracted from */
	barrier_var(end);
	return (u64)ctx >= stack && (u64)ctx < end;
}
#endif

static __always_inline struct event_note *note_at(enum twin twin, void *ctx)
{
	u32 key = 2 * twin;

	if (!in_thread(ctx))
		key++;
	return bpf_map_lookup_elem(&event_notes, &key);
}

static __always_inline void note_event(enum twin twin, void *ctx, void *object, u32 change)
{
	struct event_note *note = note_at(twin, ctx);

	if (!note)
		return;
	note->object = (u64)object;
	note->change = change;
}

/* For the twin: whether to do the program's work. told_in_thread() has the last word in threads that may be preempted.
 */
static __always_inline bool was_skipped(enum twin twin, void *ctx, void *object, u32 change)
{
	struct event_note *note;

	if (may_be_preempted && in_thread(ctx))
		return true;
	note = note_at(twin, ctx);
	if (!note)
		return false;
	if (note->object == (u64)object && note->change == change) {
		note->object = 0;
		return false;
	}
	__sync_fetch_and_add(&told_by_twin[twin], 1);
	return true;
}

/* The program is about to report an event. */
static __always_inline void note_in_thread(enum twin twin)
{
	struct thread_note *note =
		bpf_task_storage_get(&thread_notes, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (note)
		note->told[twin] = note->told[twin] == TOLD_BY_TWIN ? TOLD_NOTHING : TOLD_BY_PROGRAM;
	else
		notes_are_missing = true;
}

/* Its twin is about to report it: whether the program has. by_twin: what is noted if not. */
static __always_inline bool told_in_thread(enum twin twin, enum told by_twin)
{
	struct thread_note *note =
		bpf_task_storage_get(&thread_notes, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	bool told;

	if (!note || notes_are_missing)
		return true;
	told = note->told[twin] == TOLD_BY_PROGRAM;
	note->told[twin] = told ? TOLD_NOTHING : by_twin;
	if (!told)
		__sync_fetch_and_add(&told_by_twin[twin], 1);
	return told;
}

/* A program, or its twin, is about to report an event. False: it was reported. */
static __always_inline bool may_tell(enum twin twin, void *ctx, bool is_twin)
{
	if (!may_be_preempted || !in_thread(ctx))
		return true;
	if (is_twin)
		return !told_in_thread(twin, TOLD_NOTHING);
	note_in_thread(twin);
	return true;
}

#endif
