/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which connections are recorded where only a part of them is (bpf/event_sampling.h). A connection is chosen as soon as
 * its addresses are known; until then nothing of it is recorded. Listeners and UDP sockets are no connections: they are
 * recorded.
 */
#ifndef TAILCAP_BPF_NET_SAMPLING_H
#define TAILCAP_BPF_NET_SAMPLING_H

#include "bpf/core/goroutine.bpf.h"
#include "bpf/core/settings.bpf.h"
#include "bpf/core/target.bpf.h"
#include "bpf/net/socket_state.bpf.h"

enum choice { CHOICE_NONE, CHOICE_RECORDED, CHOICE_LEFT_OUT };

extern const volatile __u32 sampling_limit; /* 0: all connections are recorded */
extern const volatile __u64 sampling_seed;
extern const volatile __u8 sampling_varies; /* sampling_below takes the place of sampling_limit */
extern const volatile __u8 sampling_tls; /* sessions are bound to sockets, so that those of left-out ones are known */

/* Where the share varies: numbers below are recorded. User space changes it, then raises the epoch. */
extern __u64 sampling_below;
extern __u32 sampling_epoch;

/* Raised before probes at calls of TLS libraries return that were removed for a time. */
extern __u32 plaintext_epoch;

extern __u8 sampling_rests;      /* for now all are recorded */
extern __u64 sampling_counts[2]; /* ends of TCP connections that are recorded, or left out */

/* An enum choice. sock: the address of a struct sock. closed: it has no port any more, but its last one is known. */
__noinline u32 choose_connection(u64 sock, u32 family, u32 closed);
__noinline u32 choose_alone(u64 id);
/* The share has changed: the choice by the present one, with a record of what it changes (bpf/net/socket.bpf.c). */
__noinline u32 choose_again(struct socket_state *state);

static __always_inline bool may_choose(const struct socket_state *state)
{
	return sampling_limit && !state->choice;
}

/* The share has changed since it was chosen. */
static __always_inline bool choice_is_old(const struct socket_state *state)
{
	return sampling_varies && state->chosen_in != *(volatile u32 *)&sampling_epoch;
}

#ifdef OLDER_KERNEL
#define choose_again(state) CHOICE_RECORDED /* never called (bpf/net/socket.bpf.c) */
#define FIRST_CHOICE(state, choice) false
#else
#define FIRST_CHOICE(state, choice) (__sync_val_compare_and_swap(&(state)->choice, CHOICE_NONE, choice) == CHOICE_NONE)
#endif

static __always_inline void chosen_is(struct socket_state *state, u32 choice)
{
	state->chosen_in = *(volatile u32 *)&sampling_epoch;
	if (!choice || !FIRST_CHOICE(state, choice))
		return;
	/* Tier C has a state of its own beside this one; only that has an inode. */
	if (state->family != AF_UNIX && !state->inode)
		__sync_fetch_and_add(&sampling_counts[choice == CHOICE_LEFT_OUT], 1);
}

/* It is recorded, whatever is chosen. */
static __always_inline bool needs_no_choice(const struct socket_state *state)
{
	return !sampling_limit || state->origin == ORIGIN_LISTENER || state->type == SOCK_DGRAM;
}

/* False: the connection is not recorded, or it is not known yet whether it will be. */
static __always_inline bool is_sampled(struct socket_state *state)
{
	if (needs_no_choice(state))
		return true;
	if (!state->choice) {
		/* volatile: the compiler must not pass the pointer that it knows to be there */
		chosen_is(state, choose_connection(*(volatile u64 *)&state->self, state->family, 0));
	} else if (choice_is_old(state)) {
		return choose_again(state) == CHOICE_RECORDED;
	}
	return state->choice == CHOICE_RECORDED;
}

/* The same for bytes that were moved: those with which a connection is recorded again are not. */
static __always_inline bool is_sampled_from_here(struct socket_state *state)
{
	bool was_left_out = sampling_varies && state->choice == CHOICE_LEFT_OUT;

	return is_sampled(state) && !was_left_out;
}

/* The connect failed: perhaps before it had a port. Another rule chooses a part of those. */
static __always_inline void choose_closed(struct socket_state *state)
{
	u32 choice = choose_connection(*(volatile u64 *)&state->self, state->family, 1);

	chosen_is(state, choice ? choice : choose_alone(state->cookie));
}

/* The task moved bytes of this socket: a TLS session whose call is in progress belongs to it. */
static __always_inline void moved_on(const struct socket_state *state, struct task_struct *task)
{
	struct task_state *thread;

	if (!sampling_tls)
		return;
	thread = task_state(task);
	if (!thread)
		return;
	thread->moved_choice = state->choice;
	thread->moved_at = bpf_ktime_get_ns();
	thread->moved_by = running_goroutine();
}

/* The choice of the socket with which the thread moved bytes last, where it did so since then and for this goroutine.
 */
static __always_inline u32 moved_since(struct task_struct *task, u64 began)
{
	struct task_state *thread = task_state(task);

	if (thread && thread->moved_choice && thread->moved_at >= began && thread->moved_by == running_goroutine())
		return thread->moved_choice;
	return CHOICE_NONE;
}

/* The session made the thread's last socket call inside a call of its own that began at this time. */
static __always_inline void bind_session(struct socket_state *session, struct task_struct *task, u64 began)
{
	u32 choice;

	if (!sampling_tls || (session->choice && !sampling_varies))
		return;
	choice = moved_since(task, began);
	if (choice)
		session->choice = choice;
}

/* The same, where the share varies: its connection is recorded again, so it becomes another session. */
static __always_inline bool session_returns(const struct socket_state *session, struct task_struct *task, u64 began)
{
	return sampling_tls && sampling_varies && session->choice == CHOICE_LEFT_OUT &&
	       moved_since(task, began) == CHOICE_RECORDED;
}

static __always_inline bool records_none(void)
{
	return sampling_varies && !*(volatile u64 *)&sampling_below;
}

/* An epoch in which calls of TLS libraries are seen. */
static __always_inline u32 plaintext_seen_since(void)
{
	return *(volatile u32 *)&plaintext_epoch;
}

/* The session may have moved bytes that were not seen: recorded again, it becomes another session. */
static __always_inline bool session_is_old(const struct socket_state *session)
{
	return sampling_varies && session->chosen_in != plaintext_seen_since();
}

/* Where no connection is recorded for a time, nothing says on which socket a session is: none is recorded. */
static __always_inline bool session_left_out(struct socket_state *session)
{
	if (!sampling_tls)
		return false;
	if (records_none())
		session->chosen_in = plaintext_seen_since() - 1;
	return session_is_old(session) || session->choice == CHOICE_LEFT_OUT;
}

#endif
