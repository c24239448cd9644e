/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The interface from the kernel programs to user space: the records in the ring and the output of the iterators.
 *
 * This is the only file of bpf/ that user space includes. Fields have fixed widths, are 8-byte aligned and in host
 * byte order unless a field says otherwise; there are no pointers. The file format (formats/) is separate: this
 * interface may change with every build, since one program contains both ends.
 */
#ifndef TAILCAP_BPF_EVENT_H
#define TAILCAP_BPF_EVENT_H

#include <linux/types.h>

#ifdef __cplusplus
namespace tailcap::bpf {
#endif

/* The first numbers equal those of formats::Kind. */
#define RECORD_KINDS 64
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
	RECORD_TLS_SEND = 20,
	RECORD_TLS_RECEIVE = 21,
	RECORD_TLS_STEP = 22,
	RECORD_GO_CREATE = 24,
	RECORD_GO_RUNTIME = 25,
	RECORD_GO_STATE = 26,
	RECORD_GO_HANDLER = 27,
	RECORD_STALL = 29,
	RECORD_GO_CALL = 31,
	RECORD_SAMPLE = 32,
	RECORD_GO_EXIT = 33,
	RECORD_GO_PANIC = 34,
	RECORD_OOM_KILL = 35,
	RECORD_GO_CHANNEL = 37,
	RECORD_GO_ALLOCATIONS = 38, /* only to count losses */
	RECORD_FILE_CALL = 39,
	RECORD_UNRECORDED = 63, /* only to count losses */
};

/* The losses that the kernel programs count: one row of RECORD_KINDS counters for each. */
enum loss_row {
	LOSS_RING_FULL = 0,
	LOSS_SOCKET_TABLE = 1,  /* no storage for a socket: its events are not recorded */
	LOSS_TASK_TABLE = 2,    /* no storage for a task */
	LOSS_SESSION_TABLE = 3, /* the beginning or the session of a TLS call could not be stored */
};

#define LOSS_COUNTERS (4 * RECORD_KINDS)

/* The payload of an I/O; the numbers of formats::Payload. */
enum record_payload {
	PAYLOAD_CAPTURED = 0,
	PAYLOAD_OFF = 1,
	PAYLOAD_NO_BUFFER = 2,
	PAYLOAD_UNSUPPORTED = 3,
	PAYLOAD_FAULT = 4,
};

#define IO_TRUNCATED 1
#define IO_CONTINUED 2 /* continues the call of the previous record */
#define STATE_BY_THREAD 1
#define NO_SYSCALL 0xffff

#define HEAD_MIN 256  /* kept of every I/O, so that a message start is seen wherever it is */
#define HEAD_MAX 8192 /* the most that is kept of one I/O; a per-CPU map value may not exceed 32 KiB */
#define TAIL_SIZE 16  /* kept from the end of an I/O that was cut: a chunked terminator or the end of a head */
#define PATH_SIZE 112
#define COMM_SIZE 16
#define FILENAME_SIZE 256
#define PORTS_MAX 8
#define RINGS_MAX 16 /* a power of two */

struct record_header {
	__u64 time; /* CLOCK_MONOTONIC */
	__u32 pid;
	__u32 tid;
	__u16 kind;
	__u16 missed; /* events of this socket or thread lost since the last one that came through */
	__u32 length; /* bytes moved, where that applies */
};

/* RECORD_SEND, RECORD_RECEIVE, and the plaintext of TLS: RECORD_TLS_SEND, RECORD_TLS_RECEIVE. Head and tail bytes
 * follow, then padding to 8. */
struct record_io {
	struct record_header h;
	__u64 socket; /* or TLS session */
	__u64 position;
	union {
		struct {
			__s32 error;
			__u32 unused;
		};
		__u64 began; /* TLS: when the library was called */
	};
	__u16 syscall;
	__u8 payload;
	__u8 flags;
	__u16 head;
	__u16 tail;
	__u64 goroutine; /* run by the thread; 0: none, or not known */
};

/* RECORD_TLS_STEP */
struct record_tls_step {
	struct record_header h;
	__u64 session;
	__s32 code;
	__u8 library; /* formats::TlsLibrary */
	__u8 step;    /* formats::TlsStepKind */
	__u16 unused;
	__u64 goroutine;
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
	__u64 socket; /* its cookie if argument0 is a socket's descriptor */
	__u32 waker;
	__u32 state;
	__s16 syscall;
	__u8 file; /* formats::FileKind of argument0 */
	__u8 throttled;
	__u32 unused;
	__u64 goroutine; /* run by the thread when it was switched out */
};

#include "bpf/event_sample.h"
#include "bpf/event_stall.h"

/* RECORD_TASK_START (of the child), RECORD_TASK (an existing one, parent_pid only), RECORD_TASK_EXIT (code) */
struct record_task {
	struct record_header h;
	__u32 parent_pid;
	__u32 parent_tid;
	__s32 code;
	__u32 unused;
	char comm[COMM_SIZE];
};

