// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tier A: sends and receives, at the tracepoints where the kernel reports their completion (since 6.3).
 */
#include "bpf/core/nested.bpf.h"
#include "bpf/core/program.bpf.h"
#include "bpf/net/held.bpf.h"
#include "bpf/net/io.bpf.h"

/* What their twins go on with: the programs themselves. */
struct {
	ONE_PROGRAM;
} skipped_send SEC(".maps");

struct {
	ONE_PROGRAM;
} skipped_receive SEC(".maps");

/* A member of a TCP socket. Each call of the kernel costs some 20 ns, bpf_skc_to_tcp_sock as well. */
#define TCP_MEMBER(sk, member) MEMBER(struct tcp_sock, sk, member)

/* copied_seq includes the FIN once the reader has reached it; the peer's FIN is the last sequence number. */
static __always_inline u32 next_in(const struct sock *sk)
{
	u32 copied = TCP_MEMBER(sk, copied_seq);

	if (sk->__sk_common.skc_flags & (1 << SOCK_DONE_BIT) && copied == TCP_MEMBER(sk, rcv_nxt))
		copied--;
	return copied;
}

/* A message of sendmmsg: its index follows only from the messages before it. An error ends the call, so the next call
 * begins with its first message. */
static __always_inline void batch_source(struct socket_state *state, const struct pt_regs *regs, u32 length,
					 struct source *from)
{
	u64 vector = CALL_1(regs);
	u32 count = CALL_2(regs), i = 0;
	struct user_msghdr header;

	if (state->batch == vector && state->batch_next < count)
		i = state->batch_next;
	state->batch_next = i + 1;
	state->batch = i + 1 < count ? vector : 0;
	if (i >= 16 || bpf_probe_read_user(&header, sizeof(header), (void *)(vector + i * 64)) ||
	    header.iov_length != 1)
		return;
	if (read_segments(OUT, header.iov, 1, from) && from->size == length)
		from->payload = PAYLOAD_CAPTURED;
}

/* Each datagram is kept from its beginning; there are few, and only of name servers. */
static __always_inline void emit_datagram(struct socket_state *state, struct task_struct *task,
					  const struct pt_regs *regs, int ret, u32 way)
{
	u64 position = state->direction[way].counted;
	struct source from;

	if (ret > 0)
		state->direction[way].counted += ret;
	find_source(way, task, regs, !payload_limit || ret <= 0, &from);
	if (way == OUT && from.payload == PAYLOAD_UNSUPPORTED && from.syscall == NR_sendmmsg && ret > 0)
		batch_source(state, regs, ret, &from);
	if (!payload_limit)
		from.payload = PAYLOAD_OFF;
	state->direction[way].budget = payload_limit;
	if (from.payload == PAYLOAD_CAPTURED && ret > 0)
		emit_large(state, task, position, ret, way, &from);
	else
		emit_small(state, task, position, ret, way, &from, 0);
}

static __always_inline void end_batch(struct socket_state *state)
{
	if (state)
		state->batch = 0;
}

/* The socket, if its connection is recorded. tells: it has not been described. */
static __always_inline struct socket_state *chosen_socket(struct socket_state *state, const struct sock *sk,
							  struct task_struct *task, bool tells)
{
	bool chosen = is_sampled_from_here(state);

	moved_on(state, task);
	if (!chosen)
		return NULL;
	if (tells)
		tell_socket(sk, state, 0);
	touched_port(task);
	return state;
}

/* The tracepoint has none of a send. */
static __always_inline u32 send_flags(const struct pt_regs *regs)
{
	u64 nr = CALL_NUMBER(regs);

	return nr == NR_sendto ? CALL_3(regs) : nr == NR_sendmsg ? CALL_2(regs) : 0;
}

/* Null unless the socket is recorded. sk is trusted: a tracepoint's argument. */
#define io_socket(sk, task)                                                             \
	({                                                                              \
		struct socket_state *_found = bpf_sk_storage_get(&sockets, (sk), 0, 0); \
		if (_found) {                                                           \
			bool _new;                                                      \
			own_socket(_found, sk);                                         \
			_new = may_choose(_found);                                      \
			_found = chosen_socket(_found, sk, task, _new);                 \
		} else if (on_wanted_port(sk) || whole_target(task)) {                  \
			if (has_file(sk)) {                                             \
				_found = make_socket(sk, ORIGIN_UNKNOWN);               \
				if (_found)                                             \
					_found = chosen_socket(_found, sk, task, true); \
			}                                                               \
		}                                                                       \
		_found;                                                                 \
	})

