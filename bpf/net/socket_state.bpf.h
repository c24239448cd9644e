/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is remembered of a socket that is a target, and of a TLS session.
 */
#ifndef TAILCAP_BPF_NET_SOCKET_STATE_H
#define TAILCAP_BPF_NET_SOCKET_STATE_H

#include "bpf/core/kernel.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Directions. */
#define OUT 0
#define IN 1

/* The position of a direction within its frames: bpf/net/frames.bpf.h. */
struct frame_state {
	u32 next;  /* low half of the position behind the last I/O */
	u32 left;  /* bytes to come of the frame's payload */
	u32 keep;  /* how many of them are wanted */
	u8 have;   /* bytes of the next header that the last I/O ended with */
	u8 synced; /* the above is known; zero at first */
	u16 tail;  /* bytes at the end of the frame, not counted in left, that are wanted, too; 0: none */
	u8 header[16];
};

#define POSITION_KNOWN (1ULL << 32) /* in `counted` of TCP */

struct direction_state {
	u64 counted; /* UNIX sockets: bytes moved. TCP, which has sequence numbers: the one behind the last send */
	u32 budget;  /* payload bytes still to be kept of the latest message */
	u32 begun;   /* its first bytes have been examined */
	struct frame_state frames;
};

enum origin { ORIGIN_UNKNOWN, ORIGIN_CONNECTED, ORIGIN_ACCEPTED, ORIGIN_LISTENER, ORIGIN_EXISTED };

/* In an order that makes few comparisons of has_frames and many_messages: the verifier follows each. */
enum framing {
	FRAMING_NONE,
	FRAMING_TLS,   /* began with a record of a handshake */
	FRAMING_HTTP2, /* began with the preface */
	FRAMING_AMQP,  /* began with the header of AMQP 0-9-1 */
	FRAMING_CALLS, /* calls of a store: several messages in an I/O, and no frames that are followed */
};

enum holds { HOLDS_NOTHING, HOLDS_NAGLE, HOLDS_UNDELIVERED };

/* Bytes that were sent and did not leave: bpf/net/held.bpf.h. */
struct held_state {
	u64 since;
	u64 acknowledged; /* when it was acknowledged last that some had arrived */
	u32 pid;          /* of the thread that sent them */
	u32 tid;
	u32 sent;   /* how far TCP had sent then */
	u32 ends;   /* Nagle: when this position is acknowledged */
	u32 ticks;  /* of the kernel's clock, then */
	u32 window; /* for which the peer's window had blocked it before */
	u32 epoch;  /* held_epoch */
	u32 unused;
};

/* Exists only for sockets that are targets. */
struct socket_state {
	/* What each send, read and arrival needs, also of a connection that is left out: in one cache line. */
	u64 self; /* address of the struct sock: differs in a clone of a listener's storage */
	u64 cookie;
	u32 choice;    /* enum choice, where connections are sampled */
	u32 chosen_in; /* sampling_epoch at that time */
	u32 missed;
	u8 family;
	u8 type;
	u8 origin;
	u8 framing;     /* enum framing */
	u8 counts;      /* positions are counted: UNIX sockets, and MPTCP, whose sequence numbers are its subflows' */
	u8 uring;       /* io_uring was used on it */
	u8 kept;        /* the round in which a target had it (bpf/net/untarget.bpf.c) */
	u8 holds;       /* enum holds */
	u32 batch_next; /* datagrams: the next message of the vector */
	u64 inode;      /* tier C: detects a reused address */
	struct direction_state direction[2];
	u64 batch; /* datagrams: the vector of the sendmmsg in progress; 0: none */
	u64 connect_time;
	u32 connect_pid;
	u32 connect_tid;
	const struct sock *listener; /* that it was accepted from; may be gone */
	u64 listener_cookie;         /* 0: not known */
	struct held_state held;
};

/* The kernel clones it from a listener to the sockets that it accepts, before their first byte can arrive. */
struct sockets {
	SOCKET_STORAGE(32768, BPF_F_CLONE);
	__type(value, struct socket_state);
};

extern struct sockets sockets SEC(".maps");

/* Tier C (bpf/net/syscall_io.bpf.c) sees sockets only by descriptor, without a trusted pointer to them. */
struct sockets_by_address {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, struct socket_state);
};

extern struct sockets_by_address sockets_by_address SEC(".maps");

/* 0: it has none, or none yet. */
static __always_inline u64 socket_inode(const struct sock *sk)
{
	struct socket *socket = MEMBER(struct sock, sk, sk_socket);

	return socket ? MEMBER(struct socket_alloc, socket, vfs_inode.i_ino) : 0;
}

#ifndef OLDER_KERNEL
#define cookie_of(sk) MEMBER(struct sock, sk, __sk_common.skc_cookie.counter)
#else

/* A TCP socket's state. */
static __always_inline struct socket_state *state_at(const struct sock *sk)
{
	struct socket_state *state = stored(&sockets, (u64)sk, 0);

	return state && state->self == (u64)sk ? state : NULL;
}

/* Any socket's, once its thread used it. */
static __always_inline struct socket_state *called_at(const struct sock *sk)
{
	struct socket_state *state = stored(&sockets_by_address, (u64)sk, 0);
	struct socket *socket;

	if (!state)
		return NULL;
	socket = BPF_CORE_READ(sk, sk_socket);
	return socket && BPF_CORE_READ((struct socket_alloc *)socket, vfs_inode.i_ino) == state->inode ? state : NULL;
}

static __always_inline u64 cookie_of(const struct sock *sk)
{
	struct socket_state *state = state_at(sk);

	if (!state)
		state = called_at(sk);
	return state ? state->cookie : 0;
}

#endif

#endif
