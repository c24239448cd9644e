/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Calls of TLS libraries in C, at the places that user space selected in their functions (enum tls_act).
 *
 * The probe at the entry stores the call's arguments. The probe at the return, another place in the function, finds
 * them by the stack pointer that both derive. Calls of two sessions nest (TLS inside TLS), so a thread has room for a
 * few. Nothing in the target changes: no return address, no memory.
 */
#ifndef TAILCAP_BPF_TLS_H
#define TAILCAP_BPF_TLS_H

#include "bpf/session.h"

#define ERR_LIB_SSL 20
#define ALERT_FATAL 2 /* a level */
#define ALERT_CLOSE_NOTIFY 0
#define CALLS_MAX 4

struct tls_call {
	u64 frame; /* stack pointer at the function's first instruction; 0: free */
	u64 object;
	u64 buffer;
	u64 moved; /* address where the library stores the bytes moved; 0: they are the result */
	u64 began;
	u32 asked; /* maximum in bytes; 0: not known */
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
	u32 next; /* the call to drop when there is no room */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct tls_thread);
} tls_threads SEC(".maps");

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

/* Reads a register at once: the verifier refuses a context pointer after arithmetic on it. */
#define REGISTER(regs, name)               \
	({                                 \
		u64 _value = (regs)->name; \
		barrier_var(_value);       \
		_value;                    \
	})

static __always_inline u32 way_of(u8 act)
{
	return act & 1 ? OUT : IN;
}

/* Counts a gap in the session: the beginning or end of a call could not be stored. */
static __always_inline void count_gap(struct task_struct *task, u64 object, u32 way)
{
	struct tls_session *session;
	struct session_key key;

	count_loss(LOSS_SESSION_TABLE, way == OUT ? RECORD_TLS_SEND : RECORD_TLS_RECEIVE);
	fill_key(&key, task, object);
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (session)
		__sync_fetch_and_add(&session->stream.missed, 1);
}

static __always_inline struct tls_call *free_call(struct tls_thread *thread, struct task_struct *task, u64 frame,
						  u64 object, u64 buffer)
{
	struct tls_call *oldest, *same = NULL;

	for (u32 i = 0; i < CALLS_MAX; i++) {
		if (thread->calls[i].frame == frame)
			same = &thread->calls[i];
	}
	if (same) {
		/* An earlier call of this frame ended without a return (an exception), or returned on another thread (a
		 * fibre): the bytes that it moved are not known. */
		if (same->object != object || same->buffer != buffer)
			count_gap(task, same->object, way_of(same->act));
		return same;
	}
	for (u32 i = 0; i < CALLS_MAX; i++) {
		if (!thread->calls[i].frame)
			return &thread->calls[i];
	}
	oldest = &thread->calls[thread->next++ & (CALLS_MAX - 1)];
	count_gap(task, oldest->object, way_of(oldest->act));
	return oldest;
}

SEC("uprobe")
int tls_enter(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tls_thread *thread;
	struct tls_call *call;
	u64 cookie, frame, object, buffer, asked, moved;
	u8 act;

	/* Only targets have one. */
	thread = bpf_task_storage_get(&tls_threads, task, 0, 0);
	cookie = bpf_get_attach_cookie(ctx);
	if (!thread && !whole_target(task)) {
		count_others(cookie);
		return 0;
	}
	act = act_of(cookie);
	object = REGISTER(ctx, di);
	buffer = REGISTER(ctx, si);
	asked = REGISTER(ctx, dx);
	moved = REGISTER(ctx, cx);
	frame = frame_of(REGISTER(ctx, sp), cookie);
	if (!thread)
		thread = bpf_task_storage_get(&tls_threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!thread) {
		count_gap(task, object, way_of(act));
		return 0;
	}
	buffer = act == ACT_WRITE_FILE ? 0 : buffer;
	call = free_call(thread, task, frame, object, buffer);
	call->frame = frame;
	call->object = object;
	call->buffer = buffer;
	call->moved = act == ACT_READ_EX || act == ACT_WRITE_EX ? moved : 0;
	/* A result of 0 means the end only if bytes were asked for; the _ex calls return 0 for every failure. */
	call->asked = act == ACT_READ ? asked : 0;
	call->act = act;
	call->library = library_of(cookie);
	call->told = 0;
	call->began = bpf_ktime_get_ns();
	return 0;
}

/* Bytes moved, from the result; 0: none. */
static __always_inline u32 moved_by(struct task_struct *task, const struct tls_call *call, u64 result)
{
	u64 moved = result;

	if (call->library == TLS_OPENSSL && call->act != ACT_WRITE_FILE)
		moved = (s64)(s32)result;
	if ((s64)moved <= 0)
		return 0;
	if ((call->moved && bpf_probe_read_user(&moved, sizeof(moved), (void *)call->moved)) || moved > 0x7fffffff) {
		count_gap(task, call->object, way_of(call->act));
		return 0;
	}
	return moved;
}

/* The outcome of a completed call. */
struct moved {
	u64 object;
	u64 buffer; /* 0: in no buffer of the caller */
	u64 began;
	u32 length; /* 0: nothing was moved, or another call has recorded it */
	u32 way;
	bool ended; /* the peer has announced that it will send no more */
};

