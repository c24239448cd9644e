/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Tier A: sends and receives, where the kernel says that they are done (since 6.3).
 */
#ifndef TAILCAP_BPF_IO_H
#define TAILCAP_BPF_IO_H

#include "bpf/payload.h"
#include "bpf/socket.h"
#include "bpf/target.h"
#include <bpf/bpf_tracing.h>

#define OUT 0
#define IN 1

/* Nothing was moved and nothing is wrong: the caller will come again. */
static __always_inline bool try_again(int ret)
{
	return ret == -EAGAIN || ret == -EINTR || ret == -EINPROGRESS || ret == -EALREADY ||
	       (ret <= -ERESTARTSYS && ret >= -ERESTART_LAST);
}

/* copied_seq counts the FIN too, once the reader has come to it; the peer's FIN is the last number there is. */
static __always_inline u32 next_in(const struct sock *sk, const struct tcp_sock *tcp)
{
	u32 copied = tcp->copied_seq;

	if (sk->__sk_common.skc_flags & (1 << SOCK_DONE_BIT) && copied == tcp->rcv_nxt)
		copied--;
	return copied;
}

/* instead: why the caller's buffer does not hold what went over the wire; 0: it does. */
static __always_inline void emit_io(struct socket_state *state, struct task_struct *task, u64 position, int ret,
				    u32 way, u8 instead)
{
	struct direction_state *direction = &state->direction[way];
	u32 kind = way == OUT ? RECORD_SEND : RECORD_RECEIVE, bytes = 0;
	struct io_scratch *scratch;
	struct record_io *record;
	struct source from;
	u64 flags;
	u16 missed;

	scratch = bpf_map_lookup_elem(&scratches, &way);
	if (!scratch)
		return;
	record = &scratch->record;
	record->h.time = bpf_ktime_get_ns();
	record->h.pid = task->tgid;
	record->h.tid = task->pid;
	record->h.kind = kind;
	record->h.length = ret > 0 ? ret : 0;
	record->socket = state->cookie;
	record->position = position;
	record->error = ret < 0 ? -ret : 0;
	record->flags = 0;
	record->head = 0;
	record->tail = 0;
	record->unused = 0;
	find_source(scratch, task, (struct pt_regs *)bpf_task_pt_regs(task), &from);
	record->syscall = from.syscall;
	if (!payload_limit) {
		record->payload = PAYLOAD_OFF;
	} else {
		if (instead && from.payload == PAYLOAD_CAPTURED)
			from.payload = instead;
		bytes = keep_payload(scratch, way, &from, record->h.length, direction);
	}
	missed = take_missed(&state->missed);
	record->h.missed = missed;
	flags = wake_flag();
	barrier_var(bytes);
	if (bytes > HEAD_MAX + TAIL_SIZE) /* cannot be; the verifier must see it tested */
		bytes = 0;
	if (bpf_ringbuf_output(&ring, record, sizeof(*record) + bytes, flags)) {
		count_loss(LOSS_RING_FULL, kind);
		__sync_fetch_and_add(&state->missed, missed + 1);
	}
}

/* Null unless the socket is to be recorded. sk is trusted: a tracepoint's argument. */
#define io_socket(sk, task)                                                                                            \
	({                                                                                                             \
		struct socket_state *_found = bpf_sk_storage_get(&sockets, (sk), 0, 0);                                \
		if (_found) {                                                                                          \
			own_socket(_found, sk);                                                                        \
			touched_port(task);                                                                            \
		} else if (on_wanted_port(sk) || whole_target(task)) {                                                 \
			struct socket *_socket = (sk)->sk_socket;                                                      \
			/* a socket of the kernel's own, used on behalf of some call, has no file */                   \
			if (_socket && _socket->file) {                                                                \
				_found = make_socket(sk, ORIGIN_UNKNOWN);                                              \
				if (_found) {                                                                          \
					tell_socket(sk, _found, 0);                                                    \
					touched_port(task);                                                            \
				}                                                                                      \
			}                                                                                              \
		}                                                                                                      \
		_found;                                                                                                \
	})

SEC("tp_btf/sock_send_length")
int BPF_PROG(io_send, struct sock *sk, int ret, int flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct socket_state *state;
	struct tcp_sock *tcp;
	u8 instead = 0;
	u64 position;

	if (task->tgid == self_tgid || !ret || try_again(ret))
		return 0;
	state = io_socket(sk, task);
	if (!state)
		return 0;
	if (state->family == AF_UNIX) {
		position = ret > 0 ? __sync_fetch_and_add(&state->direction[OUT].counted, (u64)ret)
				   : state->direction[OUT].counted;
	} else {
		tcp = bpf_skc_to_tcp_sock(sk);
		if (!tcp)
			return 0;
		position = (u32)(tcp->write_seq - (ret > 0 ? ret : 0));
		/* kernel TLS and its like: lengths are of the plain text, positions of what is sent for it */
		if (tcp->inet_conn.icsk_ulp_ops)
			instead = PAYLOAD_UNSUPPORTED;
	}
	emit_io(state, task, position, ret, OUT, instead);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(io_receive, struct sock *sk, int ret, int flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct socket_state *state;
	struct tcp_sock *tcp;
	u8 instead = 0;
	u64 position;

	if (task->tgid == self_tgid || flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE) || try_again(ret))
		return 0;
	/* 0 is the end of the stream only if the peer, or we, shut it: a read into no buffer returns 0 too */
	if (!ret && !(sk->sk_shutdown & RCV_SHUTDOWN))
		return 0;
	state = io_socket(sk, task);
	if (!state)
		return 0;
	if (state->family == AF_UNIX) {
		position = ret > 0 ? __sync_fetch_and_add(&state->direction[IN].counted, (u64)ret)
				   : state->direction[IN].counted;
	} else {
		tcp = bpf_skc_to_tcp_sock(sk);
		if (!tcp)
			return 0;
		position = (u32)(next_in(sk, tcp) - (ret > 0 ? ret : 0));
		if (tcp->inet_conn.icsk_ulp_ops)
			instead = PAYLOAD_UNSUPPORTED;
	}
	if (flags & MSG_TRUNC) /* thrown away, not copied */
		instead = PAYLOAD_NO_BUFFER;
	emit_io(state, task, position, ret, IN, instead);
	return 0;
}

#endif
