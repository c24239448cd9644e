/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where CPython keeps its frames: a part of bpf/event_script.h.
 */
#ifndef TAILCAP_BPF_EVENT_PYTHON_H
#define TAILCAP_BPF_EVENT_PYTHON_H

#define PYTHON_THREADS 256 /* of a process; the running one is looked for among the first of them */

/* How versions of CPython differ. */
#define PYTHON_HOLDER_IN_INTERPRETER 1
#define PYTHON_FRAME_IN_THREAD 2 /* thread_frames is the current frame */
#define PYTHON_ENTRY_ALWAYS 4    /* the interpreter's function is called for each frame */
#define PYTHON_ENTRY_BELOW 8     /* below an entry is a frame that the interpreter's function made for itself */
#define PYTHON_CODE_APART 16     /* the instructions are a string of bytes, and frames have a number of one of them */
#define PYTHON_CODE_IN_UNITS 32  /* that number counts units of two bytes */
#define PYTHON_OWNER_FUNCTION 3  /* such a frame has this in its byte frame_entry */

/* Where the fields lie in the structures of one version of CPython. */
struct python_layout {
	__u16 holder; /* the thread that holds the interpreter's lock: in _PyRuntime, or in the interpreter */
	__u16 runtime_interpreters;
	__u16 interpreter_next;
	__u16 interpreter_threads;
	__u16 thread_next;
	__u16 thread_id;
	__u16 thread_frames; /* the current frame, or a structure that points to it */
	__u16 current_frame;
	/* Fields of a frame: within 80 bytes. */
	__u16 frame_code;
	__u16 frame_previous;
	__u16 frame_entry;       /* a byte that says for which frames the interpreter's function was called */
	__u16 frame_instruction; /* the latest: its address, or its number, which need not be within them */
	/* Fields of a code object: within 144 bytes. */
	__u16 code_first_line;
	__u16 code_constants;
	__u16 code_names;
	__u16 code_file;
	__u16 code_name;
	__u16 code_lines;
	__u16 code_begin; /* where its instructions begin, or the bytes that have them; not within them */
	/* Where the characters of a string begin. */
	__u16 text_ascii;
	__u16 text_other;
	__u16 ways; /* PYTHON_HOLDER_IN_INTERPRETER and others */
	__u16 unused[2];
};

struct python_process {
	__u64 runtime; /* addresses of _PyRuntime, PyCode_Type and PyUnicode_Type */
	__u64 code_type;
	__u64 text_type;
	struct python_layout layout;
};

#ifdef __cplusplus
static_assert(sizeof(python_process) == 72);
#endif

#endif
