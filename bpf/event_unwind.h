/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Tables by which the kernel program finds callers in code without frame pointers: a part of bpf/event.h.
 *
 * Tables and lists of mappings are sorted and cut into parts of one size, the values of one map. Entries that are not
 * used are all ones.
 */
#ifndef TAILCAP_BPF_EVENT_UNWIND_H
#define TAILCAP_BPF_EVENT_UNWIND_H

#define UNWIND_ROWS 248    /* of a part: with the map's own 56 bytes that is just below 2 KiB */
#define UNWIND_INDEX 496   /* parts of a table */
#define UNWIND_RANGES 62   /* of a part */
#define UNWIND_LISTS 64    /* parts of a list */
#define UNWIND_PARTS 32768 /* in all: 64 MiB */

/* How the CFA is computed: the stack pointer's value before the call, above the return address. */
#define TAILCAP_UNWIND_HOW_NUMBERS(N)                                                \
	N(UNWIND_FRAME, 0)   /* no rule covers this: by the frame pointer */         \
	N(UNWIND_NO_RULE, 1) /* the rule is none of those below */                   \
	N(UNWIND_START, 2)   /* nothing called this */                               \
	N(UNWIND_RSP, 3)     /* rsp + 8 * cfa */                                     \
	N(UNWIND_RBP, 4)     /* rbp + 8 * cfa */                                     \
	N(UNWIND_PLT, 5)     /* rsp + 8, and 8 more from byte `cfa` of each 16 on */ \
	N(UNWIND_AT_RBP, 6)  /* the word at rbp + cfa */                             \
	N(UNWIND_SIGNAL, 7)  /* a signal's frame: the kernel has saved the registers at rsp */
TAILCAP_ENUM(unwind_how, TAILCAP_UNWIND_HOW_NUMBERS);

/* Where the caller's rbp is: else at CFA - 8 * rbp. */
#define UNWIND_RBP_SAME 0
#define UNWIND_RBP_AT_RBP 254
#define UNWIND_RBP_UNKNOWN 255

/* Holds from pc on, up to the next row. */
struct unwind_row {
	__u32 pc;
	__u8 how; /* enum unwind_how */
	__u8 rbp;
	__s16 cfa;
};

/* An executable mapping, or a piece of one. Rows are for addresses less bias. */
struct unwind_range {
	__u64 start;
	__u64 end;
	__u64 bias;
	__u32 table; /* 0: none */
	__u32 unused;
};

struct unwind_key {
	__u32 id;
	__u32 part; /* of a table: 0 is the index, the rows follow */
};

struct unwind_part {
	union {
		struct unwind_row rows[UNWIND_ROWS];
		__u32 index[UNWIND_INDEX]; /* the first pc of each part with rows */
		struct unwind_range ranges[UNWIND_RANGES];
	};
};

struct unwind_process {
	__u32 list;
	__u32 parts;
};

#ifdef __cplusplus
static_assert(sizeof(unwind_row) == 8 && sizeof(unwind_range) == 32 && sizeof(unwind_part) == 1984);
#endif

#endif