/*
 * RECORD_GO_*: depending on act, subject is the goroutine that was created or changes its state, or the address of a
 * handler's code, of a connection, or of what is sent; place is the probe's address for a handler, the stream's number
 * for GO_WRITES.
 */
struct record_go {
	struct record_header h;
	__u64 goroutine;
	__u64 subject;
	__u64 place;
	__u16 number; /* GO_PHASE: formats::GoPhase; a handler: which probe of the file */
	__u16 file;   /* which program file */
	__u8 act;     /* enum go_act */
	__u8 reason;  /* of a wait or a stop, in the program's own numbering */
	__u16 unused;
};

/* A value moves through a Go channel. */
struct record_go_channel {
	struct record_header h;
	__u64 goroutine;
	__u64 channel; /* its address; 0: not known */
	__u64 slot;    /* address in the channel's buffer; 0: not known, or the value goes straight to a partner */
	__u64 partner; /* the goroutine that waited for this; 0: none */
	__u8 act;      /* enum go_act */
	__u8 unused[7];
};

/* RECORD_GO_CREATE: number is the number of the probe in the file; functions are addresses in the process. */
struct record_go_made {
	struct record_go go;
	__u64 function; /* the goroutine runs it; 0: not known */
	__u64 from;     /* behind the go statement; 0: not known */
};

/* RECORD_GO_PANIC: likewise. The stack begins with the innermost frame, the probe's. */
#define GO_FRAMES_MAX 64
struct record_go_panic {
	struct record_go go;
	__u32 frames;
	__u32 unused;
	__u64 addresses[GO_FRAMES_MAX];
};

struct record_exec {
	struct record_header h;
	char comm[COMM_SIZE];
	char filename[FILENAME_SIZE];
};

/*
 * The cookie of a probe at a function of a TLS library describes its place:
 * bits 0-31 stack depth, signed: the stack pointer at the function's first instruction minus the one here;
 * 32-39 enum tls_act; 40-43 enum tls_library; 44-47 a condition code of the processor; 48: hits at which that
 * condition holds are not counted.
 */
enum tls_library {
	TLS_OPENSSL = 1, /* the numbers of formats::TlsLibrary */
	TLS_GNUTLS = 2,
	TLS_GO = 3,
};

enum tls_act {
	/* (session, buffer, size): the bytes moved are the result */
	ACT_READ = 0,
	ACT_WRITE = 1,
	/* (session, buffer, size, where the bytes moved are stored): the result is 1 */
	ACT_READ_EX = 2,
	ACT_WRITE_EX = 3,
	/* (session, …): the bytes moved are the result, and were in no buffer of the caller */
	ACT_WRITE_FILE = 5,
	/* (session): it will be a server, or a client; without an explicit handshake the first read or write makes it
	 */
	ACT_PREPARE = 6,
	/* (session): the result is ignored */
	ACT_HANDSHAKE = 8,
	ACT_SHUTDOWN = 9,
	ACT_FREE = 10,
	ACT_CLEAR = 11,        /* the session object is reset; a handshake does this first, too */
	ACT_ALERT = 12,        /* (session, level, number) */
	ACT_ALERT_NUMBER = 13, /* (session, number) */
	/* OpenSSL's error queue: (library, reason) and (library, function, reason) */
	ACT_ERROR = 14,
	ACT_ERROR_OLD = 15,
};

#define TLS_SKIP_CONDITION (1ull << 48)

/* Bits 49-56 of every cookie of a probe at a function: the number of the file, by which hits by non-targets are
 * counted. */
#define OTHERS_FILES_MAX 256 /* all further files share the last number */
#define OTHERS_COOKIE(file) ((__u64)(file) << 49)
#define OTHERS_FILE(cookie) ((cookie) >> 49 & (OTHERS_FILES_MAX - 1))
#define TLS_COOKIE(act, library, depth) ((__u64)(__u32)(__s32)(depth) | (__u64)(act) << 32 | (__u64)(library) << 40)

/* The layout of a Go program: offsets in runtime.g and runtime.m. Index 0 of the table is no file. */
#define GO_FILES_MAX 256
#define GO_COUNTED 2     /* counters for each file: hits of creation, of handlers */
#define GO_PARENT_MAX 16 /* words from g.goid to g.parentGoid: 15 or 16 */
struct go_layout {
	__s16 slot;       /* of g, from the thread pointer */
	__u16 number;     /* g.goid; 0: not known */
	__u16 thread;     /* g.m */
	__u16 current;    /* m.curg */
	__u8 c_code;      /* it calls C; there the thread's own goroutine (g0) runs for m.curg */
	__u8 parent;      /* g.parentGoid, in words behind g.goid; 0: not known */
	__u8 saved;       /* g.sched.sp, of a goroutine that does not run; pc follows; 0: not known */
	__u8 saved_frame; /* g.sched.bp */
	__u8 unused[4];
};

struct go_process {
	__u64 started; /* start_time of its first thread; 0: not seen yet */
	__u32 file;
	__u32 unused;
};

