// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/net/socket.bpf.h"

struct sockets sockets SEC(".maps");

__u64 own_cookies = 0;
const volatile __u8 tell_held = false;
__u32 held_epoch = 0;

#ifndef OLDER_KERNEL /* connections are not sampled there */

__noinline u32 tell_left_out(struct socket_state *state)
{
	struct record_state *record;

	if (!state)
		return 0;
	record = reserve(sizeof(*record), RECORD_STATE_CHANGE, &state->missed);
	if (!record)
		return 0;
	fill_head_by(&record->h, 0, 0, RECORD_STATE_CHANGE, bpf_ktime_get_ns());
	record->socket = state->cookie;
	record->error = 0;
	record->from = 0;
	record->to = STATE_LEFT_OUT;
	record->flags = 0;
	record->unused = 0;
	record->queue = 0;
	record->rtt = 0;
	bpf_ringbuf_submit(record, wake_flag(record->h.time));
	return 1;
}

/* Like a connection that was open before the recording: positions in messages are not known any more. */
static __always_inline void join_late(struct socket_state *state)
{
	for (u32 way = OUT; way <= IN; way++) {
		struct direction_state *direction = &state->direction[way];

		direction->budget = payload_limit;
		direction->begun = 0;
		__builtin_memset(&direction->frames, 0, sizeof(direction->frames));
	}
	state->framing = FRAMING_NONE;
	state->origin = ORIGIN_EXISTED;
	state->connect_time = 0;
	tell_socket((const struct sock *)state->self, state, 0);
}

/* A connection that is being made, or closed, is not joined. An MPTCP one, which counts its bytes from their beginning,
 * never is. */
static __always_inline bool may_join(const struct socket_state *state)
{
	const struct sock *sk = (const struct sock *)state->self;
	u8 tcp;

	if (state->family == AF_UNIX)
		return true;
	if (state->counts)
		return false;
	tcp = BPF_CORE_READ(sk, __sk_common.skc_state);
	return tcp == TCP_ESTABLISHED || tcp == TCP_CLOSE_WAIT || tcp == TCP_FIN_WAIT1 || tcp == TCP_FIN_WAIT2;
}

__noinline u32 choose_again(struct socket_state *state)
{
	u32 epoch = *(volatile u32 *)&sampling_epoch, was, choice;

	if (!state)
		return CHOICE_NONE;
	was = state->choice;
	choice = choose_connection(state->self, state->family, 0);
	/* without its addresses, it stays as it is */
	if (choice == CHOICE_NONE)
		return was;
	if (choice == CHOICE_RECORDED && was == CHOICE_LEFT_OUT && !may_join(state))
		return was;
	state->chosen_in = epoch;
	if (choice == was || __sync_val_compare_and_swap(&state->choice, was, choice) != was)
		return choice;
	if (choice == CHOICE_LEFT_OUT)
		tell_left_out(state);
	else
		join_late(state);
	return choice;
}

#endif
