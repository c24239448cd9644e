// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tier C, for kernels without better hooks: sends, receives and accepts at the exits of the system calls.
 *
 * Every system call of the machine passes here. The socket is found through the descriptor, by reading kernel memory:
 * no trusted pointer, so no storage; a table by address replaces it, checked by the inode number against reuse.
 * Not seen: io_uring, and 32-bit callers.
 */
#include "bpf/core/descriptor.bpf.h"
#include "bpf/core/nested.bpf.h"
#include "bpf/core/program.bpf.h"
#include "bpf/net/io.bpf.h"

/* What its twin goes on with: the program itself. */
struct {
	ONE_PROGRAM;
} skipped_call SEC(".maps");

#define MESSAGES_MAX 1024 /* the kernel's own limit for sendmmsg and recvmmsg */

const volatile __u32 addresses_kept = 0; /* with at most this many entries none is evicted */
__u64 addresses_met = 0;

struct sockets_by_address sockets_by_address SEC(".maps");

/* How other events call the socket; 0: none has seen it. */
static __always_inline u64 known_cookie(const struct sock *sk)
{
#ifdef OLDER_KERNEL
	struct socket_state *state = state_at(sk);

	return state ? state->cookie : 0;
#else
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
#endif
}

static __always_inline struct sock *socket_of(struct task_struct *task, u32 fd)
{
	struct file *file = file_of(task, fd);

	if (!file || kind_of_file(file) != FILE_SOCKET)
		return NULL;
	return sock_of(file);
}

/* A state on the stack would take half of it. */
static const struct socket_state no_state = {};

/* The state of the socket, made at its first use; null: it cannot be recorded. tells: it has not been described. Not
 * inlined: its stack would count with that of all functions that its caller calls. */
static __noinline struct socket_state *called_socket(struct task_struct *task, struct sock *sk, u32 moved, u32 *tells)
{
	u64 key = (u64)sk, inode = socket_inode(sk), cookie;
	struct socket_state *state = bpf_map_lookup_elem(&sockets_by_address, &key);
	u16 family, local, remote;
	u32 kind;

	*tells = 0;
	if (state && state->inode == inode)
		return state;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (!recordable(family, BPF_CORE_READ(sk, sk_type), BPF_CORE_READ(sk, sk_protocol), 0)) {
		kind = unrecorded_kind(family, BPF_CORE_READ(sk, sk_type), BPF_CORE_READ(sk, sk_protocol));
		if (kind && moved && whole_target(task))
			count_unrecorded(FIELD(task, tgid), kind, moved, 0);
		return NULL;
	}
	if (!whole_target(task)) {
		local = BPF_CORE_READ(sk, __sk_common.skc_num);
		remote = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
		if (family == AF_UNIX || !wanted_port(local, remote))
			return NULL;
	}
	cookie = known_cookie(sk);
	/* Beyond this number the map may evict sockets. TCP sockets lose nothing; for UNIX sockets the state counts the
	 * bytes, and a socket met now may be an evicted one. */
	if (FETCH_AND_ADD(&addresses_met, 1) >= addresses_kept && family == AF_UNIX)
		count_loss(LOSS_SOCKET_TABLE, RECORD_SOCKET);
	if (bpf_map_update_elem(&sockets_by_address, &key, &no_state, BPF_ANY)) {
		count_loss(LOSS_SOCKET_TABLE, RECORD_SOCKET);
		return NULL;
	}
	state = bpf_map_lookup_elem(&sockets_by_address, &key);
	if (!state)
		return NULL;
	begin_socket(state, sk, cookie ? cookie : own_cookie(), family, BPF_CORE_READ(sk, sk_type), ORIGIN_UNKNOWN);
	barrier();
	state->inode = inode; /* from here on it is this socket's */
	/* TCP sockets with a cookie have been described, by the iterator or at their first change of state. */
	*tells = family == AF_UNIX || !cookie;
	return state;
}

