// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Calls of TLS libraries in C, at the places that user space selected in their functions (enum tls_act).
 */
#include "bpf/core/thread_stack.bpf.h"
#include "bpf/tls/way.bpf.h"

#define ERR_LIB_SSL 20

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

	KEEP_THREAD_STACK(ctx, after_probe);
	/* Only targets have one. */
	thread = bpf_task_storage_get(&tls_threads, task, 0, 0);
	cookie = bpf_get_attach_cookie(ctx);
	if (!thread && !whole_target(task)) {
		count_others(cookie);
		return 0;
	}
	act = act_of(cookie);
	object = REGISTER(ctx, C_0);
	buffer = REGISTER(ctx, C_1);
	asked = REGISTER(ctx, C_2);
	moved = REGISTER(ctx, C_3);
	frame = frame_of(REGISTER(ctx, STACK_POINTER), cookie);
	if (!thread)
		thread = bpf_task_storage_get(&tls_threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!thread) {
		count_gap(task, object, way_of(act));
		return 0;
	}
	buffer = act == ACT_WRITE_FILE ? 0 : buffer;
	if (calls_are_old(thread->epoch)) {
		for (u32 i = 0; i < CALLS_MAX; i++)
			thread->calls[i].frame = 0;
		thread->epoch = plaintext_seen_since();
	}
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
	call->address = tls_auto && cookie & TLS_BY_KEYS ? user_word(frame) : 0;
	call->began = bpf_ktime_get_ns();
	return 0;
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
	if (!session && !(tls_auto && cookie & TLS_BY_KEYS)) /* where it may have begun before, its keys tell */
		session = new_session(key, library_of(cookie), WAY_PROBES);
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

	KEEP_THREAD_STACK(ctx, after_probe);
	cookie = bpf_get_attach_cookie(ctx);
	if (!whole_target(task)) {
		count_others(cookie);
		return 0;
	}
	act = act_of(cookie);
	first = REGISTER(ctx, C_0);
	second = REGISTER(ctx, C_1);
	third = REGISTER(ctx, C_2);
	stack = REGISTER(ctx, STACK_POINTER);
	if (act == ACT_ERROR || act == ACT_ERROR_OLD) {
		/* OpenSSL 3 has flags above the reason's 23 bits */
		error_raised(task, stack, first, (act == ACT_ERROR ? second : third) & 0x7fffff);
		return 0;
	}
	if (tls_auto && cookie & TLS_BY_KEYS && (act == ACT_PREPARE || act == ACT_CLEAR)) {
		session_begins(first, cookie);
		return 0;
	}
	if (tls_auto && cookie & TLS_BY_KEYS && act == ACT_HANDSHAKE)
		session_goes_on(first, cookie);
	fill_key(&key, task, first);
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (act == ACT_PREPARE) {
		if (!session)
			session = new_session(&key, library_of(cookie), WAY_PROBES);
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
