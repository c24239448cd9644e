// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Targets that are taken away while it records. User space says of pids that they are TARGET_REMOVED, reads
 * untarget_tasks until it lists none, then keep_sockets and untarget_sockets: a connection that only such processes
 * have is not recorded from there on.
 */
#include "bpf/core/descriptor.bpf.h"
#include "bpf/net/adopt.bpf.h"
#include "bpf/net/socket.bpf.h"
#include "bpf/core/target.bpf.h"

__u8 untarget_round = 0; /* in the state of a socket that another target has, in this round */

#ifdef OLDER_KERNEL /* does not take them away: it keeps sockets elsewhere, too */

NOT_HERE("iter/task", untarget_tasks)
NOT_HERE("iter/task_file", keep_sockets)
NOT_HERE("iter/task_file", untarget_sockets)
NOT_HERE("iter/task_file", untarget_by_address)

#else

/* What it is counts, or what comes first above it. */
static __always_inline bool taken_away(struct task_struct *task)
{
	struct task_struct *at = task;

	if (target_all || in_target_cgroup(task))
		return false;
	for (int level = 0; level <= ANCESTORS_MAX; level++) {
		u32 pid = BPF_CORE_READ(at, tgid);
		u8 *how;

		if (!pid || named(BPF_CORE_READ(at, group_leader)))
			return false;
		how = bpf_map_lookup_elem(&target_pids, &pid);
		if (how && *how == TARGET_CHOSEN)
			return false;
		if (how && *how == TARGET_REMOVED)
			return true;
		at = BPF_CORE_READ(at, real_parent);
		if (!at)
			return false;
	}
	return false;
}

/* Lists the threads that end to be targets. */
SEC("iter/task")
int untarget_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct record_task record;

	if (!task || !task_state(task) || !taken_away(task))
		return 0;
	fill_task(&record, task);
	if (bpf_task_storage_delete(&tasks, task))
		return 0;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* The socket that an iterator is at; NULL: it is at none. A macro, since a function would lose the verifier's type. */
#define socket_at(ctx, task)                                                       \
	({                                                                         \
		struct file *_file = (task) ? (ctx)->file : NULL;                  \
		struct socket *_socket = _file ? bpf_sock_from_file(_file) : NULL; \
		_socket ? _socket->sk : NULL;                                      \
	})

SEC("iter/task_file")
int keep_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct sock *sk = socket_at(ctx, task);
	struct socket_state *state;

	if (!sk)
		return 0;
	state = bpf_sk_storage_get(&sockets, sk, 0, 0);
	if (state && (whole_target(task) || on_wanted_port(sk)))
		state->kept = untarget_round;
	return 0;
}

SEC("iter/task_file")
int untarget_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct sock *sk = socket_at(ctx, task);
	struct socket_state *state;

	if (!sk)
		return 0;
	state = bpf_sk_storage_get(&sockets, sk, 0, 0);
	if (!state || state->kept == untarget_round || whole_target(task) || !taken_away(task))
		return 0;
	own_socket(state, sk);
	tell_removed(state);
	bpf_sk_storage_delete(&sockets, sk);
	return 0;
}

/* The two in one, where iterators over sockets do the rest (adopt.bpf.h). */
SEC("iter/task_file")
int untarget_by_address(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	const struct sock *sk = task ? socket_in(ctx->file) : NULL;

	if (!sk || !copy_of_state(sk))
		return 0;
	if (whole_target(task) || on_wanted_port(sk))
		note_socket(sk, task, SOCKET_KEPT);
	else if (taken_away(task))
		note_socket(sk, task, SOCKET_REMOVED);
	return 0;
}

#endif
