// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Iterators over the sockets of a network namespace, which make a state for those that iterators over tasks have noted
 * (adopt.bpf.h), or remove it.
 */
#include "bpf/net/adopt.bpf.h"

struct noted_sockets noted_sockets SEC(".maps");
struct noted_namespaces noted_namespaces SEC(".maps");
struct state_copies state_copies SEC(".maps");

#ifdef OLDER_KERNEL /* finds all that it needs from tasks */

NOT_HERE("iter/tcp", adopt_tcp)
NOT_HERE("iter/unix", adopt_unix)

#else

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct bpf_iter__unix {
	struct bpf_iter_meta *meta;
	struct unix_sock *unix_sk;
};

#pragma clang attribute pop

static __always_inline void adopt(struct sock *sk)
{
	struct socket_state *state = bpf_sk_storage_get(&sockets, sk, 0, 0);
	u64 key = (u64)sk;
	u32 *noted = bpf_map_lookup_elem(&noted_sockets, &key), flags = noted ? *noted : 0;

	if (!state && flags & SOCKET_ADOPTED)
		state = make_socket(sk, sk->__sk_common.skc_state == TCP_LISTEN ? ORIGIN_LISTENER : ORIGIN_EXISTED);
	if (!state)
		return;
	if (flags)
		own_socket(state, sk);
	if (flags & SOCKET_REMOVED && !(flags & SOCKET_KEPT)) {
		tell_removed(state);
		bpf_sk_storage_delete(&sockets, sk);
	} else if (state->self == (u64)sk) {
		is_sampled(state); /* where connections are sampled, it is chosen now */
	}
}

SEC("iter/tcp")
int adopt_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct sock *sk;

	if (!common)
		return 0;
	sk = (struct sock *)bpf_skc_to_tcp_sock(common);
	if (sk)
		adopt(sk);
	return 0;
}

SEC("iter/unix")
int adopt_unix(struct bpf_iter__unix *ctx)
{
	struct sock *sk = (struct sock *)ctx->unix_sk;

	if (sk)
		adopt(sk);
	return 0;
}

#endif