/* The addresses of an accepted MPTCP socket are set late: they are recorded with the first bytes. */
static __always_inline void begin_mptcp(const struct sock *sk, struct socket_state *state)
{
	if (state->family != AF_UNIX && !state->direction[OUT].counted && !state->direction[IN].counted)
		tell_socket(sk, state, 0);
}

/* 32 bits, as for TCP. */
static __always_inline u64 counted_position(const struct socket_state *state, u64 position)
{
	return state->family == AF_UNIX ? position : (u32)position;
}

/* TCP keeps the mark until there is room again. */
static __always_inline bool has_no_room(struct sock *sk)
{
	struct socket *socket = MEMBER(struct sock, sk, sk_socket);

	return socket && MEMBER(struct socket, socket, flags) & (1 << SOCK_NOSPACE_BIT);
}

/* The position behind the last send. */
static __always_inline void note_end(struct socket_state *state, u32 end)
{
	state->direction[OUT].counted = POSITION_KNOWN | end;
}

struct sock___added {
	void *sk_user_data;
} __attribute__((preserve_access_index));

#define USER_DATA_PSOCK 4 /* a map of sockets has it, whose program may add to what it sends; since 6.0 */

/* Bytes before `begin` that the kernel's program of this socket added to this send: as many as tailcap-inject adds,
 * behind the send before it. Others are a gap. */
static __always_inline u32 added_to(const struct socket_state *state, const struct sock *sk, u32 begin)
{
	u64 known = state->direction[OUT].counted;
	u32 added = begin - (u32)known;

	if (!(known & POSITION_KNOWN) || !added || added > ADDED_MOST * ADDED_BYTES || added % ADDED_BYTES)
		return 0;
	return (u64)BPF_CORE_READ((const struct sock___added *)sk, sk_user_data) & USER_DATA_PSOCK ? added : 0;
}

