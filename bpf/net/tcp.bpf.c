// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Events of TCP itself: arrivals, retransmissions, resets, states. Mostly in softirq: the running thread has
 * nothing to do with the socket.
 */
#include "bpf/net/held.bpf.h"
#include "bpf/net/socket.bpf.h"
#include "bpf/core/goroutine.bpf.h"
#include "bpf/core/nested.bpf.h"
#include "bpf/core/program.bpf.h"
#include "bpf/core/target.bpf.h"

static __always_inline void tell_segment(struct socket_state *state, u32 kind, u32 position, u32 length)
{
	struct record_segment *record = reserve(sizeof(*record), kind, &state->missed);

	if (!record)
		return;
	fill_head_by(&record->h, 0, 0, kind, bpf_ktime_get_ns());
	if (kind == RECORD_ARRIVAL)
		record->h.missed = take_missed(&state->missed);
	record->h.length = length;
	record->socket = state->cookie;
	record->position = position;
	record->unused = 0;
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
}

/* The segment's position and end as TCP noted them before processing; a FIN counts as a byte. */
static __always_inline u32 segment_place(struct sk_buff *skb, u32 *length, u32 *acknowledges)
{
	struct tcp_skb_cb *note;
	u32 place;

	if (bpf_rdonly_cast) {
		note = bpf_rdonly_cast(skb->cb, bpf_core_type_id_kernel(struct tcp_skb_cb));
		*length = note->end_seq - note->seq - (note->tcp_flags & TCP_FIN);
		*acknowledges = note->ack_seq;
		return note->seq;
	}
	note = (struct tcp_skb_cb *)skb->cb;
	place = BPF_CORE_READ(note, seq);
	*acknowledges = BPF_CORE_READ(note, ack_seq);
	*length = BPF_CORE_READ(note, end_seq) - place - (BPF_CORE_READ(note, tcp_flags) & TCP_FIN);
	return place;
}

static __always_inline void tell_arrival(void *ctx, struct sock *sk, struct sk_buff *skb, bool is_twin)
{
	struct socket_state *state = bpf_sk_storage_get(&sockets, sk, 0, 0);
	u32 length, place, acknowledges;

	if (!state ||
	    (sampling_limit && state->self == (u64)sk && state->choice == CHOICE_LEFT_OUT && !choice_is_old(state)))
		return;
	place = segment_place(skb, &length, &acknowledges);
	if (state->holds && state->self == (u64)sk)
		acknowledged(state, sk, acknowledges);
	if (!length)
		return;
	if (state->self != (u64)sk && is_subflow(sk, 0))
		return;
	own_socket(state, sk);
	if (is_sampled(state) && may_tell(TWIN_ARRIVAL, ctx, is_twin))
		tell_segment(state, RECORD_ARRIVAL, place, length);
}

SEC("tp_btf/tcp_probe")
int BPF_PROG(arrival, struct sock *sk, struct sk_buff *skb)
{
	if (skb->len <= TCP_HEADER_LENGTH)
		return 0;
	note_event(TWIN_ARRIVAL, ctx, skb, 0);
	tell_arrival(ctx, sk, skb, false);
	return 0;
}

SEC("tp_btf/tcp_probe")
int BPF_PROG(arrival_nested, struct sock *sk, struct sk_buff *skb)
{
	if (skb->len > TCP_HEADER_LENGTH && was_skipped(TWIN_ARRIVAL, ctx, skb, 0))
		tell_arrival(ctx, sk, skb, true);
	return 0;
}

/* A connect that found no free port ends within the call, and TCP notes no error. One without a family gives up an
 * earlier connect. */
#define CONNECT_CALL 42
#define NO_FREE_PORT 99 /* EADDRNOTAVAIL */

static __always_inline int error_of(const struct sock *sk, int from, int to)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs;
	u16 family;

	if (to == TCP_SYN_SENT)
		return 0;
	if (sk->sk_err || from != TCP_SYN_SENT || to != TCP_CLOSE || FIELD(task, flags) & PF_KTHREAD ||
	    IN_32_BIT_CALL(task))
		return sk->sk_err;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	if (CALL_NUMBER(regs) != CONNECT_CALL || bpf_probe_read_user(&family, sizeof(family), (void *)CALL_1(regs)))
		return 0;
	return family ? NO_FREE_PORT : 0;
}

#ifdef OLDER_KERNEL
#define is_still(listener, cookie) (cookie_of(listener) == (cookie))
#else
#define is_still(listener, cookie) ((u64)MEMBER(struct sock, listener, __sk_common.skc_cookie.counter) == (cookie))
#endif

