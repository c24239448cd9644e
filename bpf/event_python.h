/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Frames of Python code, which CPython keeps in structures of its own: a part of bpf/event.h.
 */
#ifndef TAILCAP_BPF_EVENT_PYTHON_H
#define TAILCAP_BPF_EVENT_PYTHON_H

#define PYTHON_FRAMES 64   /* of a stack; deeper ones lose their outermost frames */
#define PYTHON_THREADS 256 /* of a process; the running one is looked for among the first of them */
#define PYTHON_TEXT 128    /* bytes that are kept of a name */
#define PYTHON_CODES 32768 /* code objects, of all processes, that were sent to user space lately */

/* How versions of CPython differ. */
#define PYTHON_HOLDER_IN_INTERPRETER 1
#define PYTHON_FRAME_IN_THREAD 2 /* thread_frames is the current frame */
#define PYTHON_ENTRY_ALWAYS 4    /* the interpreter's function is called for each frame */
#define PYTHON_ENTRY_BELOW 8     /* below an entry is a frame that the interpreter's function made for itself */
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
	/* Of a frame: within 80 bytes. */
	__u16 frame_code;
	__u16 frame_previous;
	__u16 frame_entry; /* a byte that says for which frames the interpreter's function was called */
	/* Of a code object: within 144 bytes. */
	__u16 code_first_line;
	__u16 code_constants;
	__u16 code_names;
	__u16 code_file;
	__u16 code_name;
	__u16 code_lines;
	/* Of a string: where its characters begin. */
	__u16 text_ascii;
	__u16 text_other;
	__u16 ways; /* PYTHON_HOLDER_IN_INTERPRETER and others */
};

struct python_process {
	__u64 runtime; /* addresses of _PyRuntime, PyCode_Type and PyUnicode_Type */
	__u64 code_type;
	__u64 text_type;
	__u64 number; /* of no process before */
	struct python_layout layout;
};

/* A Python string, or a part of it. */
struct python_text {
	__u32 characters; /* of the whole string */
	__u16 size;       /* bytes that are kept */
	__u8 width;       /* bytes of a character: 1, 2, 4 */
	__u8 unused;
	__u64 words[PYTHON_TEXT / 8 + 1]; /* the last one is no part of it */
};

/* RECORD_PYTHON_CODE: what a frame's number stands for. Comes before the first sample that has it, and from time to
 * time again. */
struct record_python_code {
	struct record_header h;
	__u64 code; /* the number in record_sample, without PYTHON_ENTRY */
	__u32 first_line;
	__u32 unused;
	struct python_text name; /* qualified; its beginning */
	struct python_text file; /* its end */
};

/* In the number of a frame: the interpreter's function was called for it, so that it has a frame of its own in the
 * program's stack. */
#define PYTHON_ENTRY 1ull

#define TAILCAP_PYTHON_END_NUMBERS(N)                                                    \
	N(PYTHON_END_NONE, 0)  /* no frames, or a structure was not what it has to be */ \
	N(PYTHON_END_WHOLE, 1) /* down to the thread's first one */                      \
	N(PYTHON_END_CUT, 2)   /* there may be more than PYTHON_FRAMES */
TAILCAP_ENUM(python_end, TAILCAP_PYTHON_END_NUMBERS);

#ifdef __cplusplus
static_assert(sizeof(python_process) == 72 && sizeof(python_text) == 144 && sizeof(record_python_code) == 328);
#endif

#endif
