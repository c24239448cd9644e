/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the kernel programs say to user space: the records in the ring, and what the iterators print.
 *
 * The only file of bpf/ that user space includes. Fixed-width fields, 8-byte aligned, no pointers, host byte
 * order unless a field says otherwise. The file format is another thing (formats/): this one may change with
 * every build, since one program carries both ends.
 */
#ifndef TAILCAP_BPF_EVENT_H
#define TAILCAP_BPF_EVENT_H

#include <linux/types.h>

#ifdef __cplusplus
namespace tailcap::bpf {
#endif

/* The first numbers are those of formats::Kind. */
#define RECORD_KINDS 16
enum record_kind {
	RECORD_SEND = 0,
	RECORD_RECEIVE = 1,
	RECORD_ARRIVAL = 2,
	RECORD_RETRANSMIT = 3,
	RECORD_RESET = 4,
	RECORD_STATE_CHANGE = 5,
	RECORD_ACCEPT = 6,
	RECORD_SOCKET = 7,
	RECORD_OFF_CPU = 8,
	RECORD_TASK_START = 9,
	RECORD_TASK_EXEC = 10,
	RECORD_TASK_EXIT = 11,
	RECORD_TASK = 12,
};

/* Every loss that can be counted in the kernel: rows of RECORD_KINDS counters each. */
enum loss_row {
	LOSS_RING_FULL = 0,
	LOSS_SOCKET_TABLE = 1, /* no storage for a socket: its events are not recorded */
	LOSS_TASK_TABLE = 2,   /* no storage for a task */
};

#define LOSS_COUNTERS (3 * 16)

/* Of an I/O; the numbers of formats::Payload. */
enum record_payload {
	PAYLOAD_CAPTURED = 0,
	PAYLOAD_OFF = 1,
	PAYLOAD_NO_BUFFER = 2,
	PAYLOAD_UNSUPPORTED = 3,
	PAYLOAD_FAULT = 4,
};

#define IO_TRUNCATED 1
#define IO_CONTINUED 2 /* a further part of the call that the record before told of */
#define STATE_BY_THREAD 1
#define NO_SYSCALL 0xffff

#define HEAD_MIN 256   /* kept of every I/O, so that a message start is seen wherever it is */
#define HEAD_MAX 8192  /* kept of one I/O at most; a per-CPU map value may not exceed 32 KiB */
#define TAIL_SIZE 16   /* kept of the end of an I/O that was cut: a chunked terminator or the end of a head */
#define PATH_SIZE 112
#define COMM_SIZE 16
#define FILENAME_SIZE 256
#define PORTS_MAX 8

struct record_header {
	__u64 time; /* CLOCK_MONOTONIC */
	__u32 pid;
	__u32 tid;
	__u16 kind;
	__u16 missed; /* events of this socket or thread lost since the last one that came through */
	__u32 length; /* bytes moved, where that means something */
};

/* RECORD_SEND, RECORD_RECEIVE; head and tail bytes follow, then padding to 8. */
struct record_io {
	struct record_header h;
	__u64 socket;
	__u64 position;
	__s32 error;
	__u16 syscall;
	__u8 payload;
	__u8 flags;
	__u16 head;
	__u16 tail;
	__u32 unused;
};

/* RECORD_ARRIVAL, RECORD_RETRANSMIT, RECORD_RESET (position: direction), RECORD_ACCEPT (position: descriptor) */
struct record_segment {
	struct record_header h;
	__u64 socket;
	__u32 position;
	__u32 unused;
};

struct record_state {
	struct record_header h;
	__u64 socket;
	__s32 error;
	__u8 from;
	__u8 to;
	__u8 flags;
	__u8 unused;
};

struct record_socket {
	struct record_header h;
	__u64 socket;
	__u64 inode;
	__u64 peer_inode;
	__u32 net_namespace;
	__u32 next_out;
	__u32 next_in;
	__u8 family;
	__u8 type;
	__u8 origin; /* formats::Origin */
	__u8 state;
	__u16 local_port;
	__u16 remote_port;
	__u16 path_length;
	__u16 unused;
	__u8 local[16];
	__u8 remote[16];
	__u8 path[PATH_SIZE]; /* as in sockaddr_un: abstract names begin with a zero byte */
};

struct record_off_cpu {
	struct record_header h;
	__u64 left;
	__u64 runnable;
	__u64 argument0;
	__u64 argument1;
	__u32 waker;
	__u32 state;
	__s16 syscall;
	__u16 unused[3];
};

/* RECORD_TASK_START (of the child), RECORD_TASK (an existing one, parent_pid only), RECORD_TASK_EXIT (code) */
struct record_task {
	struct record_header h;
	__u32 parent_pid;
	__u32 parent_tid;
	__s32 code;
	__u32 unused;
	char comm[COMM_SIZE];
};

struct record_exec {
	struct record_header h;
	char comm[COMM_SIZE];
	char filename[FILENAME_SIZE];
};

#ifdef __cplusplus
static_assert(sizeof(record_header) == 24);
static_assert(sizeof(record_io) == 56);
static_assert(sizeof(record_segment) == 40);
static_assert(sizeof(record_state) == 40);
static_assert(sizeof(record_socket) == 216);
static_assert(sizeof(record_off_cpu) == 72);
static_assert(sizeof(record_task) == 56);
static_assert(sizeof(record_exec) == 296);
}  // namespace tailcap::bpf
#endif

#endif