/* The same, if the connection is recorded. */
static __always_inline struct socket_state *chosen_called(struct task_struct *task, struct sock *sk, u32 moved)
{
	u32 tells;
	struct socket_state *state = called_socket(task, sk, moved, &tells);
	bool chosen;

	if (!state)
		return NULL;
	chosen = is_sampled_from_here(state);
	moved_on(state, task);
	if (!chosen)
		return NULL;
	if (tells)
		tell_socket(sk, state, 0);
	return state;
}

/* sendmmsg and recvmmsg return the number of messages: their lengths are in the caller's vector. */
__noinline u32 messages_length(u64 vector, u32 count)
{
	u32 sum = 0, length;

	for (u32 i = 0; i < MESSAGES_MAX; i++) {
		if (i >= count)
			break;
		if (bpf_probe_read_user(&length, sizeof(length), (void *)(vector + i * 64 + 56)))
			break;
		sum += length;
	}
	return sum;
}

/* Something was moved, or failed, on descriptor fd of the running task. flags: of the call. way is a constant:
 * Linux 6.1 drops one side of a branch on a parameter where a call lies between the two. */
static __always_inline int call_moved(const u32 way, u32 fd, int ret, u32 flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct sock *sk = socket_of(task, fd);
	struct socket_state *state;
	u64 position;
	u32 urgent = way == OUT && urgent_byte(ret, flags);
	u32 moved = ret > 0 ? ret - urgent : 0;
	u8 instead = way == IN && flags & MSG_TRUNC ? PAYLOAD_NO_BUFFER : 0;

	if (!sk)
		return 0;
	if (urgent && !moved)
		return 0;
	ret -= urgent;
	if (way == IN && !ret && !(BPF_CORE_READ(sk, sk_shutdown) & RCV_SHUTDOWN))
		return 0;
	state = chosen_called(task, sk, moved);
	if (!state)
		return 0;
	touched_port(task);
	if (state->family != AF_UNIX && BPF_CORE_READ((struct tcp_sock *)sk, inet_conn.icsk_ulp_ops))
		instead = PAYLOAD_UNSUPPORTED;
	if (state->family == AF_UNIX) {
		position = FETCH_AND_ADD(&state->direction[way].counted, (u64)moved);
#ifdef OLDER_KERNEL
		if (*(volatile u64 *)&state->direction[way].counted != position + moved) /* two threads at once */
			count_loss(LOSS_SOCKET_TABLE, RECORD_SOCKET);
#endif
	} else if (way == OUT) {
		position = (u32)(BPF_CORE_READ((struct tcp_sock *)sk, write_seq) - urgent - moved);
	} else {
		u32 copied = BPF_CORE_READ((struct tcp_sock *)sk, copied_seq);

		if (BPF_CORE_READ(sk, __sk_common.skc_flags) & (1 << SOCK_DONE_BIT) &&
		    copied == BPF_CORE_READ((struct tcp_sock *)sk, rcv_nxt))
			copied--;
		position = (u32)(copied - moved);
	}
	emit_io(state, task, (struct pt_regs *)bpf_task_pt_regs(task), position, ret, way, instead);
	if (way == OUT && tell_stalls && state->family != AF_UNIX &&
	    BPF_CORE_READ(sk, sk_socket, flags) & (1 << SOCK_NOSPACE_BIT))
		emit_full(task, state->cookie);
	return 0;
}

/* No byte of a send found room on descriptor fd of the running task. */
static __noinline int call_found_no_room(u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct sock *sk = socket_of(task, fd);
	struct socket_state *state;
	u64 key = (u64)sk;

	if (!sk)
		return 0;
	state = bpf_map_lookup_elem(&sockets_by_address, &key);
	if (state && state->inode == socket_inode(sk) && is_sampled_from_here(state))
		emit_full(task, state->cookie);
	return 0;
}

static __always_inline bool sends(u64 nr)
{
	return nr == NR_write || nr == NR_writev || nr == NR_sendto || nr == NR_sendmsg || nr == NR_sendmmsg ||
	       nr == NR_sendfile;
}

