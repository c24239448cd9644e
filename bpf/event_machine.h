/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Part of bpf/event.h: who used the CPUs, which user space reads in place.
 */
#ifndef TAILCAP_BPF_EVENT_MACHINE_H
#define TAILCAP_BPF_EVENT_MACHINE_H

#define CPU_SLOTS 256       /* a power of two */
#define CPU_TABLES_MAX 512u /* on machines with more CPUs nothing is counted */

/* A process on one CPU. Processes whose numbers have the same low bits take turns: the later one takes the place. */
struct cpu_slot {
	__u64 time;    /* ns on this CPU since it took the place */
	__u64 read;    /* bytes read from disks meanwhile, */
	__u64 written; /* and bytes of files that were changed */
	__u32 tgid;    /* 0: none */
	__u32 changes; /* odd while the process is being replaced */
	char comm[COMM_SIZE];
};

/* Whose thread woke a target; threads that do it may end at once. Key: the thread. */
struct waker {
	__u32 process;
	char comm[COMM_SIZE]; /* of the process */
};

/* One CPU. Times are by the scheduler's clock of that CPU, which leaves out interrupts and what the hypervisor took,
 * where the kernel accounts for them. */
struct cpu_table {
	__u64 switched; /* at the last switch; 0: none yet */
	__u64 clock;    /* when it was last asked for */
	__u64 others;   /* ns of those that were replaced */
	__u64 read;     /* what the running thread had read and written at the last switch */
	__u64 written;
	__u64 queue;   /* its run queue, for the kernel programs */
	__u32 running; /* the process since the last switch; 0: idle */
	__u32 epoch;   /* that the others are of: bpf/core/target.bpf.h */
	__u32 thread;  /* that runs since the last switch */
	__u32 unused;
	struct cpu_slot slots[CPU_SLOTS];
};

#endif
