/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the kernel programs say of stacks and of memory that is allocated: a part of bpf/event.h.
 */
#ifndef TAILCAP_BPF_EVENT_SAMPLE_H
#define TAILCAP_BPF_EVENT_SAMPLE_H

/* RECORD_SAMPLE. The addresses of two stacks follow, each from the innermost frame on: first the program's, then the
 * kernel's. */
#define STACK_MAX 127 /* frames of each, what the kernel itself walks at most; deeper ones lose their outermost */
struct record_sample {
	struct record_header h;
	__u64 goroutine;
	__u64 value; /* of SAMPLE_OFF_CPU: when it left; of SAMPLE_ALLOCATION: bytes */
	__u16 user;
	__u16 kernel;
	__u32 weight;
	__u32 what; /* enum sample_kind */
	__u32 unused;
};

/* Why the stack was taken; the numbers of formats::SampleKind. */
enum sample_kind {
	SAMPLE_ON_CPU = 0,
	SAMPLE_OFF_CPU = 1,
	SAMPLE_PREEMPTED = 2,
	SAMPLE_ALLOCATION = 3,
};

/* What a process has allocated, on one CPU. By class: 0 for nothing, otherwise of n bits. */
#define ALLOCATION_CLASSES 48
struct go_allocated {
	__u64 count[ALLOCATION_CLASSES];
	__u64 bytes[ALLOCATION_CLASSES];
	__s64 to_next;    /* bytes until one is sampled */
	__u64 next_large; /* bpf/stack_rate.h */
	__u64 left_out;
};

#ifdef __cplusplus
static_assert(sizeof(record_sample) == 56);
static_assert(sizeof(go_allocated) == 792);
#endif

#endif
