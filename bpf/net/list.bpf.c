// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Iterators over existing tasks and sockets. User space reads them at the start and for every keyframe.
 */
#include "bpf/net/adopt.bpf.h"
#include "bpf/net/socket.bpf.h"
#include "bpf/core/descriptor.bpf.h"
#include "bpf/core/target.bpf.h"

/* Set while the iterators may create targets; later they only list them. */
__u8 marking = false;

static __always_inline bool is_chosen(u32 pid)
{
	u8 *how = bpf_map_lookup_elem(&target_pids, &pid);

	return how && *how == TARGET_CHOSEN;
}

/* Where user space cannot make targets itself, it has the self-test's process marked, alone. */
static __always_inline bool is_tested(u32 pid)
{
	u8 *how = bpf_map_lookup_elem(&target_pids, &pid);

	return how && *how == TESTED;
}

/* Whether a process above it is chosen: workers that ran before recording began belong to their master. */
static __always_inline bool below_chosen(struct task_struct *task)
{
	struct task_struct *above = task;

	for (int level = 0; level < ANCESTORS_MAX; level++) {
		u32 pid;

		above = BPF_CORE_READ(above, real_parent);
		if (!above)
			return false;
		pid = BPF_CORE_READ(above, tgid);
		if (!pid)
			return false;
		if (is_chosen(pid) || named(BPF_CORE_READ(above, group_leader)))
			return true;
	}
	return false;
}

static __always_inline bool chosen(struct task_struct *task)
{
	u32 pid = FIELD(task, tgid);
	u8 *how;

	if (IS_OLDER && marking == MARKING_TESTED)
		return is_tested(pid);
	if (kernel_thread(task) || recorders_own(task))
		return false;
	how = bpf_map_lookup_elem(&target_pids, &pid);
	return target_all || (how && *how != TARGET_REMOVED) || named(task->group_leader) || in_target_cgroup(task) ||
	       below_chosen(task);
}

/* Lists every target thread; while marking, makes the selected ones targets. */
SEC("iter/task")
int list_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct record_task record;

	if (!task)
		return 0;
	if (!task_state(task)) {
		if (!marking || !chosen(task) || !make_late_target(task, false))
			return 0;
	}
	fill_task(&record, task);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* systemd holds the sockets of the services that it starts. */
static __always_inline bool activates_sockets(struct task_struct *task)
{
	const u64 systemd = 0x00646d6574737973; /* its bytes in memory */
	char comm[COMM_SIZE] = {};
	u64 word;

	bpf_probe_read_kernel_str(comm, sizeof(comm), task->comm);
	__builtin_memcpy(&word, comm, sizeof(word));
	return FIELD(task, tgid) == 1 || word == systemd;
}

/* Holds a socket that a target listens on: it accepts connections from it, too, as the workers of a server do that
 * have no common ancestor among the targets. */
static __always_inline void mark_holder(struct task_struct *task)
{
	u32 pid = FIELD(task, tgid);
	u8 how = TARGET_HOLDER;

	if (task_state(task) || kernel_thread(task) || recorders_own(task) || activates_sockets(task))
		return;
	bpf_map_update_elem(&target_pids, &pid, &how, BPF_NOEXIST);
}

#ifdef OLDER_KERNEL

/* A state for a socket that was found by reading memory, in the table of its kind. */
static __always_inline struct socket_state *new_state(struct sock *sk, u16 family, bool listens)
{
	struct socket_state *called = called_at(sk), *state;
	u64 cookie = called ? called->cookie : own_number();

	state = family == AF_UNIX ? stored(&sockets_by_address, (u64)sk, 1) : stored(&sockets, (u64)sk, 1);
	if (!state) {
		count_loss(LOSS_SOCKET_TABLE, RECORD_SOCKET);
		return NULL;
	}
	begin_socket(state, sk, cookie, family, BPF_CORE_READ(sk, sk_type), listens ? ORIGIN_LISTENER : ORIGIN_EXISTED);
	if (family == AF_UNIX)
		state->inode = socket_inode(sk);
	return state;
}

SEC("iter/task_file")
int list_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct sock *sk = task ? socket_in(ctx->file) : NULL;
	struct record_socket record;
	struct socket_state *state;
	bool on_port, listens;
	u16 family;

	if (!sk || FIELD(task, tgid) == self_tgid)
		return 0;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (!recordable(family, BPF_CORE_READ(sk, sk_type), BPF_CORE_READ(sk, sk_protocol), 0))
		return 0;
	on_port = family != AF_UNIX && wanted_port(BPF_CORE_READ(sk, __sk_common.skc_num),
						   bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport)));
	listens = family != AF_UNIX && BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN;
	state = family == AF_UNIX ? called_at(sk) : stored(&sockets, (u64)sk, 0);
	if (!state) {
		if (!whole_target(task) && !on_port)
			return 0;
		state = new_state(sk, family, listens);
		if (!state)
			return 0;
		touched_port(task);
	}
	if (state->self != (u64)sk)
		begin_socket(state, sk, own_number(), family, BPF_CORE_READ(sk, sk_type), ORIGIN_ACCEPTED);
	if (marking && listens && !on_port)
		mark_holder(task);
	fill_socket(&record, sk, state, FIELD(task, tgid));
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