/*
 * The cookie of a probe at a function of a Go program: bits 0-7 enum go_act, 8-23 the file, 24-39 a number
 * (struct record_go), and the flags below.
 */
enum go_act {
	GO_MADE = 1,              /* in runtime.newproc, on the thread's stack: BX is a new goroutine */
	GO_PHASE = 2,             /* something begins or ends */
	GO_ASSIST = 3,            /* AX assists the garbage collector */
	GO_PARK = 4,              /* the running goroutine parks, CX is the reason */
	GO_READY = 5,             /* AX is unparked */
	GO_RUN = 6,               /* AX runs */
	GO_PREEMPTED = 7,         /* AX was interrupted */
	GO_YIELDED = 8,           /* AX lets others run */
	GO_HANDLER = 9,           /* a handler begins here */
	GO_HANDLER_FUNCTION = 10, /* the function value AX is a handler */
	GO_HANDLER_METHOD = 18,   /* a gRPC handler begins: a method of a value of the type AX */
	GO_ASKED = 11,            /* the running goroutine wants a request sent on the connection AX */
	GO_SENDS = 12,            /* the running goroutine is about to send on the connection AX */
	GO_ENDED = 13,            /* AX ends */
	GO_PANICS = 14,           /* the running goroutine panics */
	GO_FATAL = 15,            /* the panic is not recovered */
	GO_THROWN = 16,           /* the runtime gives up */
	GO_ALLOCATES = 17, /* the running goroutine asks for AX bytes; the number is the distance of the stack pointer
			      below the return address */
	/* gRPC: */
	GO_QUEUES = 29, /* the running goroutine asks for the header fields DI to be sent */
	GO_WRITES = 30, /* the running goroutine is about to send the header fields BX; they begin with the stream's
			   number */
	/* channels, always while the channel is locked: */
	GO_GIVES = 32,        /* in runtime.send: to the receiver BX (runtime.sudog) that waits for the channel AX */
	GO_FETCHES = 33,      /* in runtime.recv: from the sender BX that waits for the channel AX */
	GO_PUT = 34,          /* AX is the lock of a channel; the running goroutine has put a value into its buffer */
	GO_TOOK = 35,         /* likewise; it has taken a value from the buffer */
	GO_SELECT_PUTS = 36,  /* a value of type AX goes to the slot BX of the channel DI or R12, or of another */
	GO_SELECT_TAKES = 37, /* a value of type AX comes from the slot CX, likewise */
	GO_EXCHANGES = 38,    /* in records only, instead of GO_FETCHES: from a slot, into which goes what the partner
				 waits with */
};

/* The number for places in channels: offsets in runtime.hchan of its lock and of its buffer's indices. */
#define GO_CHANNEL_NUMBER(lock, indices) ((lock) | (indices) << 8)

#define GO_SKIP_BELOW_OR_EQUAL (1ull << 40) /* hits at which the condition holds are not counted */
#define GO_REASON (1ull << 41)              /* of a phase: AX says why; of GO_YIELDED: BX, whether it was interrupted */
#define GO_AT_CALL (1ull << 42)             /* the stack pointer is where the call left it: at the return address */
#define GO_COOKIE(act, file, number) ((__u64)(act) | (__u64)(file) << 8 | (__u64)(number) << 24)
#define GO_COOKIE_ACT(cookie) ((cookie)&0xff)
#define GO_COOKIE_FILE(cookie) ((cookie) >> 8 & 0xffff)
#define GO_COOKIE_NUMBER(cookie) ((cookie) >> 24 & 0xffff)

/* Traffic that is not recorded: by process, and by kind. */
enum unrecorded_kind {
	UNRECORDED_MPTCP = 1,
	UNRECORDED_SCTP = 2,
	UNRECORDED_VSOCK = 3,
	UNRECORDED_SMC = 4,
	UNRECORDED_UDP = 5,
	UNRECORDED_URING = 6, /* io_uring: lengths and positions are recorded, payload is not */
};

struct unrecorded_key {
	__u32 pid;
	__u32 kind;
};

struct unrecorded_count {
	__u64 sockets; /* 0 where sockets are not distinguished: tier C */
	__u64 calls;   /* calls that moved bytes */
	__u64 bytes;
};

#ifdef __cplusplus
static_assert(sizeof(record_go) == 56);
static_assert(sizeof(record_go_channel) == 64);
static_assert(sizeof(record_go_made) == 72);
static_assert(sizeof(record_go_panic) == 64 + 8 * GO_FRAMES_MAX);
static_assert(sizeof(go_layout) == 16);
static_assert(sizeof(go_process) == 16);
static_assert(sizeof(record_header) == 24);
static_assert(sizeof(record_io) == 64);
static_assert(sizeof(record_tls_step) == 48);
static_assert(sizeof(record_segment) == 40);
static_assert(sizeof(record_state) == 40);
static_assert(sizeof(record_socket) == 216);
static_assert(sizeof(record_off_cpu) == 88);
static_assert(sizeof(record_task) == 56);
static_assert(sizeof(record_exec) == 296);
} // namespace tailcap::bpf
#endif

#endif
