// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Calls of Go's crypto/tls, at the places that user space has chosen in its functions (enum tls_act).
 */
#include "bpf/core/thread_stack.bpf.h"
#include "bpf/tls/go_way.bpf.h"

struct go_goroutines go_goroutines SEC(".maps");

SEC("uprobe")
int go_enter(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 object, buffer;
	struct goroutine_key key;
	struct go_calls *calls;
	struct go_stack stack;
	struct go_call *call;
	u32 way, depth, pid;

	KEEP_THREAD_STACK(ctx, after_probe);
	if (!whole_target(task)) {
		count_others(bpf_get_attach_cookie(ctx));
		return 0;
	}
	if (grows_stack(ctx, bpf_get_attach_cookie(ctx) & TLS_SKIP_CONDITION))
		return 0;
	way = way_of(act_of(bpf_get_attach_cookie(ctx)));
	object = REGISTER(ctx, GO_0);
	buffer = REGISTER(ctx, GO_1);
	key.goroutine = REGISTER(ctx, GO_GOROUTINE);
	key.memory = (u64)POINTER_IN(struct task_struct, task, mm);
	calls = bpf_map_lookup_elem(&go_goroutines, &key);
	if (!calls) {
		struct go_calls none;

		__builtin_memset(&none, 0, sizeof(none));
		bpf_map_update_elem(&go_goroutines, &key, &none, BPF_ANY);
		calls = bpf_map_lookup_elem(&go_goroutines, &key);
	}
	pid = task->tgid;
	if (calls && (calls->pid != pid || go_calls_are_old(calls, bpf_get_attach_cookie(ctx)))) {
		calls->depth = 0;
		calls->pid = pid;
		calls->epoch = go_calls_epoch(bpf_get_attach_cookie(ctx));
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

SEC("uprobe")
int go_event(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tls_session *session;
	struct session_key key;
	u64 cookie, now, object, second;
	u8 act;

	KEEP_THREAD_STACK(ctx, after_probe);
	if (!whole_target(task)) {
		count_others(bpf_get_attach_cookie(ctx));
		return 0;
	}
	cookie = bpf_get_attach_cookie(ctx);
	if (grows_stack(ctx, cookie & TLS_SKIP_CONDITION))
		return 0;
	act = act_of(cookie);
	object = REGISTER(ctx, GO_0);
	second = REGISTER(ctx, GO_1);
	now = bpf_ktime_get_ns();
	if (tls_auto && cookie & TLS_BY_KEYS && act == ACT_HANDSHAKE) {
		go_session_begins(object, REGISTER(ctx, GO_GOROUTINE), cookie);
		return 0;
	}
	fill_key(&key, task, object);
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (act == ACT_HANDSHAKE) {
		/* A session per connection: this memory belonged to an earlier connection. */
		if (session) {
			tell_step(session, task, STEP_FREED, 0, now);
			forget_session(&key);
		}
		session = new_session(&key, TLS_GO, WAY_PROBES);
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
