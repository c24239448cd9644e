/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where Ruby keeps its frames: a part of bpf/event_script.h.
 */
#ifndef TAILCAP_BPF_EVENT_RUBY_H
#define TAILCAP_BPF_EVENT_RUBY_H

#define RUBY_THREADS 256 /* of a process; the running one is looked for among the first of them */

/* How strings, arrays and lines are kept. */
#define RUBY_LENGTH_FIRST 1 /* a string's length is before its characters, wherever these are */
#define RUBY_LONG_WITHIN 2  /* an array has up to 127 elements within itself, not 3 */
#define RUBY_PLAIN_LINE 4   /* the first line is a plain number */

/* Where the fields lie in the structures of one version of Ruby; the others have not moved since 2.7. */
struct ruby_layout {
	__u16 ractors;       /* a list, in the virtual machine; 0: it has the threads itself */
	__u16 ractor_node;   /* in a ractor */
	__u16 threads;       /* a list, in a ractor or in the virtual machine */
	__u16 thread_frames; /* the execution context */
	__u16 thread_native; /* what has the thread's ID; 0: the thread itself */
	__u16 thread_id;
	__u16 context_thread;
	__u16 frame_size;
	__u16 ways; /* RUBY_LENGTH_FIRST and others */
	__u16 unused[3];
};

struct ruby_process {
	__u64 machine;           /* address of ruby_current_vm_ptr */
	__u64 names;             /* of ruby_global_symbols; 0: not known */
	__u64 interpreter;       /* the function that executes code */
	__u64 interpreter_bytes; /* of its code */
	struct ruby_layout layout;
};

#ifdef __cplusplus
static_assert(sizeof(ruby_process) == 56);
#endif

#endif
