// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/net/sampling.bpf.h"
#include <bpf/bpf_endian.h>

const volatile __u32 sampling_limit = 0;
const volatile __u64 sampling_seed = 0;
const volatile __u8 sampling_varies = false;
const volatile __u8 sampling_tls = false;

__u64 sampling_below = 0;
__u32 sampling_epoch = 0;
__u32 plaintext_epoch = 0;
__u8 sampling_rests = false;
__u64 sampling_counts[2] = {};

static __always_inline u32 choice_by(u32 number)
{
	u64 below = sampling_varies ? *(volatile u64 *)&sampling_below : sampling_limit;

	return sampling_rests || number < below ? CHOICE_RECORDED : CHOICE_LEFT_OUT;
}

/* The inode of the end that connected, which both ends know: an accepted socket has its listener's name, and no inode
 * of its own until accept() returns. Where the names do not tell the ends apart, the lower inode. */
static __always_inline u32 choose_unix(const struct unix_sock *sock)
{
	const struct unix_sock *peer = (const struct unix_sock *)BPF_CORE_READ(sock, peer);
	bool named, peer_named;
	u64 own, other;

	if (!peer)
		return CHOICE_NONE;
	own = socket_inode((const struct sock *)sock);
	other = socket_inode((const struct sock *)peer);
	named = BPF_CORE_READ(sock, addr);
	peer_named = BPF_CORE_READ(peer, addr);
	if (named != peer_named)
		own = named ? other : own;
	else if (other && (!own || other < own))
		own = other;
	return own ? choice_by(lone_number(sampling_seed, own)) : CHOICE_NONE;
}

static __always_inline u64 mapped(u32 address)
{
	return (u64)address << 32 | 0xffff0000; /* on a host whose numbers begin with the lowest byte */
}

__noinline u32 choose_connection(u64 sock, u32 family, u32 closed)
{
	const struct sock *sk = (const struct sock *)sock;
	const struct sock_common *common = &sk->__sk_common;
	struct connection_end local = {}, remote = {};
	u64 words[2];
	u32 address;

	if (family == AF_UNIX)
		return choose_unix((const struct unix_sock *)sk);
	local.port = closed ? bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport))
			    : BPF_CORE_READ(common, skc_num);
	remote.port = bpf_ntohs(BPF_CORE_READ(common, skc_dport));
	if (!local.port || !remote.port)
		return CHOICE_NONE;
	if (family == AF_INET) {
		bpf_core_read(&address, 4, &common->skc_rcv_saddr);
		local.low = mapped(address);
		bpf_core_read(&address, 4, &common->skc_daddr);
		remote.low = mapped(address);
	} else {
		bpf_core_read(words, 16, &common->skc_v6_rcv_saddr);
		local.high = words[0];
		local.low = words[1];
		bpf_core_read(words, 16, &common->skc_v6_daddr);
		remote.high = words[0];
		remote.low = words[1];
	}
	return choice_by(connection_number(sampling_seed, &local, &remote));
}

__noinline u32 choose_alone(u64 id)
{
	return choice_by(lone_number(sampling_seed, id));
}
