/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Frames of scripts, which an interpreter or a compiler at run time keeps in structures of its own: a part of
 * bpf/event.h. Each language has a file: event_python.h and others.
 */
#ifndef TAILCAP_BPF_EVENT_SCRIPT_H
#define TAILCAP_BPF_EVENT_SCRIPT_H

#include "bpf/event_hotspot.h"
#include "bpf/event_php.h"
#include "bpf/event_python.h"
#include "bpf/event_ruby.h"
#include "bpf/event_v8.h"

#define SCRIPT_FRAMES 64 /* of a stack; deeper ones lose their outermost frames */
/* In a record, a frame of Python has a second word, which says where in its code it is. */
#define SCRIPT_WORDS (2 * SCRIPT_FRAMES)
#define SCRIPT_TEXT 128    /* bytes that are kept of a name */
#define SCRIPT_LINES 1024  /* of a table of lines; functions that have a longer one are sent without it */
#define SCRIPT_CODES 32768 /* functions, of all processes, that were sent to user space lately */

#define TAILCAP_SCRIPT_LANGUAGE_NUMBERS(N) \
	N(SCRIPT_PYTHON, 0)                \
	N(SCRIPT_PHP, 1)                   \
	N(SCRIPT_V8, 2)                    \
	N(SCRIPT_RUBY, 3)                  \
	N(SCRIPT_HOTSPOT, 4)
TAILCAP_ENUM(script_language, TAILCAP_SCRIPT_LANGUAGE_NUMBERS);

struct script_process {
	__u64 number; /* of no process before */
	__u32 language;
	__u32 unused;
	union {
		struct python_process python;
		struct php_process php;
		struct v8_process v8;
		struct ruby_process ruby;
		struct hotspot_process hotspot;
	};
};

/* A string of the program, or a part of it. */
struct script_text {
	__u32 characters; /* of the whole string */
	__u16 size;       /* bytes that are kept */
	__u8 width;       /* bytes of a character: 1, 2, 4 */
	__u8 utf8;        /* characters are bytes of UTF-8, or of whatever the program has written there */
	__u64 words[SCRIPT_TEXT / 8 + 1]; /* the last one is no part of it */
};

/* RECORD_SCRIPT_CODE: what a frame's number stands for. Comes before the first sample that has it, and from time to
 * time again. */
struct record_script_code {
	struct record_header h;
	__u64 code;       /* the number in record_sample, without SCRIPT_PLACE */
	__u32 first_line; /* 0: not known */
	__u32 language;
	struct script_text name;  /* its beginning */
	struct script_text file;  /* its end */
	struct script_text scope; /* the class, where the name is without it; its beginning */
	/* Which line each instruction is of, as the language writes it; sent only where lines_size is not 0. */
	__u32 code_bytes; /* of all instructions */
	__u16 lines_size;
	__u16 lines_form; /* enum script_lines */
	__u64 lines[SCRIPT_LINES / 8];
};

#define TAILCAP_SCRIPT_LINES_NUMBERS(N)                                 \
	N(SCRIPT_LINES_DELTAS, 0)    /* CPython up to 3.9: co_lnotab */ \
	N(SCRIPT_LINES_RANGES, 1)    /* 3.10: co_linetable */           \
	N(SCRIPT_LINES_LOCATIONS, 2) /* 3.11 and later: co_linetable, of locations */
TAILCAP_ENUM(script_lines, TAILCAP_SCRIPT_LINES_NUMBERS);

/* Where a frame stands in the program's own stack: the lowest bits of its number. */
#define SCRIPT_PLACE 0xffull
/* The interpreter's function was called for it, so that it has a frame of its own in the program's stack. V8 has one
 * for each: the place is its index there, from the innermost on. */
#define SCRIPT_ENTRY 1ull
/* The language has it in C, so that no frame of the interpreter's function is its own. */
#define SCRIPT_IN_C 2ull

#define TAILCAP_SCRIPT_END_NUMBERS(N)                                                    \
	N(SCRIPT_END_NONE, 0)  /* no frames, or a structure was not what it has to be */ \
	N(SCRIPT_END_WHOLE, 1) /* down to the thread's first one */                      \
	N(SCRIPT_END_CUT, 2)   /* there may be more than SCRIPT_FRAMES */                \
	N(SCRIPT_END_APART, 3) /* whole; the program has its outer ones on another stack */
TAILCAP_ENUM(script_end, TAILCAP_SCRIPT_END_NUMBERS);

#ifdef __cplusplus
static_assert(sizeof(script_process) == 96 && sizeof(script_text) == 144 && sizeof(record_script_code) == 1504);
#endif

#endif
