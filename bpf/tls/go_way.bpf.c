// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/tls/go_way.bpf.h"

struct go_shaking go_shaking SEC(".maps");

__u32 tls_data_epochs[OTHERS_FILES_MAX] = {};
__u64 go_handshakes_open = 0; /* begun, and not known to have ended */

/* A tls.Conn begins with the connection below it, an interface. QUIC has none: its records are in no socket's stream.
 */
static __always_inline bool of_quic(u64 object)
{
	u64 below;

	return !bpf_probe_read_user(&below, sizeof(below), (void *)object) && !below;
}

/* False: it cannot be kept. */
static __always_inline bool keep_handshake(struct task_struct *task, u64 goroutine, u64 object)
{
	struct goroutine_key key = {.goroutine = goroutine, .memory = (u64)POINTER_IN(struct task_struct, task, mm)};
	struct go_handshakes *known = bpf_map_lookup_elem(&go_shaking, &key);
	struct go_handshakes fresh;

	__sync_fetch_and_add(&go_handshakes_open, 1);
	if (known && known->depth == 1) {
		known->objects[1] = object;
		known->depth = 2;
		return true;
	}
	if (known) {
		if (known->depth) { /* the outer one failed, or goes on without a known beginning */
			known->objects[0] = known->objects[1];
			known->objects[1] = object;
			__sync_fetch_and_add(&go_handshakes_open, -1);
		} else {
			known->objects[0] = object;
			known->depth = 1;
		}
		return true;
	}
	__builtin_memset(&fresh, 0, sizeof(fresh));
	fresh.objects[0] = object;
	fresh.depth = 1;
	return !bpf_map_update_elem(&go_shaking, &key, &fresh, BPF_ANY);
}

__noinline int go_session_begins(u64 object, u64 goroutine, u64 cookie)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool whole = tls_data_probes[OTHERS_FILE(cookie)], quic = of_quic(object), kept;
	struct tls_session *session;
	struct session_key key;

	kept = keep_handshake(task, goroutine, quic ? 0 : object);
	fill_key(&key, task, object);
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (session) { /* this memory belonged to an earlier connection */
		tell_step(session, task, STEP_FREED, 0, bpf_ktime_get_ns());
		forget_session(&key);
	}
	if (quic)
		return 0;
	session = new_session(&key, TLS_GO, kept && !process_by_probes(task) ? WAY_KEYS : WAY_PROBES);
	if (!session) {
		cannot_keep_session();
		return 0;
	}
	session->begun = true;
	session->whole = whole;
	if (session->way == WAY_KEYS)
		return 0;
	if (whole)
		tell_step(session, task, STEP_HANDSHAKE, 0, bpf_ktime_get_ns());
	else
		goes_over(session);
	return 0;
}

__noinline u64 go_session_deriving(u64 goroutine, u64 cookie, u64 how)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct goroutine_key of = {.goroutine = goroutine, .memory = (u64)POINTER_IN(struct task_struct, task, mm)};
	struct go_handshakes *known = bpf_map_lookup_elem(&go_shaking, &of);
	struct tls_session *session;
	struct session_key key;
	u64 object;
	u32 depth;

	depth = known ? known->depth : 0;
	if (!known || !depth) {
		/* It was under way when the probes came; or its beginning was forgotten, and neither way reads it. */
		if (!is_older(task, cookie) || go_handshakes_open >= GO_HANDSHAKES_KEPT)
			count_loss(LOSS_SESSION_TABLE, RECORD_TLS_RECEIVE);
		return TLS_LEFT_TO_PROBES | TLS_UNDER_WAY;
	}
	object = known->objects[depth == 2];
	if (how & GO_LAST) {
		known->depth = depth - 1;
		__sync_fetch_and_add(&go_handshakes_open, -1);
	}
	if (!object)
		return GO_WITHOUT_SOCKET;
	fill_key(&key, task, object);
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (!session) { /* evicted meanwhile */
		session = new_session(&key, TLS_GO, WAY_KEYS);
		if (!session) {
			cannot_keep_session();
			return TLS_LEFT_TO_PROBES;
		}
		session->begun = true;
	}
	return session_as_derived(session, how & GO_UNREADABLE);
}
