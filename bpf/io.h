/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Tier A: sends and receives, at the tracepoints where the kernel reports their completion (since 6.3).
 */
#ifndef TAILCAP_BPF_IO_H
#define TAILCAP_BPF_IO_H

#include "bpf/frames.h"
#include "bpf/goroutine.h"
#include "bpf/socket.h"
#include "bpf/target.h"
#include <bpf/bpf_tracing.h>

#define OUT 0
#define IN 1

/* No bytes were moved and there is no error: the caller will try again. */
static __always_inline bool try_again(int ret)
{
	return ret == -EAGAIN || ret == -EINTR || ret == -EINPROGRESS || ret == -EALREADY ||
	       (ret <= -ERESTARTSYS && ret >= -ERESTART_LAST);
}

/* copied_seq includes the FIN once the reader has reached it; the peer's FIN is the last sequence number. */
static __always_inline u32 next_in(const struct sock *sk, const struct tcp_sock *tcp)
{
	u32 copied = tcp->copied_seq;

	if (sk->__sk_common.skc_flags & (1 << SOCK_DONE_BIT) && copied == tcp->rcv_nxt)
		copied--;
	return copied;
}

static __always_inline void fill_io(struct record_io *record, const struct socket_state *state,
				    const struct task_struct *task, u64 position, int ret, u32 way, u16 syscall)
{
	fill_head(&record->h, task, way == OUT ? RECORD_SEND : RECORD_RECEIVE, bpf_ktime_get_ns());
	record->h.length = ret > 0 ? ret : 0;
	record->socket = state->cookie;
	record->position = position;
	record->error = ret < 0 ? -ret : 0;
	record->syscall = syscall;
	record->flags = 0;
	record->head = 0;
	record->tail = 0;
	record->unused = 0;
	record->goroutine = running_goroutine();
}

/* The usual cases, which need no scratch memory: one piece that is kept whole, or nothing to keep. room is a constant,
 * so ring records have few sizes. */
static __always_inline void emit_small(struct socket_state *state, struct task_struct *task, u64 position, int ret,
				       u32 way, const struct source *from, const u32 room)
{
	struct record_io *record =
		reserve(sizeof(*record) + room, way == OUT ? RECORD_SEND : RECORD_RECEIVE, &state->missed);
	u8 *data = (u8 *)(record + 1);
	u32 length = ret;

	if (!record)
		return;
	fill_io(record, state, task, position, ret, way, from->syscall);
	record->h.missed = take_missed(&state->missed);
	record->payload = from->payload;
	if (room) {
		barrier_var(length);
		if (length > room || bpf_probe_read_user(data, length, (void *)from->base)) {
			record->payload = PAYLOAD_FAULT;
		} else {
			record->head = length;
			keep_budget(state, way, data, length);
		}
	}
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
}

/* All other cases: several pieces, or more bytes than are always kept. */
static __always_inline void emit_large(struct socket_state *state, struct task_struct *task, u64 position, int ret,
				       u32 way, const struct source *from)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	struct record_io *record;
	u32 bytes;
	u64 flags;

	if (!scratch)
		return;
	record = &scratch->record;
	fill_io(record, state, task, position, ret, way, from->syscall);
	bytes = keep_payload(scratch, way, from, record->h.length, state);
	record->h.missed = take_missed(&state->missed);
	flags = wake_flag(record->h.time);
	barrier_var(bytes);
	if (bytes > HEAD_MAX + TAIL_SIZE) /* impossible; the verifier must see the check */
		bytes = 0;
	if (output(record, sizeof(*record) + bytes, flags)) {
		count_loss(LOSS_RING_FULL, way == OUT ? RECORD_SEND : RECORD_RECEIVE);
		__sync_fetch_and_add(&state->missed, record->h.missed + 1);
	}
}

/* Emits an I/O of a connection with known frames. False: the frames of this I/O cannot be followed. */
static __always_inline bool emit_frames(struct socket_state *state, struct task_struct *task, u64 position, int ret,
					u32 way, const struct source *from)
{
	struct io_scratch *scratch = bpf_map_lookup_elem(&scratches, &way);
	struct record_io *record;

	if (!scratch)
		return true;
	record = &scratch->record;
	fill_io(record, state, task, position, ret, way, from->syscall);
	record->payload = from->payload;
	record->h.missed = take_missed(&state->missed);
	if (walk_frames(scratch, state, way, position, ret, from, 0))
		return true;
	if (record->h.missed)
		__sync_fetch_and_add(&state->missed, record->h.missed);
	return false;
}

/* In io_uring's own system call, or in one of its threads: the location of the bytes is not known here. */
static __always_inline bool by_uring(const struct task_struct *task, const struct pt_regs *regs)
{
	return task->flags & PF_IO_WORKER || regs->orig_ax == NR_io_uring_enter;
}

