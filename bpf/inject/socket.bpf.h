/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel's types, with only the members that are read.
 */
#ifndef TAILCAP_BPF_INJECT_SOCKET_H
#define TAILCAP_BPF_INJECT_SOCKET_H

#include "bpf/inject/state.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct netns_ipv4 {
	unsigned int sysctl_tcp_notsent_lowat;
	int sysctl_tcp_wmem[3];
};

struct net {
	struct netns_ipv4 ipv4;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	possible_net_t skc_net;
	unsigned long skc_flags;
};

struct sock {
	struct sock_common __sk_common;
	int sk_wmem_queued;
	int sk_sndbuf;
	int sk_forward_alloc;
};

struct inet_sock {
	struct sock sk;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	const void *icsk_ulp_ops;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	u32 write_seq;
	u32 notsent_lowat;
	u32 mss_cache;
	u8 nonagle : 4;
};

struct task_struct {
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	char comm[INJECT_COMM];
};

struct sk_msg_sg {
	u32 start;
	u32 end;
};

struct sk_msg {
	struct sk_msg_sg sg;
};

#pragma clang attribute pop

enum sock_flags { SOCK_ZEROCOPY };
#define PACKET_STATE 1536 /* bytes that the kernel needs beside those of a packet, at most */
#define PIECE_LEAST 4096  /* bytes of a piece in the middle of a send */
#define MOST_PIECES 17    /* of one send: the kernel's MAX_MSG_FRAGS */

static __always_inline bool has_nodelay(struct tcp_sock *tp)
{
	return BPF_CORE_READ_BITFIELD(tp, nonagle) & 1;
}

/* Whether the send buffer takes the first bytes of a send at once. Where it takes a part, the kernel does not show the
 * program the sends that follow until one of them was taken whole: what they hold is not known, only how many bytes. */
static __always_inline bool fits(struct tcp_sock *tp, u32 bytes, bool one_piece)
{
	struct sock *sk = (struct sock *)tp;
	u32 queued = sk->sk_wmem_queued;

	/* A piece goes into a packet of its own where none waits. */
	return (one_piece && !queued) ||
	       queued + bytes + PACKET_STATE * (2 + bytes / PIECE_LEAST) <= (u32)sk->sk_sndbuf;
}

/* Whether these bytes surely go into the send queue, however little memory the machine has. Where they did not, the
 * kernel would count added bytes as bytes of the program, which would send some of its own twice. */
static __always_inline bool has_room(struct tcp_sock *tp, u32 bytes, u32 pieces)
{
	struct sock *sk = (struct sock *)tp;
	struct net *net = sk->__sk_common.skc_net.net;
	u32 queued = sk->sk_wmem_queued, mss = tp->mss_cache, need;
	u32 unsent = tp->notsent_lowat;

	if (!net || mss < 100)
		return false;
	need = bytes + (pieces + !!queued + bytes / mss) * PACKET_STATE;
	if (!unsent)
		unsent = net->ipv4.sysctl_tcp_notsent_lowat;
	if (unsent < 2 * need || queued + need > (u32)sk->sk_sndbuf)
		return false;
	/* A socket has its first bytes, 4096 by default, even when the machine has no memory for TCP. */
	return queued + need <= (u32)net->ipv4.sysctl_tcp_wmem[0] ||
	       (sk->sk_forward_alloc > 0 && (u32)sk->sk_forward_alloc >= need);
}

#endif
