/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What probes at the functions of TLS libraries have in common: their cookies (enum tls_act), and the calls in
 * progress.
 *
 * The probe at the entry stores the call's arguments. The probe at the return, another place in the function, finds
 * them by the stack pointer that both derive. Calls of two sessions nest (TLS inside TLS), so a thread has room for a
 * few. Nothing in the target changes: no return address, no memory.
 */
#ifndef TAILCAP_BPF_TLS_CALL_H
#define TAILCAP_BPF_TLS_CALL_H

#include "bpf/core/user.bpf.h"
#include "bpf/tls/session.bpf.h"

#define ALERT_FATAL 2 /* a level */
#define ALERT_CLOSE_NOTIFY 0
#define CALLS_MAX 4

struct tls_call {
	u64 frame; /* stack pointer at the function's first instruction; 0: free */
	u64 object;
	u64 buffer;
	u64 moved; /* address where the library stores the bytes moved; 0: they are the result */
	u64 began;
	u64 address; /* to which it returns, where connections are read by keys and by probes; 0: not known */
	u32 asked;   /* maximum in bytes; 0: not known */
	u8 act;
	u8 library;
	u8 told; /* a nested call of the same session has recorded the bytes */
};

/* The calls that a thread has under way. */
struct tls_thread {
	struct tls_call calls[CALLS_MAX];
	/* The handshake that began last. Its end is not seen: it lasts while its return address stays on the stack. */
	u64 handshake_frame;
	u64 handshake_return;
	u64 handshake_object;
	u32 handshake_library;
	u32 next;  /* the call to drop when there is no room */
	u32 epoch; /* plaintext_epoch in which its calls began */
	u32 unused;
};

struct tls_threads {
	TASK_STORAGE(1);
	__type(value, struct tls_thread);
};

extern struct tls_threads tls_threads SEC(".maps");

/* The outcome of a completed call. */
struct moved {
	u64 object;
	u64 buffer; /* 0: in no buffer of the caller */
	u64 began;
	u32 length; /* 0: nothing was moved, or another call has recorded it */
	u32 way;
	bool ended; /* the peer has announced that it will send no more */
};

static __always_inline u8 act_of(u64 cookie)
{
	return cookie >> 32;
}

static __always_inline u8 library_of(u64 cookie)
{
	return cookie >> 40 & 15;
}

static __always_inline u64 frame_of(u64 stack, u64 cookie)
{
	return stack + (s64)(s32)(u32)cookie;
}

static __always_inline u32 way_of(u8 act)
{
	return act & 1 ? OUT : IN;
}

/* Counts a gap in the session: the beginning or end of a call could not be stored. */
static __always_inline void count_gap(struct task_struct *task, u64 object, u32 way)
{
	struct tls_session *session;
	struct session_key key;

	fill_key(&key, task, object);
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (session && session->way == WAY_KEYS)
		return;
	count_loss(LOSS_SESSION_TABLE, way == OUT ? RECORD_TLS_SEND : RECORD_TLS_RECEIVE);
	if (session)
		__sync_fetch_and_add(&session->stream.missed, 1);
}

/* Calls that began before probes were removed for a time: their ends, and later calls, may not have been seen. */
static __always_inline bool calls_are_old(u32 epoch)
{
	return sampling_varies && epoch != plaintext_seen_since();
}

/* The session of the thread's innermost call at this stack pointer; 0: none. */
static __always_inline u64 session_at_work(const struct tls_thread *thread, u64 stack, u8 *library)
{
	u64 innermost = ~0ull, object = 0, address;

	for (u32 i = 0; i < CALLS_MAX; i++) {
		if (calls_are_old(thread->epoch))
			break;
		if (thread->calls[i].frame > stack && thread->calls[i].frame < innermost) {
			/* Its end was not seen if the probes were removed meanwhile. */
			if (thread->calls[i].address && user_word(thread->calls[i].frame) != thread->calls[i].address)
				continue;
			innermost = thread->calls[i].frame;
			object = thread->calls[i].object;
			*library = thread->calls[i].library;
		}
	}
	if (thread->handshake_frame > stack && thread->handshake_frame < innermost &&
	    !bpf_probe_read_user(&address, sizeof(address), (void *)thread->handshake_frame) &&
	    address == thread->handshake_return) {
		object = thread->handshake_object;
		*library = thread->handshake_library;
	}
	return object;
}

#endif