/* False: the beginning of the call was not seen. */
static __always_inline bool call_left(struct task_struct *task, u64 cookie, u64 stack, u64 result, struct moved *moved)
{
	struct tls_thread *thread = bpf_task_storage_get(&tls_threads, task, 0, 0);
	struct tls_call *call = NULL, *around = NULL;
	u64 frame = frame_of(stack, cookie);
	u8 act = act_of(cookie);

	if (!thread)
		return false;
	for (u32 i = 0; i < CALLS_MAX; i++) {
		if (thread->calls[i].frame == frame && thread->calls[i].act == act) {
			call = &thread->calls[i];
			break;
		}
	}
	if (!call)
		return false;
	call->frame = 0;
	moved->object = call->object;
	moved->buffer = call->buffer;
	moved->began = call->began;
	moved->way = way_of(act);
	moved->ended = call->asked && !call->told && !(u32)result;
	moved->length = moved_by(task, call, result);
	if (call->told)
		moved->length = 0;
	if (!moved->length)
		return true;
	for (u32 i = 0; i < CALLS_MAX; i++) {
		if (thread->calls[i].frame > frame && thread->calls[i].object == call->object &&
		    way_of(thread->calls[i].act) == moved->way)
			around = &thread->calls[i];
	}
	if (around)
		around->told = 1;
	return true;
}

/* The session of the thread's innermost call at this stack pointer; 0: none. */
static __always_inline u64 session_at_work(const struct tls_thread *thread, u64 stack, u8 *library)
{
	u64 innermost = ~0ull, object = 0, address;

	for (u32 i = 0; i < CALLS_MAX; i++) {
		if (thread->calls[i].frame > stack && thread->calls[i].frame < innermost) {
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

static __always_inline void handshake_begun(struct task_struct *task, const struct session_key *key,
					    struct tls_session *session, u64 cookie, u64 frame)
{
	struct tls_thread *thread = bpf_task_storage_get(&tls_threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	u64 address = 0;

	if (thread) {
		thread->handshake_frame = 0;
		if (!bpf_probe_read_user(&address, sizeof(address), (void *)frame)) {
			thread->handshake_frame = frame;
			thread->handshake_return = address;
			thread->handshake_object = key->object;
			thread->handshake_library = library_of(cookie);
		}
	}
	if (!session)
		session = new_session(key, library_of(cookie));
	if (!session || session->handshakes >= HANDSHAKES_TOLD)
		return;
	session->prepared = false;
	session->handshakes++;
	tell_step(session, task, STEP_HANDSHAKE, 0, bpf_ktime_get_ns());
}

static __always_inline void error_raised(struct task_struct *task, u64 stack, u64 library_number, s32 reason)
{
	struct tls_session *session;
	struct tls_thread *thread;
	u8 library = TLS_OPENSSL;
	u64 object;

	if ((u32)library_number != ERR_LIB_SSL)
		return;
	thread = bpf_task_storage_get(&tls_threads, task, 0, 0);
	object = thread ? session_at_work(thread, stack, &library) : 0;
	if (!object)
		return;
	session = session_of(task, object, library, bpf_ktime_get_ns());
	if (session)
		tell_step(session, task, STEP_FAILED, reason, bpf_ktime_get_ns());
}

SEC("uprobe")
int tls_event(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tls_session *session;
	struct session_key key;
	u64 cookie, first, second, third, stack;
	u8 act;

	cookie = bpf_get_attach_cookie(ctx);
	if (!whole_target(task)) {
		count_others(cookie);
		return 0;
	}
	act = act_of(cookie);
	first = REGISTER(ctx, di);
	second = REGISTER(ctx, si);
	third = REGISTER(ctx, dx);
	stack = REGISTER(ctx, sp);
	if (act == ACT_ERROR || act == ACT_ERROR_OLD) {
		/* OpenSSL 3 has flags above the reason's 23 bits */
		error_raised(task, stack, first, (act == ACT_ERROR ? second : third) & 0x7fffff);
		return 0;
	}
	fill_key(&key, task, first);
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (act == ACT_PREPARE) {
		if (!session)
			session = new_session(&key, library_of(cookie));
		if (session && !session->stream.direction[OUT].counted && !session->stream.direction[IN].counted)
			session->prepared = true;
		return 0;
	}
	if (act == ACT_HANDSHAKE) {
		handshake_begun(task, &key, session, cookie, frame_of(stack, cookie));
		return 0;
	}
	if (!session)
		return 0;
	switch (act) {
	case ACT_CLEAR:
		if (!session->stream.direction[OUT].counted && !session->stream.direction[IN].counted)
			break;
		tell_step(session, task, STEP_FREED, 0, bpf_ktime_get_ns());
		forget_session(&key);
		break;
	case ACT_FREE:
		tell_step(session, task, STEP_FREED, 0, bpf_ktime_get_ns());
		forget_session(&key);
		break;
	case ACT_SHUTDOWN:
		tell_step(session, task, STEP_SHUTDOWN, 0, bpf_ktime_get_ns());
		break;
	case ACT_ALERT:
		if ((u32)second == ALERT_FATAL)
			tell_step(session, task, STEP_FAILED, (u8)third, bpf_ktime_get_ns());
		break;
	}
	return 0;
}

#endif