/* instead: why the caller's buffer does not hold the bytes on the wire; 0: it does. */
static __always_inline void emit_io(struct socket_state *state, struct task_struct *task, u64 position, int ret,
				    u32 way, u8 instead)
{
	const struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	struct source from;
	bool bulk = false;

	find_source(way, task, regs, !payload_limit || ret <= 0, &from);
	if (instead && from.payload == PAYLOAD_CAPTURED)
		from.payload = instead;
	if (from.payload == PAYLOAD_NO_BUFFER && ret > 0 && by_uring(task, regs)) {
		count_unrecorded(task->tgid, UNRECORDED_URING, ret, !state->uring);
		state->uring = true;
	}
	if (!payload_limit)
		from.payload = PAYLOAD_OFF;
	if (from.payload == PAYLOAD_CAPTURED && ret > 0 && all_bulk(state, way, position, ret))
		bulk = true;
	else if (from.payload == PAYLOAD_CAPTURED && ret > 0 && (state->framing || !state->direction[way].begun) &&
		 emit_frames(state, task, position, ret, way, &from))
		return;
	if (state->framing && ret > 0 && (bulk || from.payload != PAYLOAD_CAPTURED))
		step_over(state, way, position, ret);
	if (bulk || from.payload != PAYLOAD_CAPTURED || ret <= 0)
		emit_small(state, task, position, ret, way, &from, 0);
	else if (from.segments != 1 || (u32)ret > at_least(state, way))
		emit_large(state, task, position, ret, way, &from);
	else if (ret <= 64)
		emit_small(state, task, position, ret, way, &from, 64);
	else if (ret <= 256)
		emit_small(state, task, position, ret, way, &from, 256);
	else if (ret <= 512)
		emit_small(state, task, position, ret, way, &from, 512);
	else
		emit_large(state, task, position, ret, way, &from);
}

/* A message of sendmmsg: its index follows only from the messages before it. An error ends the call, so the next call
 * begins with its first message. */
static __always_inline void batch_source(struct socket_state *state, const struct pt_regs *regs, u32 length,
					 struct source *from)
{
	u64 vector = regs->si;
	u32 count = regs->dx, i = 0;
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
static __always_inline void emit_datagram(struct socket_state *state, struct task_struct *task, int ret, u32 way)
{
	const struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
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

/* Null unless the socket is recorded. sk is trusted: a tracepoint's argument. */
#define io_socket(sk, task)                                                                          \
	({                                                                                           \
		struct socket_state *_found = bpf_sk_storage_get(&sockets, (sk), 0, 0);              \
		if (_found) {                                                                        \
			own_socket(_found, sk);                                                      \
			touched_port(task);                                                          \
		} else if (on_wanted_port(sk) || whole_target(task)) {                               \
			struct socket *_socket = (sk)->sk_socket;                                    \
			/* a socket of the kernel's own, used on behalf of some call, has no file */ \
			if (_socket && _socket->file) {                                              \
				_found = make_socket(sk, ORIGIN_UNKNOWN);                            \
				if (_found) {                                                        \
					tell_socket(sk, _found, 0);                                  \
					touched_port(task);                                          \
				}                                                                    \
			}                                                                            \
		}                                                                                    \
		_found;                                                                              \
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

SEC("tp_btf/sock_send_length")
int BPF_PROG(io_send, struct sock *sk, int ret, int flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct socket_state *state;
	struct tcp_sock *tcp;
	u8 instead = 0;
	u64 position;

	if (ret < 0 && sk->sk_type == SOCK_DGRAM)
		end_batch(bpf_sk_storage_get(&sockets, sk, 0, 0));
	if (task->tgid == self_tgid || !ret || try_again(ret))
		return 0;
	state = io_socket(sk, task);
	if (!state) {
		note_unrecorded(sk, task, ret);
		return 0;
	}
	if (state->type == SOCK_DGRAM) {
		emit_datagram(state, task, ret, OUT);
		return 0;
	}
	if (state->counts) {
		begin_mptcp(sk, state);
		position = ret > 0 ? __sync_fetch_and_add(&state->direction[OUT].counted, (u64)ret)
				   : state->direction[OUT].counted;
		position = counted_position(state, position);
	} else {
		tcp = bpf_skc_to_tcp_sock(sk);
		if (!tcp)
			return 0;
		position = (u32)(tcp->write_seq - (ret > 0 ? ret : 0));
		/* kernel TLS and similar: lengths count plaintext, positions count ciphertext */
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
	/* 0 is the end of the stream only if either end shut it down: a read into an empty buffer also returns 0 */
	if (!ret && !(sk->sk_shutdown & RCV_SHUTDOWN))
		return 0;
	state = io_socket(sk, task);
	if (!state) {
		note_unrecorded(sk, task, ret);
		return 0;
	}
	if (state->type == SOCK_DGRAM) {
		emit_datagram(state, task, ret, IN);
		return 0;
	}
	if (state->counts) {
		begin_mptcp(sk, state);
		position = ret > 0 ? __sync_fetch_and_add(&state->direction[IN].counted, (u64)ret)
				   : state->direction[IN].counted;
		position = counted_position(state, position);
	} else {
		tcp = bpf_skc_to_tcp_sock(sk);
		if (!tcp)
			return 0;
		position = (u32)(next_in(sk, tcp) - (ret > 0 ? ret : 0));
		if (tcp->inet_conn.icsk_ulp_ops)
			instead = PAYLOAD_UNSUPPORTED;
	}
	if (flags & MSG_TRUNC) /* discarded, not copied */
		instead = PAYLOAD_NO_BUFFER;
	emit_io(state, task, position, ret, IN, instead);
	return 0;
}

#endif