/* A thread that closes a connection may be about to accept the next one. The listener may be gone. */
static __always_inline u32 queue_left(const struct socket_state *state, int to)
{
	const struct sock *listener = state->listener;

	if (!state->listener_cookie || (to != TCP_FIN_WAIT1 && to != TCP_LAST_ACK) ||
	    MEMBER(struct sock, listener, __sk_common.skc_state) != TCP_LISTEN ||
	    !is_still(listener, state->listener_cookie))
		return 0;
	return MEMBER(struct sock, listener, sk_ack_backlog);
}

static __always_inline void tell_state(const struct sock *sk, struct socket_state *state, u32 pid, u32 tid, u64 time,
				       int from, int to)
{
	struct record_state *record = reserve(sizeof(*record), RECORD_STATE_CHANGE, &state->missed);

	if (!record)
		return;
	fill_head_by(&record->h, pid, tid, RECORD_STATE_CHANGE, time);
	record->socket = state->cookie;
	record->error = error_of(sk, from, to);
	record->goroutine = 0;
	record->from = from;
	record->to = to;
	record->flags = tid ? STATE_BY_THREAD : 0;
	record->unused = 0;
	record->queue = tid ? queue_left(state, to) : 0;
	record->rtt = to == TCP_SYN_SENT || state->counts ? 0 : round_trip(sk);
	if (tid && to == TCP_SYN_SENT && pid == FIELD(bpf_get_current_task_btf(), tgid) && !sampling_limit)
		record->goroutine = running_goroutine();
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
}

/* Where connections are sampled: the beginning of its connect, which is emitted when the connection is chosen. */
static __always_inline void tell_connect(const struct sock *sk, struct socket_state *state)
{
	if (!sampling_limit || !state->connect_time)
		return;
	tell_state(sk, state, state->connect_pid, state->connect_tid, state->connect_time, TCP_CLOSE, TCP_SYN_SENT);
	tell_socket(sk, state, TCP_SYN_SENT);
	state->connect_time = 0;
}

/* A connection that a listener has just put into its queue. */
static __always_inline void tell_queued(const struct sock *sk, struct socket_state *state)
{
	struct record_socket *record = reserve(sizeof(*record), RECORD_SOCKET, &state->missed);

	if (!record)
		return;
	fill_socket(record, sk, state, 0);
	record->state = TCP_ESTABLISHED;
	fill_queue(record, state->listener, state->listener_cookie);
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
}

