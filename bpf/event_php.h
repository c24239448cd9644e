/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where PHP keeps its frames: a part of bpf/event_script.h.
 */
#ifndef TAILCAP_BPF_EVENT_PHP_H
#define TAILCAP_BPF_EVENT_PHP_H

#define PHP_DELEGATES 16 /* generators between one that `yield from` has called and the outermost */

/* Where the fields lie in the structures of one version of PHP; the others have not moved since 7.4. */
struct php_layout {
	__u16 current_frame; /* in executor_globals */
	__u16 generator_frame;
	__u16 generator_parent;
	__u16 fiber; /* the running one, in executor_globals; 0: there are none */
	/* Fields of a function: within 184 bytes. */
	__u16 code_file;
	__u16 code_first_line;
};

struct php_process {
	__u64 globals; /* executor_globals: builds without threads */
	struct php_layout layout;
	__u32 unused;
};

#ifdef __cplusplus
static_assert(sizeof(php_process) == 24);
#endif

#endif
