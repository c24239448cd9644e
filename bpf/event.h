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

#include "bpf/event_enum.h"
#include <linux/types.h>

#ifdef __cplusplus
namespace tailcap::bpf {
#endif

/* The first numbers equal those of formats::Kind. */
#define RECORD_KINDS 64
#define TAILCAP_RECORD_KIND_NUMBERS(N)                          \
	N(RECORD_SEND, 0)                                       \
	N(RECORD_RECEIVE, 1)                                    \
	N(RECORD_ARRIVAL, 2)                                    \
	N(RECORD_RETRANSMIT, 3)                                 \
	N(RECORD_RESET, 4)                                      \
	N(RECORD_STATE_CHANGE, 5)                               \
	N(RECORD_ACCEPT, 6)                                     \
	N(RECORD_SOCKET, 7)                                     \
	N(RECORD_OFF_CPU, 8)                                    \
	N(RECORD_TASK_START, 9)                                 \
	N(RECORD_TASK_EXEC, 10)                                 \
	N(RECORD_TASK_EXIT, 11)                                 \
	N(RECORD_TASK, 12)                                      \
	N(RECORD_TLS_SEND, 20)                                  \
	N(RECORD_TLS_RECEIVE, 21)                               \
	N(RECORD_TLS_STEP, 22)                                  \
	N(RECORD_GO_CREATE, 24)                                 \
	N(RECORD_GO_RUNTIME, 25)                                \
	N(RECORD_GO_STATE, 26)                                  \
	N(RECORD_GO_HANDLER, 27)                                \
	N(RECORD_STALL, 29)                                     \
	N(RECORD_GO_CALL, 31)                                   \
	N(RECORD_SAMPLE, 32)                                    \
	N(RECORD_GO_EXIT, 33)                                   \
	N(RECORD_GO_PANIC, 34)                                  \
	N(RECORD_OOM_KILL, 35)                                  \
	N(RECORD_GO_CHANNEL, 37)                                \
	N(RECORD_GO_ALLOCATIONS, 38) /* only to count losses */ \
	N(RECORD_FILE_CALL, 39)                                 \
	N(RECORD_PACKET_DROPS, 46) /* only to count losses */   \
	N(RECORD_MALLOC_CALLS, 48) /* only to count losses */   \
	N(RECORD_SCRIPT_CODE, 61)  /* no event of the file */   \
	N(RECORD_TLS_SECRET, 62)   /* no event of the file */   \
	N(RECORD_UNRECORDED, 63)   /* only to count losses */
TAILCAP_ENUM(record_kind, TAILCAP_RECORD_KIND_NUMBERS);

/* The losses that the kernel programs count: one row of RECORD_KINDS counters for each. */
#define TAILCAP_LOSS_ROW_NUMBERS(N)                                                                   \
	N(LOSS_RING_FULL, 0)                                                                          \
	N(LOSS_SOCKET_TABLE, 1)  /* no storage for a socket: its events are not recorded */           \
	N(LOSS_TASK_TABLE, 2)    /* no storage for a task */                                          \
	N(LOSS_SESSION_TABLE, 3) /* the beginning or the session of a TLS call could not be stored */ \
	N(LOSS_UNREADABLE, 4)    /* memory of the program could not be read */
TAILCAP_ENUM(loss_row, TAILCAP_LOSS_ROW_NUMBERS);

#define LOSS_COUNTERS (5 * RECORD_KINDS)

/* Programs whose work another does where the kernel skipped them; see core/nested.bpf.h. */
#define TAILCAP_TWIN_NUMBERS(N) \
	N(TWIN_ARRIVAL, 0)      \
	N(TWIN_STATE_CHANGE, 1) \
	N(TWIN_SEND, 2)         \
	N(TWIN_RECEIVE, 3)      \
	N(TWIN_CALL, 4)
TAILCAP_ENUM(twin, TAILCAP_TWIN_NUMBERS);

#define TWINS 5

/* The payload of an I/O; the numbers of formats::Payload. */
#define TAILCAP_RECORD_PAYLOAD_NUMBERS(N) \
	N(PAYLOAD_CAPTURED, 0)            \
	N(PAYLOAD_OFF, 1)                 \
	N(PAYLOAD_NO_BUFFER, 2)           \
	N(PAYLOAD_UNSUPPORTED, 3)         \
	N(PAYLOAD_FAULT, 4)               \
	N(PAYLOAD_ADDED, 5)
TAILCAP_ENUM(record_payload, TAILCAP_RECORD_PAYLOAD_NUMBERS);

/* Where a thread was woken; the numbers of formats::WokenIn. */
#define TAILCAP_WOKEN_IN_NUMBERS(N) \
	N(WOKEN_UNKNOWN, 0)         \
	N(WOKEN_BY_THREAD, 1)       \
	N(WOKEN_IN_SOFTIRQ, 2)      \
	N(WOKEN_IN_INTERRUPT, 3)
TAILCAP_ENUM(woken_in, TAILCAP_WOKEN_IN_NUMBERS);

#define IO_TRUNCATED 1
#define IO_CONTINUED 2  /* continues the call of the previous record */
#define ADDED_BYTES 118 /* that tailcap-inject adds to a request */
#define ADDED_MOST 6    /* requests of one send that it adds them to */
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

/* RECORD_ARRIVAL, RECORD_RESET (position: direction), RECORD_ACCEPT (position: descriptor) */
struct record_segment {
	struct record_header h;
	__u64 socket;
	__u32 position;
	__u32 unused;
};

/* RECORD_RETRANSMIT; 0: not known */
struct record_retransmit {
	struct record_header h;
	__u64 socket;
	__u32 position;
	__u32 interface; /* of the route, in the socket's network namespace */
	__u32 segment;   /* payload of the largest packet */
	__u32 path_mtu;
};

struct record_state {
	struct record_header h;
	__u64 socket;
	__u64 goroutine; /* connects: to SYN_SENT only */
	__s32 error;
	__u8 from;
	__u8 to;
	__u8 flags;
	__u8 unused;
	__u32 queue; /* a thread closes an accepted connection: those of its listener that are not accepted */
	__u32 rtt;   /* smoothed, us */
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
	__u64 listener; /* whose queue this is: of a connection as it is established, or of a listener; 0: not known */
	__u32 queue;
	__u32 queue_limit;
	__u32 drops;
	__u32 rtt;       /* smoothed, us */
	__u32 interface; /* of the route */
	__u32 peer_pid;  /* of an accepted UNIX socket, who connected; 0: not known */
	__u8 local[16];
	__u8 remote[16];
	__u8 path[PATH_SIZE]; /* as in sockaddr_un: abstract names begin with a zero byte */
};

/* Output of list_holders: a process that is no target has this end of a TCP connection within the machine. */
struct socket_holder {
	__u32 pid;
	__u32 net_namespace;
	__u16 family;
	__u16 local_port;
	__u16 remote_port;
	__u16 unused;
	__u8 local[16];
	__u8 remote[16];
};

/* A stop by the freezer has this as argument0, and as argument1 the thread that froze its cgroup (0: not known). No
 * call has such an argument: it is neither a small number nor an address. */
#define FREEZER 0xf4ee2e0000000000ull

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
	__u8 timed;    /* argument1 is for how many ns it asked to sleep */
	__u8 woken_in; /* enum woken_in */
	__u8 ongoing;  /* it had not ended when the recording did; of list_waits only */
	__u8 unused;
	__u64 goroutine; /* run by the thread when it was switched out */
	__u64 stolen;    /* ns that the hypervisor took of its time on the CPU before */
};

