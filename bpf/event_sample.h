/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Records of stacks and of allocated memory: a part of bpf/event.h.
 */
#ifndef TAILCAP_BPF_EVENT_SAMPLE_H
#define TAILCAP_BPF_EVENT_SAMPLE_H

/* RECORD_SAMPLE. Three stacks follow, each from the innermost frame on: addresses in the program, addresses in the
 * kernel, and words about frames of scripts (event_script.h). */
#define STACK_MAX 127 /* frames of each; the kernel's own limit. Deeper stacks lose their outermost frames */
struct record_sample {
	struct record_header h;
	__u64 goroutine;
	__u64 value; /* SAMPLE_OFF_CPU: time of the switch-out; SAMPLE_ALLOCATION: bytes */
	__u16 user;
	__u16 kernel;
	__u32 weight;
	__u16 what;           /* enum sample_kind */
	__u16 end;            /* enum stack_end: of the program's stack */
	__u16 script;         /* words */
	__u8 script_end;      /* enum script_end */
	__u8 script_language; /* enum script_language */
};

#define WAITING_KERNEL 64 /* frames of the kernel's stack */

/* A thread that waits: what user space needs to walk its stack. The record has the number of the kernel's frames. */
struct waiting_thread {
	struct record_sample record;
	__u64 ip, sp, bp;
	__u64 kernel[WAITING_KERNEL];
};

/* Why the stack was taken; the numbers of formats::SampleKind. */
#define TAILCAP_SAMPLE_KIND_NUMBERS(N) \
	N(SAMPLE_ON_CPU, 0)            \
	N(SAMPLE_OFF_CPU, 1)           \
	N(SAMPLE_PREEMPTED, 2)         \
	N(SAMPLE_ALLOCATION, 3)
TAILCAP_ENUM(sample_kind, TAILCAP_SAMPLE_KIND_NUMBERS);

/* Why the program's stack goes no further out; the numbers of formats::StackEnd. */
#define TAILCAP_STACK_END_NUMBERS(N)                                                                   \
	N(STACK_END_UNKNOWN, 0)    /* by frame pointers alone */                                       \
	N(STACK_END_START, 1)      /* the thread's start, according to the tables of its code */       \
	N(STACK_END_ZERO, 2)       /* a frame pointer or return address of 0 in code without tables */ \
	N(STACK_END_CUT, 3)        /* there may be more frames than STACK_MAX */                       \
	N(STACK_END_NO_RULE, 4)    /* how this code finds its caller is not known */                   \
	N(STACK_END_UNREADABLE, 5) /* the stack's memory could not be read */
TAILCAP_ENUM(stack_end, TAILCAP_STACK_END_NUMBERS);

/* Allocations of a process on one CPU, by size class: 0 for size 0, otherwise n for sizes of n bits. */
#define ALLOCATION_CLASSES 48
struct allocated {
	__u64 count[ALLOCATION_CLASSES];
	__u64 bytes[ALLOCATION_CLASSES];
	__s64 to_next;    /* bytes until the next sample */
	__u64 next_large; /* bpf/core/stack_rate.bpf.h */
	__u64 left_out;
};

#ifdef __cplusplus
static_assert(sizeof(record_sample) == 56);
static_assert(sizeof(waiting_thread) == 592);
static_assert(sizeof(allocated) == 792);
#endif

#endif
