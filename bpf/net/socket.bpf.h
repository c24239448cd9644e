/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Target sockets, and the records that describe them: a socket is a target if its storage exists.
 */
#ifndef TAILCAP_BPF_NET_SOCKET_H
#define TAILCAP_BPF_NET_SOCKET_H

#include "bpf/net/sampling.bpf.h"
#include "bpf/net/unrecorded.bpf.h"
#include <bpf/bpf_endian.h>

/* The kernel assigns a cookie only on request, and only through a trusted pointer. Until then this bit marks a number
 * that cannot be a cookie. */
#define OWN_COOKIE (1ull << 63)

extern __u64 own_cookies;

extern const volatile __u8 tell_held; /* acknowledgements are seen: bpf/net/held.bpf.h */
/* User space detaches the programs that see them for a time, and begins a new epoch: what was noted before may have
 * been acknowledged meanwhile. */
extern __u32 held_epoch;

/* Nothing of it is recorded from here on: a request in progress has no end. */
__noinline u32 tell_left_out(struct socket_state *state);

/* Its state is about to be removed. */
static __always_inline void tell_removed(struct socket_state *state)
{
	if (state->origin != ORIGIN_LISTENER && state->choice != CHOICE_LEFT_OUT)
		tell_left_out(state);
}

#ifdef OLDER_KERNEL
#define own_cookie() own_number()
#else
#define own_cookie() (OWN_COOKIE | __sync_fetch_and_add(&own_cookies, 1))
#endif

/* TCP over IPv4 or IPv6, UNIX stream and seqpacket, and UDP that is connected to a name server. peer: the remote port
 * in network order, 0 for none. sk may be any pointer to a sock. */
static __always_inline bool recordable(u16 family, u16 type, u16 protocol, u16 peer)
{
	if (family == AF_INET || family == AF_INET6)
		return (type == SOCK_STREAM && protocol == IPPROTO_TCP) ||
		       (type == SOCK_DGRAM && protocol == IPPROTO_UDP && peer == bpf_htons(PORT_DNS));
	return family == AF_UNIX && (type == SOCK_STREAM || type == SOCK_SEQPACKET);
}

/* An MPTCP socket is recorded like a TCP socket at the point where all of its bytes are seen: positions count from 0,
 * and arrivals are unknown. */
static __always_inline bool recordable_mptcp(u16 family, u16 type, u16 protocol, u8 origin)
{
#ifdef OLDER_KERNEL /* does not say when such a socket ends */
	return false;
#else
	return protocol == IPPROTO_MPTCP && type == SOCK_STREAM && (family == AF_INET || family == AF_INET6) &&
	       (origin == ORIGIN_CONNECTED || origin == ORIGIN_LISTENER);
#endif
}

/* A subflow carries the bytes of an MPTCP socket. A listener is not a subflow: peers without MPTCP make ordinary
 * connections. */
static __always_inline bool is_subflow(const struct sock *sk, u8 state)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;

	if (state == TCP_LISTEN || MEMBER(struct sock, sk, sk_protocol) != IPPROTO_TCP ||
	    !bpf_core_field_exists(tcp->is_mptcp))
		return false;
	if (!bpf_rdonly_cast)
		return BPF_CORE_READ_BITFIELD_PROBED(tcp, is_mptcp);
	tcp = bpf_rdonly_cast(tcp, bpf_core_type_id_kernel(struct tcp_sock));
	return BPF_CORE_READ_BITFIELD(tcp, is_mptcp);
}

static __always_inline bool wanted_port(u16 local, u16 remote)
{
	for (u32 i = 0; i < PORTS_MAX; i++) {
		if (i < port_count && (ports[i] == local || ports[i] == remote))
			return true;
	}
	return false;
}

static __always_inline bool on_wanted_port(const struct sock *sk)
{
	u16 family;

	if (!port_count)
		return false;
	family = sk->__sk_common.skc_family;
	if (family != AF_INET && family != AF_INET6)
		return false;
	return wanted_port(sk->__sk_common.skc_num, bpf_ntohs(sk->__sk_common.skc_dport));
}

static __always_inline u16 unix_path(struct record_socket *record, const struct unix_sock *sock)
{
	struct unix_address *address = BPF_CORE_READ(sock, addr);
	u32 length;

	if (!address)
		return 0;
	length = BPF_CORE_READ(address, len) - 2; /* without the family */
	if (length > 108)
		return 0;
	bpf_probe_read_kernel(record->path, length, address->name[0].sun_path);
	return length;
}

/* The process that connected to this UNIX socket, which has its listener's name; the other end has none. 0: it is not
 * known, or has ended: its number may be another's. */
static __always_inline u32 who_connected(const struct unix_sock *sock, const struct unix_sock *peer)
{
	struct pid *pid;

	if (!BPF_CORE_READ(sock, addr) || BPF_CORE_READ(peer, addr))
		return 0;
	pid = BPF_CORE_READ((const struct sock *)sock, sk_peer_pid);
	return pid && BPF_CORE_READ(pid, tasks[1].first) ? (u32)BPF_CORE_READ(pid, numbers[0].nr) : 0;
}

