/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Calls of Go's crypto/tls, at the places that user space has chosen in its functions (enum tls_act).
 *
 * As bpf/tls.h, but for two things. A goroutine may return on another thread than it called on, so calls are kept by
 * goroutine (R14 holds it in all Go code from 1.17 on). And stacks move when they grow: a buffer on one is remembered
 * by its distance from the stack's upper end, which is what moving preserves.
 */
#ifndef TAILCAP_BPF_TLS_GO_H
#define TAILCAP_BPF_TLS_GO_H

#include "bpf/tls.h"

#define GO_CALLS_MAX 3

struct go_call {
	u64 object;
	u64 buffer; /* or its distance below the upper end of the stack */
	u64 began;
	u8 way;
	u8 on_stack;
};

/* The calls that a goroutine is in, innermost last. */
struct go_calls {
	struct go_call calls[GO_CALLS_MAX];
	u32 depth;
	u32 unused;
};

struct goroutine_key {
	u64 goroutine;
	u64 memory; /* struct mm_struct */
};

/* Not an LRU map: a goroutine may wait in a read for hours. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 131072);
	__type(key, struct goroutine_key);
	__type(value, struct go_calls);
} go_goroutines SEC(".maps");

/* runtime.g begins with the bounds of its stack. */
struct go_stack {
	u64 low;
	u64 high;
};

SEC("uprobe")
int go_enter(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 object, buffer;
	struct goroutine_key key;
	struct go_calls *calls;
	struct go_stack stack;
	struct go_call *call;
	u32 way, depth;

	if (!whole_target(task)) {
		count_others(bpf_get_attach_cookie(ctx));
		return 0;
	}
	way = way_of(act_of(bpf_get_attach_cookie(ctx)));
	object = REGISTER(ctx, ax);
	buffer = REGISTER(ctx, bx);
	key.goroutine = REGISTER(ctx, r14);
	key.memory = (u64)task->mm;
	calls = bpf_map_lookup_elem(&go_goroutines, &key);
	if (!calls) {
		struct go_calls none;

		__builtin_memset(&none, 0, sizeof(none));
		bpf_map_update_elem(&go_goroutines, &key, &none, BPF_ANY);
		calls = bpf_map_lookup_elem(&go_goroutines, &key);
	}
	depth = calls ? calls->depth : GO_CALLS_MAX;
	if (!calls || depth >= GO_CALLS_MAX) {
		count_gap(task, object, way);
		return 0;
	}
	call = &calls->calls[depth];
	call->object = object;
	call->way = way;
	call->on_stack = 0;
	call->buffer = buffer;
	if (!bpf_probe_read_user(&stack, sizeof(stack), (void *)key.goroutine) && buffer >= stack.low &&
	    buffer < stack.high) {
		call->on_stack = 1;
		call->buffer = stack.high - buffer;
	}
	call->began = bpf_ktime_get_ns();
	calls->depth = depth + 1;
	return 0;
}

/* False: not a call whose entry was seen. */
static __always_inline bool goroutine_left(struct task_struct *task, u64 cookie, u64 goroutine, s64 result,
					   struct moved *moved)
{
	struct goroutine_key key = {.goroutine = goroutine, .memory = (u64)task->mm};
	struct go_calls *calls = bpf_map_lookup_elem(&go_goroutines, &key);
	struct go_stack stack;
	struct go_call call;
	u32 depth;

	if (!calls)
		return false;
	moved->way = way_of(act_of(cookie));
	/* The innermost call of this kind; a panic ended those above it. */
	depth = calls->depth;
	for (u32 i = 0; i < GO_CALLS_MAX; i++) {
		if (depth == 0 || depth > GO_CALLS_MAX)
			return false;
		depth--;
		if (depth < GO_CALLS_MAX && calls->calls[depth].way == moved->way)
			break;
		if (i + 1 == GO_CALLS_MAX)
			return false;
	}
	if (depth >= GO_CALLS_MAX)
		return false;
	call = calls->calls[depth];
	calls->depth = depth;
	if (!depth)
		bpf_map_delete_elem(&go_goroutines, &key);
	if (call.on_stack)
		call.buffer =
			bpf_probe_read_user(&stack, sizeof(stack), (void *)goroutine) ? 0 : stack.high - call.buffer;
	moved->object = call.object;
	moved->buffer = call.buffer;
	moved->began = call.began;
	moved->length = 0;
	moved->ended = false; /* 0 bytes come with any error */
	if (result > 0x7fffffff)
		count_gap(task, call.object, moved->way);
	else if (result > 0)
		moved->length = result;
	return true;
}

/* One program for C and Go: most of it is the same. */
SEC("uprobe")
int tls_return(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 cookie, result, stack, goroutine;
	struct tls_session *session;
	struct moved moved;
	u8 library;

	cookie = bpf_get_attach_cookie(ctx);
	library = library_of(cookie);
	if (library == TLS_GO && !task_state(task)) /* of the others, only targets have calls */
		return 0;
	result = REGISTER(ctx, ax);
	stack = REGISTER(ctx, sp);
	goroutine = REGISTER(ctx, r14);
	if (library == TLS_GO ? !goroutine_left(task, cookie, goroutine, result, &moved)
			      : !call_left(task, cookie, stack, result, &moved))
		return 0;
	/* Event loops usually call without effect. */
	if (!moved.length && !moved.ended)
		return 0;
	session = session_of(task, moved.object, library, moved.began);
	if (session)
		emit_plaintext(session, task, moved.way, moved.buffer, moved.length, moved.began);
	return 0;
}

SEC("uprobe")
int go_event(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tls_session *session;
	struct session_key key;
	u64 now, object, second;
	u8 act;

	if (!whole_target(task)) {
		count_others(bpf_get_attach_cookie(ctx));
		return 0;
	}
	act = act_of(bpf_get_attach_cookie(ctx));
	object = REGISTER(ctx, ax);
	second = REGISTER(ctx, bx);
	now = bpf_ktime_get_ns();
	fill_key(&key, task, object);
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (act == ACT_HANDSHAKE) {
		/* A session per connection: this memory belonged to an earlier connection. */
		if (session) {
			tell_step(session, task, STEP_FREED, 0, now);
			forget_session(&key);
		}
		session = new_session(&key, TLS_GO);
		if (session)
			tell_step(session, task, STEP_HANDSHAKE, 0, now);
		return 0;
	}
	if (!session)
		return 0;
	if (act == ACT_SHUTDOWN)
		tell_step(session, task, STEP_SHUTDOWN, 0, now);
	else if (act == ACT_ALERT_NUMBER && (u8)second != ALERT_CLOSE_NOTIFY)
		tell_step(session, task, STEP_FAILED, (u8)second, now);
	return 0;
}

#endif