NOT_HERE("iter/task_file", list_by_address)

#else

/* Lists every target socket; makes targets of those that a target task holds or that are on a selected port. */
SEC("iter/task_file")
int list_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct record_socket record;
	struct socket_state *state;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file || FIELD(task, tgid) == self_tgid)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	state = bpf_sk_storage_get(&sockets, sk, 0, 0);
	if (!state) {
		u8 origin = sk->__sk_common.skc_state == TCP_LISTEN ? ORIGIN_LISTENER : ORIGIN_EXISTED;

		if (!whole_target(task) && !on_wanted_port(sk))
			return 0;
		state = make_socket(sk, origin);
		if (!state)
			return 0;
		if (is_sampled(state))
			touched_port(task);
	}
	own_socket(state, sk);
	if (marking && sk->__sk_common.skc_state == TCP_LISTEN && !on_wanted_port(sk))
		mark_holder(task);
	if (!is_sampled(state))
		return 0;
	fill_socket(&record, sk, state, FIELD(task, tgid));
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* Iterators over sockets can find it: a TCP socket is in their tables while it has a connection or listens. */
static __always_inline bool adoptable(const struct sock *sk)
{
	u16 family = MEMBER(struct sock, sk, __sk_common.skc_family), type = MEMBER(struct sock, sk, sk_type);

	return type != SOCK_DGRAM && recordable(family, type, MEMBER(struct sock, sk, sk_protocol), 0) &&
	       (family == AF_UNIX || MEMBER(struct sock, sk, __sk_common.skc_state) != TCP_CLOSE);
}

/* The same as list_sockets where pointers from files are not trusted: sockets that are to be recorded are only noted.
 */
SEC("iter/task_file")
int list_by_address(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	const struct sock *sk = task ? socket_in(ctx->file) : NULL;
	struct record_socket record;
	struct socket_state *state;
	bool on_port;

	if (!sk || FIELD(task, tgid) == self_tgid)
		return 0;
	on_port = on_wanted_port(sk);
	state = copy_of_state(sk);
	if (!state || state->self != (u64)sk) {
		if ((state || whole_target(task) || on_port) && adoptable(sk)) {
			note_socket(sk, task, SOCKET_ADOPTED);
			if (on_port && !sampling_limit)
				touched_port(task);
		}
		return 0;
	}
	if (marking && MEMBER(struct sock, sk, __sk_common.skc_state) == TCP_LISTEN && !on_port)
		mark_holder(task);
	if (!needs_no_choice(state) && state->choice != CHOICE_RECORDED)
		return 0;
	fill_socket(&record, sk, state, FIELD(task, tgid));
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

#endif

#define LOOPBACK 127

/* Both ends are on this machine, as far as the addresses say. */
static __always_inline bool within_machine(const struct socket_holder *end)
{
	const u64 *local = (const u64 *)end->local, *remote = (const u64 *)end->remote;

	if (end->family == AF_INET && end->local[0] == LOOPBACK && end->remote[0] == LOOPBACK)
		return true;
	return local[0] == remote[0] && local[1] == remote[1];
}

/* Lists the processes that are no targets and have an end of a TCP connection within the machine: the other end may be
 * a target's. */
SEC("iter/task_file")
int list_holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	const struct sock *sk = task ? socket_in(ctx->file) : NULL;
	const struct sock_common *common;
	struct socket_holder end = {};

	if (!sk || task_state(task) || BPF_CORE_READ(sk, sk_type) != SOCK_STREAM ||
	    BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	common = &sk->__sk_common;
	end.family = BPF_CORE_READ(common, skc_family);
	if (end.family == AF_INET) {
		bpf_core_read(end.local, 4, &common->skc_rcv_saddr);
		bpf_core_read(end.remote, 4, &common->skc_daddr);
	} else {
		bpf_core_read(end.local, 16, &common->skc_v6_rcv_saddr);
		bpf_core_read(end.remote, 16, &common->skc_v6_daddr);
	}
	end.remote_port = bpf_ntohs(BPF_CORE_READ(common, skc_dport));
	if (!end.remote_port || !within_machine(&end))
		return 0;
	end.local_port = BPF_CORE_READ(common, skc_num);
	end.pid = FIELD(task, tgid);
	end.net_namespace = namespace_of(sk);
	bpf_seq_write(ctx->meta->seq, &end, sizeof(end));
	return 0;
}
