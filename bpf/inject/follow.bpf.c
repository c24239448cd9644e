// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Which connections are followed: those that a target process makes, from their first byte.
 */
#include "bpf/inject/socket.bpf.h"

#define ANCESTORS_MOST 16
#define TOO_MANY 7 /* E2BIG */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, INJECT_TARGETS);
	__type(key, u32);
	__type(value, u8);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, INJECT_TARGETS);
	__type(key, char[INJECT_COMM]);
	__type(value, u8);
} names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, INJECT_TARGETS);
	__type(key, u32);
	__type(value, u8);
} ports SEC(".maps");

__u8 some_ports = 0; /* only connections to these */

/* The running process, or one that it descends from, is a target. */
static __always_inline bool is_target(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	char comm[INJECT_COMM];
	u32 tgid;

	task = task->group_leader;
	for (int i = 0; i < ANCESTORS_MOST && task; i++) {
		tgid = task->tgid;
		if (bpf_map_lookup_elem(&processes, &tgid))
			return true;
		__builtin_memset(comm, 0, sizeof(comm));
		bpf_probe_read_kernel_str(comm, sizeof(comm), task->comm);
		if (bpf_map_lookup_elem(&names, comm))
			return true;
		if (tgid <= 1)
			return false;
		task = task->real_parent;
	}
	return false;
}

/* In the thread that connects, before the first packet. */
static __always_inline void begin(struct bpf_sock_ops *ops, bool all)
{
	u32 port = bpf_ntohl(ops->remote_port);
	struct bpf_sock *sk = ops->sk;
	struct followed *connection;
	struct tcp_sock *tp;

	if (!sk || (some_ports && !bpf_map_lookup_elem(&ports, &port)) || (!all && !is_target()))
		return;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || tp->inet_conn.icsk_ulp_ops)
		return;
	connection = bpf_sk_storage_get(&followed, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!connection)
		return;
	__builtin_memset(connection, 0, sizeof(*connection));
	connection->cookie = bpf_get_socket_cookie(ops);
	connection->process = bpf_get_current_pid_tgid() >> 32;
	connection->next = tp->write_seq + 1; /* behind the SYN */
}

static __always_inline void establish(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;
	struct followed *connection;
	struct tcp_sock *tp;
	u64 cookie;
	long error;

	if (!sk)
		return;
	connection = bpf_sk_storage_get(&followed, sk, 0, 0);
	if (!connection || connection->established)
		return;
	connection->established = 1;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || tp->write_seq != connection->next) { /* with the SYN */
		connection->alone = 1;
		count(LEFT_UNSEEN, 1);
		return;
	}
	connection->begun = connection->plain_from = connection->next;
	cookie = connection->cookie;
	error = bpf_sock_hash_update(ops, &sockets, &cookie, BPF_NOEXIST);
	if (error) {
		connection->alone = 1;
		count(error == -TOO_MANY ? LEFT_TABLE : LEFT_REFUSED, 1);
		return;
	}
	bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
	count(COUNT_FOLLOWED, 1);
}

/* Its program has sent all that it will send: it becomes a plain socket. As one of a map it would end a blocking read
 * with EAGAIN as soon as the peer confirms the end. */
static __always_inline void finish(struct bpf_sock_ops *ops)
{
	struct bpf_sock *sk = ops->sk;
	struct followed *connection;
	u64 cookie;

	if (!sk || (ops->args[1] != BPF_TCP_FIN_WAIT1 && ops->args[1] != BPF_TCP_LAST_ACK))
		return;
	connection = bpf_sk_storage_get(&followed, sk, 0, 0);
	if (!connection)
		return;
	cookie = connection->cookie;
	bpf_map_delete_elem(&sockets, &cookie);
}

static __always_inline void follow(struct bpf_sock_ops *ops, bool all)
{
	if (ops->op == BPF_SOCK_OPS_TCP_CONNECT_CB)
		begin(ops, all);
	else if (ops->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		establish(ops);
	else if (ops->op == BPF_SOCK_OPS_STATE_CB)
		finish(ops);
}

SEC("sockops")
int follow_targets(struct bpf_sock_ops *ops)
{
	follow(ops, false);
	return 1;
}

/* For a cgroup that is a target. */
SEC("sockops")
int follow_all(struct bpf_sock_ops *ops)
{
	follow(ops, true);
	return 1;
}
