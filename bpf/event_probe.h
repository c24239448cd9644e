/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Part of bpf/event.h: what user space says of each probe at a function (its cookie), and of Go programs.
 */
#ifndef TAILCAP_BPF_EVENT_PROBE_H
#define TAILCAP_BPF_EVENT_PROBE_H

/*
 * The cookie of a probe at a function of a TLS library describes its place:
 * bits 0-31 stack depth, signed: the stack pointer at the function's first instruction minus the one here;
 * 32-39 enum tls_act; 40-43 enum tls_library; 44-47 a condition code of the processor; 48: hits at which that
 * condition holds are not counted.
 */
#define TAILCAP_TLS_LIBRARY_NUMBERS(N)                             \
	N(TLS_OPENSSL, 1) /* the numbers of formats::TlsLibrary */ \
	N(TLS_GNUTLS, 2)                                           \
	N(TLS_GO, 3)
TAILCAP_ENUM(tls_library, TAILCAP_TLS_LIBRARY_NUMBERS);

#define TAILCAP_TLS_ACT_NUMBERS(N)                                                                               \
	/* (session, buffer, size): the bytes moved are the result */                                            \
	N(ACT_READ, 0)                                                                                           \
	N(ACT_WRITE, 1)                                                                                          \
	/* (session, buffer, size, where the bytes moved are stored): the result is 1 */                         \
	N(ACT_READ_EX, 2)                                                                                        \
	N(ACT_WRITE_EX, 3)                                                                                       \
	/* (session, …): the bytes moved are the result, and were in no buffer of the caller */                \
	N(ACT_WRITE_FILE, 5)                                                                                     \
	/* (session): a server, or a client; the first read or write makes the handshake if nothing else does */ \
	N(ACT_PREPARE, 6)                                                                                        \
	/* (session): the result is ignored */                                                                   \
	N(ACT_HANDSHAKE, 8)                                                                                      \
	N(ACT_SHUTDOWN, 9)                                                                                       \
	N(ACT_FREE, 10)                                                                                          \
	N(ACT_CLEAR, 11)        /* the session object is reset; a handshake does this first, too */              \
	N(ACT_ALERT, 12)        /* (session, level, number) */                                                   \
	N(ACT_ALERT_NUMBER, 13) /* (session, number) */                                                          \
	/* OpenSSL's error queue: (library, reason) and (library, function, reason) */                           \
	N(ACT_ERROR, 14)                                                                                         \
	N(ACT_ERROR_OLD, 15)                                                                                     \
	/* Go: what keys are derived from */                                                                     \
	N(ACT_TRAFFIC_SECRET, 16)                                                                                \
	N(ACT_KEY_EXPANSION, 17)
TAILCAP_ENUM(tls_act, TAILCAP_TLS_ACT_NUMBERS);

#define TLS_SKIP_CONDITION (1ull << 48)

/* OpenSSL 3 and Go, where each connection is read by its keys or by probes (bpf/tls/way.bpf.h). */
#define TLS_BY_KEYS (1ull << 57)
#define TLS_LATE (1ull << 58) /* there were targets before the file's handshakes were seen */
/* In record_tls_secret, beside the session's number: */
#define TLS_LEFT_TO_PROBES (1ull << 63) /* it does not belong to keys */
#define TLS_UNDER_WAY (1ull << 61)      /* the beginning of its handshake was not seen */
#define TLS_SESSION_NUMBER(session) ((session) & ~(TLS_LEFT_TO_PROBES | TLS_UNDER_WAY))
#define TLS_PROCESS_BIT (1ull << 63) /* in the map tls_to_probes: the key is a process, not a session */

/* Bits 49-56 of every cookie of a probe at a function: the number of the file, by which hits by non-targets are
 * counted. */
#define OTHERS_FILES_MAX 256 /* the last number: what is not governed */
#define OTHERS_COOKIE(file) ((__u64)(file) << 49)
#define OTHERS_FILE(cookie) ((cookie) >> 49 & (OTHERS_FILES_MAX - 1))
#define TLS_COOKIE(act, library, depth) ((__u64)(__u32)(__s32)(depth) | (__u64)(act) << 32 | (__u64)(library) << 40)

/* The cookie of a probe at malloc and its kind: bits 0-7 enum malloc_act; 8: where malloc would do, it calls malloc. */
#define TAILCAP_MALLOC_ACT_NUMBERS(N)                                       \
	N(MALLOC_SIZE, 1)       /* (size) */                                \
	N(MALLOC_PRODUCT, 2)    /* (number, size) */                        \
	N(MALLOC_ALIGNED, 3)    /* (alignment, size) */                     \
	N(MALLOC_ALIGNED_TO, 4) /* (where it is stored, alignment, size) */ \
	N(MALLOC_MOVES, 5)      /* (memory or null, size) */
TAILCAP_ENUM(malloc_act, TAILCAP_MALLOC_ACT_NUMBERS);
#define MALLOC_RELAYS (1ull << 8)
#define MALLOC_COOKIE_ACT(cookie) ((cookie)&0xff)

/* The layout of a Go program: offsets in runtime.g and runtime.m. Index 0 of the table is no file. */
#define GO_FILES_MAX 256
/* Counters for each file: creations and entries of handlers that hit a probe; entries by goroutines that had read
 * nothing; callers that asked the client, and those whose creation only the probe shows. */
