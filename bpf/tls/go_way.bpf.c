// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/tls/go_way.bpf.h"

struct go_shaking go_shaking SEC(".maps");

__u32 tls_data_epochs[OTHERS_FILES_MAX] = {};

/* Handshakes that began in this stretch of time and in the one before, and are not known to have ended. Those that
 * failed are counted for as long: no handshake takes longer. */
#define STRETCH_BITS 37 /* of ns: 137 s */
__u64 go_handshakes_open[2] = {};
__u32 go_handshakes_stretch = 0; /* of the last one that began */

static __always_inline u32 stretch_now(void)
{
	return bpf_ktime_get_ns() >> STRETCH_BITS;
}

static __always_inline void count_begun(u32 now)
{
	u32 last = go_handshakes_stretch;

	if (last != now && __sync_val_compare_and_swap(&go_handshakes_stretch, last, now) == last) {
		go_handshakes_open[now & 1] = 0;
		if (last + 1 != now)
			go_handshakes_open[~now & 1] = 0;
	}
	__sync_fetch_and_add(&go_handshakes_open[now & 1], 1);
}

static __always_inline void count_ended(u32 began)
{
	u32 last = go_handshakes_stretch;

	if (began == last || began + 1 == last)
		__sync_fetch_and_add(&go_handshakes_open[began & 1], -1);
}

/* There are, or were lately, so many that one of them may have lost its place. */
static __always_inline bool handshakes_forgotten(void)
{
	u32 now = stretch_now(), last = go_handshakes_stretch;
	u64 open = 0;

	if (now == last || now == last + 1)
		open = go_handshakes_open[last & 1];
	if (now == last)
		open += go_handshakes_open[~last & 1];
	return open >= GO_HANDSHAKES_KEPT;
}

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
	u32 now = stretch_now();
	struct go_handshakes fresh;

	count_begun(now);
	if (known && known->depth == 1) {
		known->objects[1] = object;
		known->depth = 2;
		known->began = now;
		return true;
	}
	if (known) { /* the outer one failed, or goes on without a known beginning */
		count_ended(known->began);
		known->objects[0] = known->objects[1];
		known->objects[1] = object;
		known->began = now;
		return true;
	}
	__builtin_memset(&fresh, 0, sizeof(fresh));
	fresh.objects[0] = object;
	fresh.depth = 1;
	fresh.began = now;
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

	if (!known) {
		/* It was under way when the probes came; or its beginning was forgotten, and neither way reads it. */
		if (!is_older(task, cookie) || handshakes_forgotten())
			count_loss(LOSS_SESSION_TABLE, RECORD_TLS_RECEIVE);
		return TLS_LEFT_TO_PROBES | TLS_UNDER_WAY;
	}
	depth = known->depth;
	object = known->objects[depth == 2];
	if (how & GO_LAST) {
		count_ended(known->began);
		if (depth == 2)
			known->depth = 1;
		else
			bpf_map_delete_elem(&go_shaking, &of);
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