/* Their places in the send are not known: they are recorded behind it. */
static __always_inline void emit_added(struct socket_state *state, const struct task_struct *task, u32 position,
				       u32 added)
{
	struct record_io *record = reserve(sizeof(*record), RECORD_SEND, &state->missed);

	if (!record)
		return;
	fill_io(record, state, task, position, added, OUT, NO_SYSCALL);
	record->h.missed = take_missed(&state->missed);
	record->payload = PAYLOAD_ADDED;
	record->flags = IO_CONTINUED;
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(io_send, struct sock *sk, int ret, int flags)
{
	const struct pt_regs *regs;
	struct socket_state *state;
	struct task_struct *task;
	u32 urgent, written, added = 0;
	u8 instead = 0;
	u64 position;

	KEEP_THREAD_STACK(ctx, skipped_send);
	if (ret < 0 && sk->sk_type == SOCK_DGRAM)
		end_batch(bpf_sk_storage_get(&sockets, sk, 0, 0));
	if (ret == -EAGAIN && tell_stalls && sk->sk_type != SOCK_DGRAM) {
		state = bpf_sk_storage_get(&sockets, sk, 0, 0);
		if (state && is_sampled_from_here(state))
			emit_full(bpf_get_current_task_btf(), state->cookie);
		return 0;
	}
	if (!ret || try_again(ret))
		return 0;
	task = bpf_get_current_task_btf();
	if (task->tgid == self_tgid)
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	state = io_socket(sk, task);
	if (state && may_be_preempted)
		note_in_thread(TWIN_SEND);
	urgent = urgent_byte(ret, send_flags(regs));
	if (urgent && ret == 1)
		return 0;
	ret -= urgent;
	if (!state) {
		note_unrecorded(sk, task, ret);
		return 0;
	}
	if (state->type == SOCK_DGRAM) {
		emit_datagram(state, task, regs, ret, OUT);
		return 0;
	}
	if (state->counts) {
		begin_mptcp(sk, state);
		position = ret > 0 ? __sync_fetch_and_add(&state->direction[OUT].counted, (u64)ret)
				   : state->direction[OUT].counted;
		position = counted_position(state, position);
	} else {
		if (sk->sk_protocol != IPPROTO_TCP)
			return 0;
		written = TCP_MEMBER(sk, write_seq);
		position = (u32)(written - urgent - (ret > 0 ? ret : 0));
		if (ret > 0) {
			added = added_to(state, sk, position);
			note_end(state, position + ret + urgent);
			position = (u32)(position - added);
		}
		if (tell_held)
			note_held(state, sk, task, written);
		/* kernel TLS and similar: lengths count plaintext, positions count ciphertext */
		if (TCP_MEMBER(sk, inet_conn.icsk_ulp_ops))
			instead = PAYLOAD_UNSUPPORTED;
	}
	if (tell_stalls && !state->counts && has_no_room(sk))
		emit_full(task, state->cookie);
	emit_io(state, task, regs, position, ret, OUT, instead);
	if (added)
		emit_added(state, task, position + ret, added);
	return 0;
}

/* 0 is the end of the stream only if either end shut it down: a read into an empty buffer also returns 0. */
static __always_inline bool reads_stream(const struct sock *sk, int ret, int flags)
{
	return !(flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)) && !try_again(ret) &&
	       (ret || sk->sk_shutdown & RCV_SHUTDOWN);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(io_receive, struct sock *sk, int ret, int flags)
{
	const struct pt_regs *regs;
	struct socket_state *state;
	struct task_struct *task;
	u8 instead = 0;
	u64 position;

	KEEP_THREAD_STACK(ctx, skipped_receive);
	if (!reads_stream(sk, ret, flags))
		return 0;
	task = bpf_get_current_task_btf();
	if (task->tgid == self_tgid)
		return 0;
	state = io_socket(sk, task);
	if (!state) {
		note_unrecorded(sk, task, ret);
		return 0;
	}
	if (may_be_preempted)
		note_in_thread(TWIN_RECEIVE);
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	if (state->type == SOCK_DGRAM) {
		emit_datagram(state, task, regs, ret, IN);
		return 0;
	}
	if (state->counts) {
		begin_mptcp(sk, state);
		position = ret > 0 ? __sync_fetch_and_add(&state->direction[IN].counted, (u64)ret)
				   : state->direction[IN].counted;
		position = counted_position(state, position);
	} else {
		if (sk->sk_protocol != IPPROTO_TCP)
			return 0;
		position = (u32)(next_in(sk) - (ret > 0 ? ret : 0));
		if (TCP_MEMBER(sk, inet_conn.icsk_ulp_ops))
			instead = PAYLOAD_UNSUPPORTED;
	}
	if (flags & MSG_TRUNC) /* discarded, not copied */
		instead = PAYLOAD_NO_BUFFER;
	emit_io(state, task, regs, position, ret, IN, instead);
	return 0;
}

/* For the twins of the two, where threads may be preempted in them (core/nested.bpf.h): whether to go on with the
 * program, which makes a state for each socket that it records. Where connections are sampled, it may choose otherwise
 * than the twin, and so notes the event again. */
static __always_inline bool was_left_to_twin(enum twin twin, struct sock *sk)
{
	struct socket_state *state = bpf_sk_storage_get(&sockets, sk, 0, 0);

	if (state)
		return state->self == (u64)sk && is_sampled(state) &&
		       !told_in_thread(twin, sampling_limit ? TOLD_NOTHING : TOLD_BY_TWIN);
	return !sampling_limit && (sk->sk_protocol == IPPROTO_TCP || sk->__sk_common.skc_family == AF_UNIX) &&
	       (on_wanted_port(sk) || whole_target(bpf_get_current_task_btf())) && has_file(sk) &&
	       !told_in_thread(twin, TOLD_BY_TWIN);
}

SEC("tp_btf/sock_send_length")
int io_send_nested(u64 *ctx)
{
	int ret = ctx[1];

	if (ret && !try_again(ret) && was_left_to_twin(TWIN_SEND, (struct sock *)ctx[0]))
		bpf_tail_call(ctx, &skipped_send, 0);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int io_receive_nested(u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];

	if (reads_stream(sk, ctx[1], ctx[2]) && was_left_to_twin(TWIN_RECEIVE, sk))
		bpf_tail_call(ctx, &skipped_receive, 0);
	return 0;
}