#include "bpf/event_drop.h"
#include "bpf/event_go_calls.h"
#include "bpf/event_machine.h"
#include "bpf/event_script.h"
#include "bpf/event_sample.h"
#include "bpf/event_sampling.h"
#include "bpf/event_stall.h"
#include "bpf/event_unwind.h"

/* Why there is a RECORD_TASK: its code. */
enum task_reason {
	TASK_FOUND,   /* it existed when it was listed, or first seen */
	TASK_RENAMED, /* comm is new */
	TASK_JOINED,  /* likewise, and it is a target because of that: its other threads are not yet */
};

/* RECORD_TASK_START (of the child), RECORD_TASK (an existing one, parent_pid and code), RECORD_TASK_EXIT (code) */
struct record_task {
	struct record_header h;
	__u32 parent_pid;
	__u32 parent_tid;
	__s32 code;
	__u32 unused;
	__u64 started; /* RECORD_TASK: the thread's start */
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

/* RECORD_TLS_SECRET: what a connection's keys are derived from. Never written to a file. */
#define TLS_SECRET_MAX 64
struct record_tls_secret {
	struct record_header h;
	__u8 label_length;
	__u8 secret_length;
	__u8 data_length;
	__u8 library; /* enum tls_library; 0: OpenSSL */
	__u8 seeds;   /* seeds that OpenSSL was given so far */
	__u8 unused[3];
	__u8 label[16];              /* "c hs traffic", …; TLS 1.2: "key expansion"; Go: "c hs secret", … */
	__u8 secret[TLS_SECRET_MAX]; /* the handshake or master secret; "c hs secret", …: that traffic secret */
	__u8 data[TLS_SECRET_MAX];   /* the hash of the handshake so far; TLS 1.2: server random, client random; Go with
				      * TLS 1.3: client random */
	__u64 session;               /* that derives, and what is known of it (event_probe.h); 0: nothing */
};

#include "bpf/event_probe.h"

/* Traffic that is not recorded: by process, and by kind. */
#define TAILCAP_UNRECORDED_KIND_NUMBERS(N) \
	N(UNRECORDED_MPTCP, 1)             \
	N(UNRECORDED_SCTP, 2)              \
	N(UNRECORDED_VSOCK, 3)             \
	N(UNRECORDED_SMC, 4)               \
	N(UNRECORDED_UDP, 5)               \
	N(UNRECORDED_URING, 6) /* io_uring: lengths and positions are recorded, payload is not */
TAILCAP_ENUM(unrecorded_kind, TAILCAP_UNRECORDED_KIND_NUMBERS);

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
static_assert(sizeof(record_header) == 24);
static_assert(sizeof(record_io) == 64);
static_assert(sizeof(record_tls_step) == 48);
static_assert(sizeof(record_segment) == 40);
static_assert(sizeof(record_retransmit) == 48);
static_assert(sizeof(record_state) == 56);
static_assert(sizeof(record_socket) == 248);
static_assert(sizeof(socket_holder) == 48);
static_assert(sizeof(record_off_cpu) == 96);
static_assert(sizeof(record_task) == 64);
static_assert(sizeof(record_exec) == 296);
static_assert(sizeof(record_tls_secret) == 184);
} // namespace tailcap::bpf
#endif

#endif
