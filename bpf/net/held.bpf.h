/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Bytes that a program has sent and TCP has not: behind Nagle's algorithm, or because the peer's window or the network
 * takes no more. Noted where a send leaves some, and recorded once TCP has sent them, if that takes long. All other
 * connections pay for a flag in a cache line that is read anyway.
 */
#ifndef TAILCAP_BPF_NET_HELD_H
#define TAILCAP_BPF_NET_HELD_H

#include "bpf/core/record.bpf.h"
#include "bpf/net/socket.bpf.h"
#include "bpf/net/window.bpf.h"

/* Shorter ones are not recorded, ns: a quarter of the shortest delay of an acknowledgement. */
#define HELD_MIN 10000000

/* In the detail of a stall: until the end of the connection was acknowledged. */
#define HELD_CLOSING 0x80

#define TCP_OF(sk, member) MEMBER(struct tcp_sock, sk, member)

static __always_inline bool before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/* A segment that is not full waits until the last such one is acknowledged (RFC 9293, 3.7.4; the kernel compares with
 * the last that was not full). Nothing else keeps it back. */
static __always_inline bool nagle_holds(const struct sock *sk, u32 written, u32 sent, u32 acknowledged)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	u32 small = TCP_OF(sk, snd_sml);

	return written - sent < TCP_OF(sk, mss_cache) && before(acknowledged, small) && !before(sent, small) &&
	       written - acknowledged <= TCP_OF(sk, snd_wnd) && TCP_OF(sk, packets_out) < TCP_OF(sk, snd_cwnd) &&
	       !BPF_CORE_READ_BITFIELD_PROBED(tcp, nonagle);
}

static __always_inline void begin_held(struct socket_state *state, const struct sock *sk,
				       const struct task_struct *task, u32 written, u32 sent)
{
	struct held_state *held = &state->held;
	u32 acknowledged = TCP_OF(sk, snd_una);

	/* Without TCP's timestamps, segments that only acknowledge are not looked at. */
	if (!bpf_core_field_exists(((struct tcp_sock *)sk)->chrono_stat) ||
	    TCP_OF(sk, tcp_header_len) <= TCP_HEADER_LENGTH)
		return;
	state->holds = nagle_holds(sk, written, sent, acknowledged) ? HOLDS_NAGLE : HOLDS_UNDELIVERED;
	held->since = held->acknowledged = bpf_ktime_get_ns();
	held->pid = FIELD(task, tgid);
	held->tid = FIELD(task, pid);
	held->sent = sent;
	held->ends = TCP_OF(sk, snd_sml);
	held->epoch = held_epoch;
	held->ticks = bpf_jiffies64();
	held->window = window_ticks((struct tcp_sock *)sk, held->ticks);
}

/* A thread has sent bytes on this TCP socket. */
static __always_inline void note_held(struct socket_state *state, const struct sock *sk, const struct task_struct *task,
				      u32 written)
{
	u32 sent = TCP_OF(sk, snd_nxt);

	if (sent == written && !state->holds)
		return;
	/* A segment was filled, and left. */
	if (state->holds &&
	    ((state->holds == HOLDS_NAGLE && sent != state->held.sent) || state->held.epoch != held_epoch))
		state->holds = HOLDS_NOTHING;
	if (sent != written && state->holds == HOLDS_NOTHING)
		begin_held(state, sk, task, written, sent);
}

static __always_inline void emit_held(struct socket_state *state, u32 what, u32 detail, u64 until)
{
	struct held_state *held = &state->held;
	struct record_stall *record;

	state->holds = HOLDS_NOTHING;
	if (until - held->since < HELD_MIN || held->epoch != held_epoch)
		return;
	record = reserve(sizeof(*record), RECORD_STALL, NULL);
	if (!record)
		return;
	fill_head_by(&record->h, held->pid, held->tid, RECORD_STALL, until);
	record->began = held->since;
	record->where = state->cookie;
	record->detail = detail;
	record->what = what;
	bpf_ringbuf_submit(record, wake_flag(until));
}

/* How many per cent of the time the peer's window was the reason. */
static __always_inline u32 by_window(const struct held_state *held, const struct sock *sk)
{
	u32 tick = bpf_jiffies64(), ticks = tick - held->ticks;
	u32 window = window_ticks((struct tcp_sock *)sk, tick) - held->window;

	if (!ticks || ticks > 1 << 24)
		return 0;
	return (window > ticks ? ticks : window) * 100 / ticks;
}

/* In us; 0: not known, or too long for the record. */
static __always_inline u32 least_round_trip(const struct sock *sk)
{
	u32 least = TCP_OF(sk, rtt_min.s[0].v);

	return least < 1 << 24 ? least : 0;
}

static __always_inline void emit_undelivered(struct socket_state *state, const struct sock *sk, u32 flags, u64 until)
{
	emit_held(state, STALL_UNDELIVERED, by_window(&state->held, sk) | flags | least_round_trip(sk) << 8, until);
}

/* All up to this position is acknowledged, which TCP has not looked at yet. What it has sent by now, it sent when it
 * looked at the acknowledgement before this one, which may come much later. */
static __always_inline void acknowledged(struct socket_state *state, const struct sock *sk, u32 position)
{
	if (state->holds == HOLDS_NAGLE) {
		if (TCP_OF(sk, snd_nxt) != state->held.sent)
			state->holds = HOLDS_NOTHING;
		else if (!before(position, state->held.ends))
			emit_held(state, STALL_NAGLE, least_round_trip(sk), bpf_ktime_get_ns());
	} else if (TCP_OF(sk, snd_nxt) == TCP_OF(sk, write_seq)) {
		emit_undelivered(state, sk, 0, state->held.acknowledged);
	} else {
		state->held.acknowledged = bpf_ktime_get_ns();
	}
}

/* The connection changes its state. A thread that closes it lets all go that Nagle's algorithm holds. Once it
 * is being closed, the acknowledgement of its end is all that is seen. */
static __always_inline void held_at_change(struct socket_state *state, const struct sock *sk, int from)
{
	bool closing = from == TCP_FIN_WAIT1 || from == TCP_CLOSING || from == TCP_LAST_ACK;

	if (state->holds == HOLDS_NAGLE) {
		if (TCP_OF(sk, snd_nxt) == state->held.sent)
			emit_held(state, STALL_NAGLE, least_round_trip(sk), bpf_ktime_get_ns());
		state->holds = HOLDS_NOTHING;
	} else if (closing && TCP_OF(sk, snd_una) == TCP_OF(sk, write_seq)) {
		emit_undelivered(state, sk, HELD_CLOSING, bpf_ktime_get_ns());
	} else if (!closing && TCP_OF(sk, snd_nxt) == TCP_OF(sk, write_seq)) {
		emit_undelivered(state, sk, 0, state->held.acknowledged);
	}
}

#endif