/* The listener's connections that are not accepted, its limit, and how often it dropped an attempt. */
static __always_inline void fill_queue(struct record_socket *record, const struct sock *listener, u64 cookie)
{
	if (!bpf_core_field_exists(listener->sk_ack_backlog) || !bpf_core_field_exists(listener->sk_max_ack_backlog) ||
	    !bpf_core_field_exists(listener->sk_drops))
		return;
	record->listener = cookie;
	record->queue = MEMBER(struct sock, listener, sk_ack_backlog);
	record->queue_limit = MEMBER(struct sock, listener, sk_max_ack_backlog);
	record->drops = MEMBER(struct sock, listener, sk_drops.counter);
}

/* Smoothed, us; 0: not measured. For TCP sockets only. */
static __always_inline u32 round_trip(const struct sock *sk)
{
	return MEMBER(struct tcp_sock, sk, srtt_us) >> 3;
}

/* The index of the interface that the socket sends through; 0: it has no route now. */
static __always_inline u32 route_interface(const struct sock *sk)
{
	struct dst_entry *route = MEMBER(struct sock, sk, sk_dst_cache);
	struct net_device *device;

	if (!route)
		return 0;
	device = MEMBER(struct dst_entry, route, dev);
	return device ? MEMBER(struct net_device, device, ifindex) : 0;
}

/* The addresses and ports of its connection; those of a listener are its own. record: not its members, through pointers
 * to which Linux 6.1 cannot prove a program. */
static __always_inline void fill_ends(struct record_socket *record, const struct sock *sk, u16 family)
{
	const struct sock_common *common = &sk->__sk_common;
	u32 local, remote;

	record->local_port = MEMBER(struct sock, sk, __sk_common.skc_num);
	record->remote_port = bpf_ntohs(MEMBER(struct sock, sk, __sk_common.skc_dport));
	if (family == AF_INET) {
		local = MEMBER(struct sock, sk, __sk_common.skc_rcv_saddr);
		remote = MEMBER(struct sock, sk, __sk_common.skc_daddr);
		__builtin_memcpy(record->local, &local, sizeof(local));
		__builtin_memcpy(record->remote, &remote, sizeof(remote));
	} else {
		bpf_core_read(record->local, 16, &common->skc_v6_rcv_saddr);
		bpf_core_read(record->remote, 16, &common->skc_v6_daddr);
	}
}

static __always_inline u32 namespace_of(const struct sock *sk)
{
	struct net *net = MEMBER(struct sock, sk, __sk_common.skc_net.net);

	return MEMBER(struct net, net, ns.inum);
}

/* holder: a process that has it; 0: not said. sk may be any pointer to a sock, so that tiers and iterators share this
 * function; where each request has a connection of its own, it runs several times for each. */
static __always_inline void fill_socket(struct record_socket *record, const struct sock *sk,
					const struct socket_state *state, u32 holder)
{
	__builtin_memset(record, 0, sizeof(*record));
	fill_head_by(&record->h, holder, 0, RECORD_SOCKET, bpf_ktime_get_ns());
	record->socket = state->cookie;
	record->family = state->family;
	record->type = state->type;
	record->origin = state->origin;
	record->inode = socket_inode(sk);
	record->net_namespace = namespace_of(sk);
	if (state->family == AF_UNIX) {
		const struct unix_sock *sock = (const struct unix_sock *)sk;
		struct sock *peer = BPF_CORE_READ(sock, peer);

		if (peer) {
			record->peer_inode = socket_inode(peer);
			record->peer_pid = who_connected(sock, (const struct unix_sock *)peer);
		}
		record->path_length = unix_path(record, sock);
		if (!record->path_length && peer)
			record->path_length = unix_path(record, (const struct unix_sock *)peer);
		return;
	}
	record->state = MEMBER(struct sock, sk, __sk_common.skc_state);
	fill_ends(record, sk, state->family);
	if (state->type != SOCK_STREAM)
		return;
	if (state->counts) {
		record->next_out = state->direction[0].counted;
		record->next_in = state->direction[1].counted;
		return;
	}
	if (record->state == TCP_LISTEN) {
		fill_queue(record, sk, state->cookie);
	} else {
		record->rtt = round_trip(sk);
		record->interface = route_interface(sk);
	}
	record->next_out = MEMBER(struct tcp_sock, sk, write_seq);
	record->next_in = MEMBER(struct tcp_sock, sk, copied_seq);
}

/* new_state: the TCP state that the socket is about to enter; 0: unchanged. */
static __always_inline void tell_socket(const struct sock *sk, struct socket_state *state, u8 new_state)
{
	struct record_socket *record = reserve(sizeof(*record), RECORD_SOCKET, &state->missed);

	if (!record)
		return;
	fill_socket(record, sk, state, 0);
	if (new_state)
		record->state = new_state;
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
}

static __always_inline void begin_socket(struct socket_state *state, const struct sock *sk, u64 cookie, u16 family,
					 u16 type, u8 origin)
{
	__builtin_memset(state, 0, sizeof(*state));
	state->self = (u64)sk;
	state->cookie = cookie;
	state->family = family;
	state->type = type;
	state->origin = origin;
	state->counts = family == AF_UNIX;
	/* The first message of a connection needs no proof. */
	state->direction[0].budget = payload_limit;
	state->direction[1].budget = payload_limit;
}

