// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/tls/way.bpf.h"

/* Bytes of all keys of TLS 1.2 with AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305. Ciphers with a MAC of their own
 * need more. */
#define KEY_BLOCK_AES_128 40
#define KEY_BLOCK_AES_256 72
#define KEY_BLOCK_CHACHA 88

const volatile __u8 tls_auto = false;

struct tls_threads tls_threads SEC(".maps");
struct tls_to_probes tls_to_probes SEC(".maps");

__u8 tls_data_probes[OTHERS_FILES_MAX] = {};

static __always_inline bool has_moved(const struct tls_session *session)
{
	return session->stream.direction[OUT].counted || session->stream.direction[IN].counted;
}

__noinline int session_begins(u64 object, u64 cookie)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool whole = tls_data_probes[OTHERS_FILE(cookie)];
	struct tls_session *session;
	struct session_key key;

	fill_key(&key, task, object);
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (session && session->way == WAY_KEYS) {
		session->begun = true;
		session->whole = whole;
		return 0;
	}
	if (session && session->way == WAY_PROBES) {
		if (act_of(cookie) == ACT_PREPARE || !has_moved(session))
			return 0;
		tell_step(session, task, STEP_FREED, 0, bpf_ktime_get_ns());
	}
	if (session)
		forget_session(&key);
	session = new_session(&key, TLS_OPENSSL, process_by_probes(task) ? WAY_PROBES : WAY_KEYS);
	if (!session) {
		cannot_keep_session();
		return 0;
	}
	session->begun = true;
	session->whole = whole;
	if (session->way == WAY_PROBES) {
		session->prepared = whole;
		if (!whole)
			goes_over(session);
	}
	return 0;
}

/* Its handshake began before. */
__noinline int session_goes_on(u64 object, u64 cookie)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tls_session *session;
	struct session_key key;

	fill_key(&key, task, object);
	if (bpf_map_lookup_elem(&tls_sessions, &key) || !tls_data_probes[OTHERS_FILE(cookie)] ||
	    !is_older(task, cookie))
		return 0;
	session = new_session(&key, TLS_OPENSSL, WAY_PROBES);
	if (session)
		session->untold = true;
	return 0;
}

__noinline int taken_by_probes(u64 object, u64 cookie)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tls_session *session;
	struct session_key key;
	bool older;

	fill_key(&key, task, object);
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (!session) {
		older = is_older(task, cookie);
		session = new_session(&key, library_of(cookie), older ? WAY_PROBES : WAY_NEITHER);
		if (!session)
			return 0;
		session->untold = true;
		if (!older)
			count_loss(LOSS_SESSION_TABLE, RECORD_TLS_RECEIVE);
		return older;
	}
	if (session->way != WAY_KEYS)
		return session->way == WAY_PROBES;
	if (!bpf_map_lookup_elem(&tls_to_probes, &session->stream.cookie) && !process_by_probes(task))
		return 0;
	goes_over(session);
	return 1;
}

__noinline u64 session_deriving(u64 stack, u64 key_block)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tls_session *session;
	struct tls_thread *thread;
	struct session_key key;
	u8 library;
	u64 object;

	thread = bpf_task_storage_get(&tls_threads, task, 0, 0);
	object = thread ? session_at_work(thread, stack, &library) : 0;
	if (!object)
		return 0;
	fill_key(&key, task, object);
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (!session) {
		/* The process became a target during the handshake, and no probes read it. */
		session = new_session(&key, TLS_OPENSSL, WAY_KEYS);
		if (!session) {
			cannot_keep_session();
			return 0;
		}
	}
	return session_as_derived(session, key_block && key_block != KEY_BLOCK_AES_128 &&
						   key_block != KEY_BLOCK_AES_256 && key_block != KEY_BLOCK_CHACHA);
}
