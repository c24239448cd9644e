/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Why TCP accepted no more bytes while a thread waited to write them. TCP itself accounts for the time that the peer's
 * window stopped it, in ticks of the kernel's clock.
 */
#ifndef TAILCAP_BPF_SCHED_SENDING_H
#define TAILCAP_BPF_SCHED_SENDING_H

#include "bpf/net/socket_state.bpf.h"
#include "bpf/net/window.bpf.h"
#include "bpf/sched/stall.bpf.h"
#include "bpf/core/target.bpf.h"
#include <bpf/bpf_core_read.h>

/* Shorter waits are not recorded: one tick of error would decide. */
#define SENDING_TICKS_MIN 4

static __always_inline bool writes(u64 nr)
{
	return nr == NR_write || nr == NR_writev || nr == NR_sendto || nr == NR_sendmsg || nr == NR_sendfile;
}

/* The thread switches out in a call that writes to this socket. */
static __always_inline void sending_stops(struct sending_state *sending, struct sock *sk)
{
	u32 now = bpf_jiffies64();

	if (MEMBER(struct sock, sk, sk_protocol) != IPPROTO_TCP ||
	    !bpf_core_field_exists(((struct tcp_sock *)sk)->chrono_stat))
		return;
	/* All is sent, and fills the buffer until it is acknowledged: nothing keeps TCP from sending. */
	if (MEMBER(struct tcp_sock, sk, write_seq) == MEMBER(struct tcp_sock, sk, snd_nxt))
		return;
	sending->socket = (u64)sk;
	sending->since = now;
	sending->window = window_ticks((struct tcp_sock *)sk, now);
}

/* The thread is woken. In that call it holds the socket's descriptor, so the socket still exists. */
static __always_inline void sending_goes_on(struct task_state *state, struct task_struct *task, u64 now)
{
	u32 ticks, window, tick;

	if (!state->sending.socket)
		return;
	tick = bpf_jiffies64();
	ticks = tick - state->sending.since;
	window = window_ticks((struct tcp_sock *)state->sending.socket, tick) - state->sending.window;
	state->sending.socket = 0;
	if (ticks < SENDING_TICKS_MIN || ticks > 1 << 24)
		return;
	if (window > ticks)
		window = ticks;
	emit_stall(task, window * 2 > ticks ? STALL_PEER_WINDOW : STALL_CONGESTION, state->off_cpu.left, now,
		   state->off_cpu.socket, window * 100 / ticks);
}

#endif