static __always_inline void tell_retransmit(const struct sock *sk, struct sk_buff *skb, struct socket_state *state)
{
	struct record_retransmit *record = reserve(sizeof(*record), RECORD_RETRANSMIT, &state->missed);
	struct tcp_skb_cb *note = (struct tcp_skb_cb *)skb->cb;

	if (!record)
		return;
	fill_head_by(&record->h, 0, 0, RECORD_RETRANSMIT, bpf_ktime_get_ns());
	record->h.length = skb->len; /* in the write queue only the payload */
	record->socket = state->cookie;
	record->position = BPF_CORE_READ(note, seq);
	record->interface = route_interface(sk);
	record->segment = BPF_CORE_READ(note, tcp_gso_segs) > 1 ? BPF_CORE_READ(note, tcp_gso_size) : skb->len;
	record->path_mtu = MEMBER(struct tcp_sock, sk, inet_conn.icsk_pmtu_cookie);
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmit, struct sock *sk, struct sk_buff *skb)
{
	struct socket_state *state = bpf_sk_storage_get(&sockets, sk, 0, 0);

	if (!state || (state->self != (u64)sk && is_subflow(sk, 0)))
		return 0;
	own_socket(state, sk);
	if (!is_sampled(state))
		return 0;
	tell_connect(sk, state);
	tell_retransmit(sk, skb, state);
	return 0;
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(reset_sent, struct sock *sk)
{
	struct socket_state *state;

	if (!sk)
		return 0;
	state = bpf_sk_storage_get(&sockets, sk, 0, 0);
	if (state && state->self == (u64)sk && is_sampled(state))
		tell_segment(state, RECORD_RESET, 0, 0);
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(reset_received, struct sock *sk)
{
	struct socket_state *state = bpf_sk_storage_get(&sockets, sk, 0, 0);

	if (state && state->self == (u64)sk && is_sampled(state)) {
		tell_connect(sk, state);
		tell_segment(state, RECORD_RESET, 1, 0);
	}
	return 0;
}

/* Only a thread that closes, connects or listens causes these. */
static __always_inline bool made_by_thread(int from, int to)
{
	return to == TCP_SYN_SENT || to == TCP_LISTEN || (from == TCP_LISTEN && to == TCP_CLOSE) ||
	       (from == TCP_ESTABLISHED && to == TCP_FIN_WAIT1) || (from == TCP_CLOSE_WAIT && to == TCP_LAST_ACK);
}

/* Where connections are sampled: a connect begins before the kernel chooses its port, and so before it is known
 * whether the connection is recorded. */
static __always_inline void note_connect(struct socket_state *state, const struct task_struct *task)
{
	state->choice = CHOICE_NONE; /* of a socket that was connected before, a new connection */
	state->connect_time = bpf_ktime_get_ns();
	state->connect_pid = FIELD(task, tgid);
	state->connect_tid = FIELD(task, pid);
}

static __always_inline void tell_change(void *ctx, struct sock *sk, int from, int to, bool is_twin)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct socket_state *state = bpf_sk_storage_get(&sockets, sk, 0, 0);
	const struct sock *listener = NULL;
	u64 listener_cookie = 0;
	bool by_thread;

	/* A listener's child is still being created: up to 6.12 at least it still has the listener's cookie, which
	 * would be kept for good. Its change to ESTABLISHED follows at once. */
	if (from == TCP_LISTEN && to == TCP_SYN_RECV) {
		inherit_storage(sk);
		return;
	}
	if (is_subflow(sk, from == TCP_LISTEN ? TCP_LISTEN : to))
		return;
	if (!state) {
		if (to != TCP_SYN_SENT && to != TCP_LISTEN)
			return;
		if (FIELD(task, tgid) == self_tgid || (!on_wanted_port(sk) && !whole_target(task)))
			return;
		state = make_socket(sk, to == TCP_LISTEN ? ORIGIN_LISTENER : ORIGIN_CONNECTED);
		if (!state)
			return;
	}
	/* The storage is still its listener's, which exists while it makes its child. Where connections are sampled,
	 * those that are recorded do not tell the order of the queue. */
	if (!sampling_limit && state->self != (u64)sk && from == TCP_SYN_RECV && to == TCP_ESTABLISHED &&
	    !state->counts) {
		listener = (const struct sock *)state->self;
		listener_cookie = state->cookie;
	}
	own_socket(state, sk);
	if (state->holds)
		held_at_change(state, sk, from);
	if (listener) {
		state->listener = listener;
		state->listener_cookie = listener_cookie;
	}
	if (sampling_limit && to == TCP_SYN_SENT)
		note_connect(state, task);
	if (sampling_limit && to == TCP_LISTEN)
		state->origin = ORIGIN_LISTENER;
	if (from == TCP_SYN_SENT && to == TCP_CLOSE && may_choose(state))
		choose_closed(state);
	if (!is_sampled(state) || !may_tell(TWIN_STATE_CHANGE, ctx, is_twin))
		return;
	if (to != TCP_SYN_SENT)
		tell_connect(sk, state);
	state->connect_time = 0;
	if (from == TCP_SYN_SENT && to == TCP_ESTABLISHED && !state->counts) /* before its first send */
		state->direction[OUT].counted = POSITION_KNOWN | MEMBER(struct tcp_sock, sk, write_seq);
	by_thread = made_by_thread(from, to);
	tell_state(sk, state, by_thread ? FIELD(task, tgid) : 0, by_thread ? FIELD(task, pid) : 0, bpf_ktime_get_ns(),
		   from, to);
	if (listener)
		tell_queued(sk, state);
	else if (to == TCP_SYN_SENT || to == TCP_ESTABLISHED || to == TCP_LISTEN)
		tell_socket(sk, state, to);
	if (by_thread)
		touched_port(task);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_change, struct sock *sk, int from, int to)
{
	note_event(TWIN_STATE_CHANGE, ctx, sk, to);
	tell_change(ctx, sk, from, to, false);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_change_nested, struct sock *sk, int from, int to)
{
	if (was_skipped(TWIN_STATE_CHANGE, ctx, sk, to))
		tell_change(ctx, sk, from, to, true);
	return 0;
}

#ifdef OLDER_KERNEL
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(socket_freed, struct sock *sk)
{
	u64 address = (u64)sk;

	bpf_map_delete_elem(&sockets, &address);
	return 0;
}
#endif