#define GO_COUNTED 5
#define GO_COUNT_MADE 0
#define GO_COUNT_HANDLED 1
#define GO_COUNT_STREAMS 2
#define GO_COUNT_ASKED 3
#define GO_COUNT_UNPROVEN 4
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
	/* Where the numbers of new goroutines come from: each processor takes a batch of the program's. */
	__u16 processor;  /* m.p */
	__u16 former;     /* m.oldp: in system calls */
	__u64 generation; /* the address of sched.goidgen: the end of the last batch; 0: not known */
	__u16 batch;      /* p.goidcache: the next number of the batch; its end follows */
	__u8 unused[6];
};

/* What a goroutine is known to be (the map go_met). */
#define GO_MET_MADE 1   /* a record of its creation exists */
#define GO_MET_SEEN 2   /* it was seen in the kernel */
#define GO_MET_PROVEN 4 /* then its creator had neither read nor written since it made it */

#define GO_BATCH 16 /* numbers of goroutines in a batch */

struct go_key {
	__u64 goroutine;
	__u64 pid;
};

/* The numbers that no goroutine had when this one last read from a socket or wrote to it. */
struct go_moved {
	__u64 next, end;  /* of its processor's batch; end is excluded */
	__u64 generation; /* and all beyond this */
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
#define TAILCAP_GO_ACT_NUMBERS(N)                                                                                      \
	N(GO_MADE, 1)              /* in runtime.newproc, on the thread's stack: BX is a new goroutine */              \
	N(GO_PHASE, 2)             /* something begins or ends */                                                      \
	N(GO_ASSIST, 3)            /* AX assists the garbage collector */                                              \
	N(GO_PARK, 4)              /* the running goroutine parks, CX is the reason */                                 \
	N(GO_READY, 5)             /* AX is unparked */                                                                \
	N(GO_RUN, 6)               /* AX runs */                                                                       \
	N(GO_PREEMPTED, 7)         /* AX was interrupted */                                                            \
	N(GO_YIELDED, 8)           /* AX lets others run */                                                            \
	N(GO_HANDLER, 9)           /* a handler begins here */                                                         \
	N(GO_HANDLER_FUNCTION, 10) /* the function value AX is a handler */                                            \
	N(GO_HANDLER_METHOD, 18)   /* a gRPC handler begins: a method of a value of the type AX */                     \
	N(GO_ASKED, 11)            /* the running goroutine wants a request sent on the connection AX */               \
	N(GO_SENDS, 12)            /* the running goroutine is about to send on the connection AX */                   \
	N(GO_ENDED, 13)            /* AX ends */                                                                       \
	N(GO_PANICS, 14)           /* the running goroutine panics */                                                  \
	N(GO_FATAL, 15)            /* the panic is not recovered */                                                    \
	N(GO_THROWN, 16)           /* the runtime gives up */                                                          \
	N(GO_ALLOCATES, 17) /* it asks for AX bytes; the number: from the stack pointer up to the return address */    \
	/* gRPC: */                                                                                                    \
	N(GO_QUEUES, 29) /* the running goroutine asks for the header fields DI to be sent */                          \
	N(GO_WRITES, 30) /* the running goroutine sends the header fields BX; they begin with the stream's number */   \
	/* channels, always while the channel is locked: */                                                            \
	N(GO_GIVES, 32)       /* in runtime.send: to the receiver BX (runtime.sudog) that waits for the channel AX */  \
	N(GO_FETCHES, 33)     /* in runtime.recv: from the sender BX that waits for the channel AX */                  \
	N(GO_PUT, 34)         /* AX is the lock of a channel; the running goroutine has put a value into its buffer */ \
	N(GO_TOOK, 35)        /* likewise; it has taken a value from the buffer */                                     \
	N(GO_SELECT_PUTS, 36) /* a value of type AX goes to the slot BX of the channel DI or R12, or of another */     \
	N(GO_SELECT_TAKES, 37) /* a value of type AX comes from the slot CX, likewise */                               \
	N(GO_EXCHANGES, 38)    /* in records only: GO_FETCHES from a slot, into which the partner's value goes */
TAILCAP_ENUM(go_act, TAILCAP_GO_ACT_NUMBERS);

/* The number for places in channels: offsets in runtime.hchan of its lock and of its buffer's indices. */
#define GO_CHANNEL_NUMBER(lock, indices) ((lock) | (indices) << 8)

#define GO_SKIP_BELOW_OR_EQUAL (1ull << 40) /* hits at which the condition holds are not counted */
#define GO_REASON (1ull << 41)              /* of a phase: AX says why; of GO_YIELDED: BX, whether it was interrupted */
#define GO_AT_CALL (1ull << 42)             /* the stack pointer is where the call left it: at the return address */
#define GO_COOKIE(act, file, number) ((__u64)(act) | (__u64)(file) << 8 | (__u64)(number) << 24)
#define GO_COOKIE_ACT(cookie) ((cookie)&0xff)
#define GO_COOKIE_FILE(cookie) ((cookie) >> 8 & 0xffff)
#define GO_COOKIE_NUMBER(cookie) ((cookie) >> 24 & 0xffff)

#ifdef __cplusplus
static_assert(sizeof(go_layout) == 32);
static_assert(sizeof(go_process) == 16);
#endif

/* What list_tasks makes a target: values of the variable marking. The last is used where user space cannot make targets
 * itself (bpf/core/older.bpf.h). */
/* What is said of a pid among the targets. Holders of a target's socket are targets, and so are their later children,
 * but not all that runs below them: a supervisor may hold the sockets of many services. */
#define TARGET_CHOSEN 1
#define TARGET_HOLDER 2  /* 3: TESTED */
#define TARGET_REMOVED 4 /* it was one; what is below it, and not below a chosen one, is none any more */

#define MARKING_NONE 0
#define MARKING_CHOSEN 1
#define MARKING_TESTED 2 /* the self-test's process */

#define TESTED 3 /* such a process in target_pids */

#endif