__noinline int call_sent(u32 fd, int ret, u32 flags)
{
	return call_moved(OUT, fd, ret, flags);
}

__noinline int call_received(u32 fd, int ret, u32 flags)
{
	return call_moved(IN, fd, ret, flags);
}

__noinline int call_accepted(u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct sock *sk = socket_of(task, fd);
	struct record_segment *record;
	struct socket_state *state;

	if (!sk)
		return 0;
	state = chosen_called(task, sk, 0);
	if (!state)
		return 0;
	record = reserve(sizeof(*record), RECORD_ACCEPT, &state->missed);
	if (!record)
		return 0;
	__builtin_memset(record, 0, sizeof(*record));
	fill_head(&record->h, task, RECORD_ACCEPT, bpf_ktime_get_ns());
	record->socket = state->cookie;
	record->position = fd;
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
	return 0;
}

static __always_inline bool may_be_on_socket(u64 nr)
{
	return nr == NR_read || nr == NR_write || (nr >= NR_readv && nr <= NR_recvmsg) || nr == NR_accept4 ||
	       nr == NR_splice || nr == NR_sendmmsg || nr == NR_recvmmsg;
}

static __always_inline bool may_be_recorded(struct task_struct *task, long ret)
{
	return FIELD(task, tgid) != self_tgid && !try_again(ret) && !IN_32_BIT_CALL(task) &&
	       (port_count || task_state(task));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(call_done, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 nr = THIS_CALL(regs);
	u32 flags = 0;

	KEEP_THREAD_STACK(ctx, skipped_call);
	if (!may_be_on_socket(nr))
		return 0;
	if (ret == -EAGAIN && tell_stalls && sends(nr) && FIELD(task, tgid) != self_tgid && !IN_32_BIT_CALL(task) &&
	    (port_count || task_state(task)))
		return call_found_no_room(CALL_0(regs));
	if (!may_be_recorded(task, ret))
		return 0;
	if (may_be_preempted)
		note_in_thread(TWIN_CALL);
	switch (nr) {
	case NR_recvfrom:
	case NR_sendto:
		flags = CALL_3(regs);
		break;
	case NR_recvmsg:
	case NR_sendmsg:
		flags = CALL_2(regs);
		break;
	case NR_recvmmsg:
		flags = CALL_3(regs);
		if (ret > 0)
			ret = messages_length(CALL_1(regs), ret);
		break;
	case NR_sendmmsg:
		if (ret > 0)
			ret = messages_length(CALL_1(regs), ret);
		break;
	}
	switch (nr) {
	case NR_write:
	case NR_writev:
	case NR_sendto:
	case NR_sendmsg:
	case NR_sendmmsg:
	case NR_sendfile:
		if (ret)
			call_sent(CALL_0(regs), ret, flags);
		break;
	case NR_read:
	case NR_readv:
	case NR_recvfrom:
	case NR_recvmsg:
	case NR_recvmmsg:
		if (!(flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)))
			call_received(CALL_0(regs), ret, flags);
		break;
	case NR_splice:
		if (ret > 0) { /* an error may belong to either end */
			call_received(CALL_0(regs), ret, 0);
			call_sent(CALL_2(regs), ret, 0);
		}
		break;
	case NR_accept:
	case NR_accept4:
		if (ret >= 0)
			call_accepted(ret);
		break;
	}
	return 0;
}

/* Its twin, where threads may be preempted in it (core/nested.bpf.h). */
SEC("tp_btf/sys_exit")
int call_done_nested(u64 *ctx)
{
	const struct pt_regs *regs = (const struct pt_regs *)ctx[0];

	if (may_be_on_socket(THIS_CALL(regs)) && may_be_recorded(bpf_get_current_task_btf(), ctx[1]) &&
	    !told_in_thread(TWIN_CALL, TOLD_BY_TWIN))
		bpf_tail_call(ctx, &skipped_call, 0);
	return 0;
}
