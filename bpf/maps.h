/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Shared by all programs: the settings that user space writes before loading, and the maps.
 */
#ifndef TAILCAP_BPF_MAPS_H
#define TAILCAP_BPF_MAPS_H

#include "bpf/event.h"
#include "bpf/kernel.h"
#include <bpf/bpf_helpers.h>

/* Read-only once loaded: the verifier removes code that they disable. __u8, not bool: the skeleton is also C++. */
const volatile __u32 self_tgid = 0;     /* the recorder, which never records itself */
const volatile __u32 own_tgids[2] = {}; /* its processes that make children to open and read files; 0: none */
const volatile __u32 payload_limit = 0; /* bytes kept after a message start; 0: no payload */
const volatile __u64 ring_wake = 0;     /* wake the reader at this many bytes pending in one ring */
const volatile __u32 ring_mask = 0;     /* the number of rings, a power of two, less one */
const volatile __u8 target_all = false;
const volatile __u8 target_comms_used = false;
const volatile __u64 target_cgroup = 0; /* id in the unified hierarchy; 0: none */
const volatile __u32 port_count = 0;
const volatile __u16 ports[PORTS_MAX] = {};
const volatile __u8 tell_stalls = false;
const volatile __u64 slow_file = 0;             /* calls on files that take at least this long are recorded; 0: none */
const volatile __u8 switch_tells_state = false; /* sched_switch has its fourth argument: since 5.18 */

/* Set while the iterator over tasks may create targets; later it only lists them. */
__u8 marking = false;

/* Exists only for targets. Collects what happened since the task was switched out. */
struct task_state {
	u64 left;
	u64 runnable;
	u64 argument0;
	u64 argument1;
	u32 waker;
	u32 state;
	u64 socket;
	s16 syscall;
	u8 file;
	u8 throttled;
	u8 pending;  /* enum stall: what it is about to sleep for */
	u8 asleep;   /* enum stall: what it sleeps for */
	u16 touched; /* a target only because it used a selected port: its other sockets are not recorded */
	u32 missed;
	u64 pending_since;
	u64 reclaim_began;
	u64 compaction_began;
	u64 lock_began;
	u64 lock;
	u32 lock_flags;
	u8 stacked; /* bpf/left_stack.h: enum stacked, for the current off-CPU interval */
	u8 unused[3];
	/* bpf/goroutine.h: as of this epoch, the thread runs a program of this file (0: not a Go program), with this
	 * layout. */
	u32 go_epoch;
	u16 go_file;
	s16 go_slot;
	u16 go_number;
	u8 go_c_code;
	u8 go_words;        /* from g.m to g.goid; 0: its g.m is not known, or may change */
	u64 go_thread;      /* its g.m */
	u64 goroutine;      /* when it was switched out */
	u64 sending;        /* address of the TCP socket that it waits to write to; 0: none */
	u32 sending_since;  /* in ticks */
	u32 sending_window; /* ticks for which the peer's window had blocked it before */
	/* bpf/file.h */
	u64 open_began; /* 0: it opens nothing */
	u64 file_began; /* its first switch-out in a call on a file; 0: none */
	u64 file_until; /* its last switch-in */
	u64 file_object;
	u64 file_calls; /* reads and writes before it, by the kernel's own count */
	u64 file_bytes; /* moved by them */
	u64 file_goroutine;
	s32 file_descriptor;
	s16 file_call;  /* the system call's number */
	u16 file_named; /* its path is in slow_files */
	u64 switches;   /* earlier switch-outs, by the kernel's own count; 0: not seen yet */
};

/* The position of a direction within its frames: bpf/frames.h. */
struct frame_state {
	u32 next;  /* low half of the position behind the last I/O */
	u32 left;  /* bytes to come of the frame's payload */
	u32 keep;  /* how many of them are wanted */
	u8 have;   /* bytes of the next header that the last I/O ended with */
	u8 synced; /* the above is known; zero at first */
	u16 unused;
	u8 header[16];
};

struct direction_state {
	u64 counted; /* bytes moved; UNIX sockets only, TCP has sequence numbers */
	u32 budget;  /* payload bytes still to be kept of the latest message */
	u32 begun;   /* its first bytes have been examined */
	struct frame_state frames;
};

enum framing {
	FRAMING_NONE,
	FRAMING_HTTP2, /* began with the preface */
	FRAMING_TLS,   /* began with a record of a handshake */
};

/* Exists only for sockets that are targets. */
struct socket_state {
	u64 self; /* address of the struct sock: differs in a clone of a listener's storage */
	u64 cookie;
	u64 inode; /* tier C: detects a reused address */
	struct direction_state direction[2];
	u64 batch;      /* datagrams: the vector of the sendmmsg in progress; 0: none */
	u32 batch_next; /* its next message */
	u32 missed;
	u8 family;
	u8 type;
	u8 origin;
	u8 framing; /* enum framing */
	u8 counts;  /* positions are counted: UNIX sockets, and MPTCP, whose sequence numbers are its subflows' */
	u8 uring;   /* io_uring was used on it */
	u8 unused[6];
};

/* One ring for each group of CPUs, so that few CPUs share a lock and its cache lines. User space adds all but the
 * first, and reads the records of all rings in the order of their times. */
struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, RINGS_MAX);
	__type(key, u32);
	__array(values, struct ring);
} rings SEC(".maps") = {.values = {&ring}};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

/* The kernel clones it from a listener to the sockets that it accepts, before their first byte can arrive. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct socket_state);
} sockets SEC(".maps");

const volatile __u32 addresses_kept = 0; /* with at most this many entries none is evicted */

/* Tier C sees sockets only by descriptor, without a trusted pointer to them. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, struct socket_state);
} sockets_by_address SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u8);
} target_pids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__uint(key_size, COMM_SIZE);
	__uint(value_size, 1);
} target_comms SEC(".maps");

/* Rows of enum loss_row, RECORD_KINDS counters each; user space reads them in place. The counts are exact. Losses are
 * rare enough to share a cache line. */
__u64 losses[LOSS_COUNTERS] = {};

/* An I/O that bpf/frames.h is processing. Offsets count from its first byte. */
struct walk {
	struct frame_state frames;
	u64 position;
	u64 base; /* of the piece, if there is only one */
	u64 size;
	u32 segments;
	u32 length;
	u32 at;     /* parsed up to here */
	u32 start;  /* emitted up to here; data holds bytes from here on */
	u32 filled; /* bytes in data */
	u32 kept;   /* bytes in data that will be emitted */
	u32 lead;   /* bytes of the record behind struct record_io */
	u32 parts;
	u32 dropped;
	u8 framing;
	u8 wide;     /* positions have 64 bits */
	u8 whole;    /* all bytes are wanted */
	u8 complete; /* the pieces are all there are */
	u32 budget;  /* bpf/payload.h: as of struct direction_state */
};

/* An I/O record is assembled here, then copied to the ring in its exact size. There is one per direction, so that a
 * program has its own on each CPU. Behind them are those for programs that must reserve one (bpf/session.h): even
 * numbers for sending, odd ones for receiving. The second HEAD_MAX leaves room for the verifier's arithmetic.
 */
#define LEAD_MAX 64
#define SEGMENTS_MAX 260 /* gRPC writes up to this many at once */
struct io_scratch {
	struct record_io record;
	u8 data[2 * HEAD_MAX + LEAD_MAX]; /* further fields of longer record kinds, then payload */
	struct user_iovec iov[SEGMENTS_MAX];
	struct walk walk;
	u32 taken;
};

#define SCRATCHES_SHARED 3 /* per direction */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 + 2 * SCRATCHES_SHARED);
	__type(key, u32);
	__type(value, struct io_scratch);
} scratches SEC(".maps");

static __always_inline void count_loss(enum loss_row row, u32 kind)
{
	__sync_fetch_and_add(&losses[(u32)row * RECORD_KINDS + kind], 1);
}

/* Waking the reader costs more than an event. The reader polls every 50 ms, and is woken earlier only when a good part
 * of the ring is full. The window keeps a slow reader from being woken for every record. The check costs 26 ns, so only
 * one event in sixteen makes it, chosen by its time; the window holds a thousand events. */
#define WAKE_WINDOW (256 << 10)

static __always_inline void *ring_here(void)
{
	u32 at;

	/* the verifier knows the value and removes the rest */
	if (!ring_mask)
		return &ring;
	at = bpf_get_smp_processor_id() & ring_mask;
	return bpf_map_lookup_elem(&rings, &at);
}

static __always_inline u64 wake_flag(u64 time)
{
	u64 pending;
	void *ring;

	if (time & 15 && ring_wake >= WAKE_WINDOW)
		return BPF_RB_NO_WAKEUP;
	ring = ring_here();
	if (!ring)
		return 0;
	pending = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	return pending >= ring_wake && pending < ring_wake + WAKE_WINDOW ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* Counts an event lost to a full ring, by kind, and on the socket or thread that it belongs to. */
static __always_inline void *reserve(u64 size, u32 kind, u32 *missed)
{
	void *ring = ring_here(), *record = NULL;

	if (ring)
		record = bpf_ringbuf_reserve(ring, size, 0);
	if (!record) {
		count_loss(LOSS_RING_FULL, kind);
		if (missed)
			__sync_fetch_and_add(missed, 1);
	}
	return record;
}

/* The header of a record without earlier losses and without bytes moved. pid and tid are 0 where no thread caused
 * it. */
static __always_inline void fill_head_by(struct record_header *head, u32 pid, u32 tid, u16 kind, u64 time)
{
	head->time = time;
	head->pid = pid;
	head->tid = tid;
	head->kind = kind;
	head->missed = 0;
	head->length = 0;
}

static __always_inline void fill_head(struct record_header *head, const struct task_struct *task, u16 kind, u64 time)
{
	fill_head_by(head, task->tgid, task->pid, kind, time);
}

/* Emits a record that was assembled elsewhere. Not 0: the ring was full, and the caller counts the loss. */
static __always_inline long output(void *record, u64 size, u64 flags)
{
	void *ring = ring_here();

	return ring ? bpf_ringbuf_output(ring, record, size, flags) : -1;
}

/* Returns the count of events lost before this one, and resets it. Call only when this record is sure to be emitted. */
static __always_inline u16 take_missed(u32 *missed)
{
	u32 count = *missed;

	if (!count)
		return 0;
	__sync_fetch_and_add(missed, -count);
	return count > 0xffff ? 0xffff : count;
}

#endif