/* The storage of a target socket. A listener's storage was cloned to its child: turn it into the child's own. An MPTCP
 * child still has its listener's cookie at that point. */
#define own_socket(state, sk)                                                                         \
	({                                                                                            \
		if ((state)->self != (u64)(sk)) {                                                     \
			u64 _cookie = bpf_get_socket_cookie((void *)(sk));                            \
			bool _counts = (sk)->sk_protocol == IPPROTO_MPTCP;                            \
			if (_counts && _cookie == (state)->cookie)                                    \
				_cookie = own_cookie();                                               \
			begin_socket(state, sk, _cookie, (sk)->__sk_common.skc_family, (sk)->sk_type, \
				     ORIGIN_ACCEPTED);                                                \
			(state)->counts = _counts;                                                    \
		}                                                                                     \
	})

#ifdef OLDER_KERNEL

#define NEIGHBOURS_MAX 8

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct sock_common___bound {
	struct hlist_node skc_bind_node; /* its place among the sockets of its port */
};

struct sock___bound {
	struct sock_common___bound __sk_common;
};

#pragma clang attribute pop

/* A listener's child, which the kernel is just making: it gets a copy of its listener's storage, as the kernel itself
 * would make one. At this point it is a copy of its listener, whose neighbour among the sockets of their port leads to
 * it; between the two there may be children that other CPUs have put there since. */
static __always_inline void inherit_storage(struct sock *child)
{
	struct hlist_node **before = BPF_CORE_READ((struct sock___bound *)child, __sk_common.skc_bind_node.pprev);
	struct hlist_node *node = NULL;
	u16 port = child->__sk_common.skc_num;
	struct socket_state *state;
	u64 key = (u64)child;

	if (!before || bpf_probe_read_kernel(&node, sizeof(node), before))
		return;
	for (int i = 0; i < NEIGHBOURS_MAX && node; i++) {
		const struct sock *sk = (void *)node - bpf_core_field_offset(struct sock_common___bound, skc_bind_node);

		state = state_at(sk);
		if (state && BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN &&
		    BPF_CORE_READ(sk, __sk_common.skc_num) == port) {
			if (bpf_map_update_elem(&sockets, &key, state, BPF_ANY))
				count_loss(LOSS_SOCKET_TABLE, RECORD_SOCKET);
			return;
		}
		node = BPF_CORE_READ(node, next);
	}
}

#else
#define inherit_storage(child)
#endif

/* Makes a socket a target; emits it unless the caller will. Null if that fails. A macro, since a separate function
 * would lose the verifier's type of sk. */
#define make_socket(sk, how)                                                                                        \
	({                                                                                                          \
		struct socket_state *_state = NULL;                                                                 \
		u16 _family = (sk)->__sk_common.skc_family, _type = (sk)->sk_type;                                  \
		bool _mptcp = recordable_mptcp(_family, _type, (sk)->sk_protocol, how);                             \
		if (_mptcp || recordable(_family, _type, (sk)->sk_protocol, (sk)->__sk_common.skc_dport)) {         \
			_state = bpf_sk_storage_get(&sockets, (void *)(sk), 0, BPF_SK_STORAGE_GET_F_CREATE);        \
			if (_state) {                                                                               \
				begin_socket(_state, sk, bpf_get_socket_cookie((void *)(sk)), _family, _type, how); \
				if (_mptcp)                                                                         \
					_state->counts = true;                                                      \
			} else                                                                                      \
				count_loss(LOSS_SOCKET_TABLE, RECORD_SOCKET);                                       \
		}                                                                                                   \
		_state;                                                                                             \
	})

/* Whether it is not recorded because connections are sampled, or will perhaps not be. */
#define is_left_out(sk) (sampling_limit && bpf_sk_storage_get(&sockets, (void *)(sk), 0, 0))

/* Not of the kernel's own, which some call uses. sk is trusted. */
#define has_file(sk)                                                             \
	({                                                                       \
		struct socket *_socket = POINTER_IN(struct sock, sk, sk_socket); \
		_socket && _socket->file;                                        \
	})

/* A target moved ret bytes on a socket that cannot be recorded. sk is trusted. */
#define note_unrecorded(sk, task, ret)                                                                                 \
	({                                                                                                             \
		u32 _kind = unrecorded_kind((sk)->__sk_common.skc_family, (sk)->sk_type, (sk)->sk_protocol);           \
		if (_kind && (ret) > 0 && whole_target(task) && has_file(sk) && !is_left_out(sk)) {                    \
			u8 *_seen =                                                                                    \
				bpf_sk_storage_get(&unrecorded_sockets, (void *)(sk), 0, BPF_SK_STORAGE_GET_F_CREATE); \
			u32 _first = _seen && !*_seen;                                                                 \
			if (_seen)                                                                                     \
				*_seen = 1;                                                                            \
			count_unrecorded((task)->tgid, _kind, ret, _first);                                            \
		}                                                                                                      \
	})

#endif
