/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Part of bpf/event.h: stalls of threads in the kernel, and calls on files.
 */
#ifndef TAILCAP_BPF_EVENT_STALL_H
#define TAILCAP_BPF_EVENT_STALL_H

/* RECORD_STALL */
struct record_stall {
	struct record_header h;
	__u64 began;
	__u64 where;
	__u32 detail;
	__u32 what; /* enum stall */
};

/* The numbers of formats::StallKind. */
#define TAILCAP_STALL_NUMBERS(N) \
	N(STALL_BLOCK_IO, 0)     \
	N(STALL_MAJOR_FAULT, 1)  \
	N(STALL_RECLAIM, 2)      \
	N(STALL_KERNEL_LOCK, 3)  \
	N(STALL_FUSE, 4)         \
	N(STALL_WRITEBACK, 5)    \
	N(STALL_IO_THROTTLED, 6) \
	N(STALL_PEER_WINDOW, 7)  \
	N(STALL_CONGESTION, 8)   \
	N(STALL_INTERRUPT, 9)    \
	N(STALL_COMPACTION, 10)  \
	N(STALL_FRAGMENTED, 11)  \
	N(STALL_SEND_FULL, 12)   \
	N(STALL_NAGLE, 13)       \
	N(STALL_UNDELIVERED, 14)
TAILCAP_ENUM(stall, TAILCAP_STALL_NUMBERS);
/* No stall: a lock on a file was refused; where: the process that has it. The file has a note of it (ground). */
#define STALL_FILE_LOCK 200

/* RECORD_FILE_CALL */
#define FILE_PATH_SIZE 256
#define FILE_RESULT_UNKNOWN (-0x7fffffffffffffffll - 1)
struct record_file {
	struct record_header h;
	__u64 goroutine;
	__u64 began;
	__u64 until;      /* h.time is when it was emitted */
	__s64 result;     /* as the call returned it; the file has the same for what is not known */
	__s32 descriptor; /* -1: none */
	__u8 act;         /* the numbers of formats::FileAct */
	__u8 how;         /* enum file_path */
	__u16 size;       /* of the path; 0: not known */
	__u8 path[FILE_PATH_SIZE];
};

#define TAILCAP_FILE_ACT_NUMBERS(N) \
	N(FILE_ACT_OPEN, 0)         \
	N(FILE_ACT_READ, 1)         \
	N(FILE_ACT_WRITE, 2)        \
	N(FILE_ACT_SYNC, 3)
TAILCAP_ENUM(file_act, TAILCAP_FILE_ACT_NUMBERS);

/* The form of the path: text, or names of directories from the innermost on, each with a zero behind it; PATH_CUT:
 * something is missing at the end. */
enum file_path {
	PATH_TEXT = 0,
	PATH_NAMES = 1,
	PATH_CUT = 2,
};

#ifdef __cplusplus
static_assert(sizeof(record_stall) == 48);
static_assert(sizeof(record_file) == 320);
#endif

#endif
