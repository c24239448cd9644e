// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What Go's crypto/tls derives the keys of a connection from, at two functions that every handshake passes.
 *
 * TLS 1.3: (*Config).writeKeyLog, called with each traffic secret, also where nothing is logged. TLS 1.2:
 * keysFromMasterSecret, also where a session is resumed, which writeKeyLog does not see. User space derives the keys
 * again (capture/decrypt/).
 */
#include "bpf/core/thread_stack.bpf.h"
#include "bpf/tls/go_way.bpf.h"

#define RANDOM 32
#define LABEL_MAX 31 /* the longest that is wanted */

#define WORD(a, b, c, d, e, f, g, h)                                                                    \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 | (u64)(f) << 40 | \
	 (u64)(g) << 48 | (u64)(h) << 56)
#define LABEL_CLIENT_HANDSHAKE WORD('C', 'L', 'I', 'E', 'N', 'T', '_', 'H')
#define LABEL_SERVER_HANDSHAKE WORD('S', 'E', 'R', 'V', 'E', 'R', '_', 'H')
#define LABEL_CLIENT_TRAFFIC WORD('C', 'L', 'I', 'E', 'N', 'T', '_', 'T')
#define LABEL_SERVER_TRAFFIC WORD('S', 'E', 'R', 'V', 'E', 'R', '_', 'T')
#define HANDSHAKE_LENGTH 31 /* CLIENT_HANDSHAKE_TRAFFIC_SECRET */
#define TRAFFIC_LENGTH 23   /* CLIENT_TRAFFIC_SECRET_0 */

struct derivation {
	u64 secret;
	u64 secret_length;
	u64 client_random;
	u64 server_random; /* 0: TLS 1.3 */
	u64 label;         /* the first 8 bytes of it */
	bool unreadable;   /* its records have a MAC of their own */
	bool last;         /* of a handshake */
};

/* False: it is not wanted. */
static __always_inline bool traffic_secret(struct pt_regs *ctx, struct derivation *d)
{
	u64 label = REGISTER(ctx, GO_1), length = REGISTER(ctx, GO_2);
	u64 word = user_word(label);

	if (REGISTER(ctx, GO_4) != RANDOM || length > LABEL_MAX)
		return false;
	d->client_random = REGISTER(ctx, GO_3);
	d->secret = REGISTER(ctx, GO_6);
	d->secret_length = REGISTER(ctx, GO_7);
	d->label = word;
	d->last = word == LABEL_SERVER_TRAFFIC;
	if (word == LABEL_CLIENT_HANDSHAKE || word == LABEL_SERVER_HANDSHAKE)
		return length == HANDSHAKE_LENGTH;
	return (word == LABEL_CLIENT_TRAFFIC || word == LABEL_SERVER_TRAFFIC) && length == TRAFFIC_LENGTH;
}

/* The server's random is the first argument for which x86-64 has no registers left: it is on the stack, behind the
 * return address. */
#if defined(__TARGET_ARCH_arm64)
#define SERVER_RANDOM(ctx, cookie) REGISTER(ctx, regs[8])
#define SERVER_RANDOM_LENGTH(ctx, cookie) REGISTER(ctx, regs[9])
#define MAC_LENGTH(ctx) REGISTER(ctx, regs[11])
#else
#define SERVER_RANDOM(ctx, cookie) user_word(frame_of(REGISTER(ctx, STACK_POINTER), cookie) + 8)
#define SERVER_RANDOM_LENGTH(ctx, cookie) user_word(frame_of(REGISTER(ctx, STACK_POINTER), cookie) + 16)
#define MAC_LENGTH(ctx) REGISTER(ctx, GO_8)
#endif

static __always_inline bool key_expansion(struct pt_regs *ctx, u64 cookie, struct derivation *d)
{
	u64 server = SERVER_RANDOM(ctx, cookie), server_length = SERVER_RANDOM_LENGTH(ctx, cookie);

	if (REGISTER(ctx, GO_6) != RANDOM || server_length != RANDOM)
		return false;
	d->secret = REGISTER(ctx, GO_2);
	d->secret_length = REGISTER(ctx, GO_3);
	d->client_random = REGISTER(ctx, GO_5);
	d->server_random = server;
	d->unreadable = MAC_LENGTH(ctx) != 0;
	d->last = true;
	return true;
}

static __always_inline void fill_label(struct record_tls_secret *record, const struct derivation *d)
{
	if (d->server_random) {
		__builtin_memcpy(record->label, "key expansion", 13);
		record->label_length = 13;
		return;
	}
	record->label_length = 11;
	if (d->label == LABEL_CLIENT_HANDSHAKE)
		__builtin_memcpy(record->label, "c hs secret", 11);
	else if (d->label == LABEL_SERVER_HANDSHAKE)
		__builtin_memcpy(record->label, "s hs secret", 11);
	else if (d->label == LABEL_CLIENT_TRAFFIC)
		__builtin_memcpy(record->label, "c ap secret", 11);
	else
		__builtin_memcpy(record->label, "s ap secret", 11);
}

/* False: it cannot be read. */
static __always_inline bool fill_secret(struct record_tls_secret *record, const struct derivation *d)
{
	u32 size = d->secret_length;

	if (!d->secret_length || d->secret_length > TLS_SECRET_MAX)
		return false;
	barrier_var(size);
	if (size > TLS_SECRET_MAX || bpf_probe_read_user(record->secret, size, (void *)d->secret))
		return false;
	record->secret_length = size;
	if (!d->server_random) {
		record->data_length = RANDOM;
		return !bpf_probe_read_user(record->data, RANDOM, (void *)d->client_random);
	}
	record->data_length = 2 * RANDOM;
	return !bpf_probe_read_user(record->data, RANDOM, (void *)d->server_random) &&
	       !bpf_probe_read_user(record->data + RANDOM, RANDOM, (void *)d->client_random);
}

SEC("uprobe")
int go_secret(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct record_tls_secret *record;
	struct derivation d = {};
	u64 cookie, session = 0;

	KEEP_THREAD_STACK(ctx, after_probe);
	cookie = bpf_get_attach_cookie(ctx);
	if (!whole_target(task)) {
		count_others(cookie);
		return 0;
	}
	if (grows_stack(ctx, cookie & TLS_SKIP_CONDITION))
		return 0;
	if (act_of(cookie) == ACT_KEY_EXPANSION ? !key_expansion(ctx, cookie, &d) : !traffic_secret(ctx, &d))
		return 0;
	if (tls_auto) {
		session = go_session_deriving(REGISTER(ctx, GO_GOROUTINE), cookie,
					      (d.unreadable ? GO_UNREADABLE : 0) | (d.last ? GO_LAST : 0));
		if (session == GO_WITHOUT_SOCKET)
			return 0;
	}
	record = reserve(sizeof(*record), RECORD_TLS_SECRET, NULL);
	if (!record)
		return 0;
	__builtin_memset(record, 0, sizeof(*record));
	fill_head(&record->h, task, RECORD_TLS_SECRET, bpf_ktime_get_ns());
	fill_label(record, &d);
	record->library = TLS_GO;
	record->session = session;
	if (fill_secret(record, &d)) {
		bpf_ringbuf_submit(record, wake_flag(record->h.time));
	} else {
		count_loss(LOSS_UNREADABLE, RECORD_TLS_SECRET);
		__builtin_memset(record->secret, 0, sizeof(record->secret));
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
	}
	return 0;
}
