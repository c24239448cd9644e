// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What OpenSSL 3 derives the keys of a connection from, at the entry of EVP_KDF_derive. One place serves servers and
 * clients; it is passed some twenty times in a handshake and never after it.
 *
 * The inputs are taken, not the keys: they are complete at the entry, and the function ends with a jump, so its end
 * cannot be probed. User space derives the keys again (capture/decrypt/).
 */
#include "bpf/core/thread_stack.bpf.h"
#include "bpf/tls/way.bpf.h"

#define PARAMETERS_MAX 12
#define NAME_MAX 8

/* OSSL_PARAM */
struct parameter {
	u64 name;
	u32 type;
	u32 unused;
	u64 data;
	u64 size;
	u64 returned;
};

/* Names and labels as numbers: compared in one step. */
#define WORD(a, b, c, d, e, f, g, h)                                                                    \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 | (u64)(f) << 40 | \
	 (u64)(g) << 48 | (u64)(h) << 56)
#define NAME_KEY WORD('k', 'e', 'y', 0, 0, 0, 0, 0)
#define NAME_DATA WORD('d', 'a', 't', 'a', 0, 0, 0, 0)
#define NAME_SEED WORD('s', 'e', 'e', 'd', 0, 0, 0, 0)
#define NAME_LABEL WORD('l', 'a', 'b', 'e', 'l', 0, 0, 0)
#define NAME_SECRET WORD('s', 'e', 'c', 'r', 'e', 't', 0, 0)
#define LABEL_EXPANSION WORD('k', 'e', 'y', ' ', 'e', 'x', 'p', 'a')
#define LABEL_HS WORD(0, ' ', 'h', 's', ' ', 't', 'r', 'a')
#define LABEL_AP WORD(0, ' ', 'a', 'p', ' ', 't', 'r', 'a')
#define LABEL_EARLY WORD('c', ' ', 'e', ' ', 't', 'r', 'a', 'f')
#define RANDOM 32
#define EXPANSION 13 /* the length of its label */

/* Reads at most `most` bytes. Returns how many; 0: they are too many, or cannot be read. */
static __always_inline u8 take(u8 *to, const u32 most, const struct parameter *parameter)
{
	u32 size = parameter->size;

	if (!parameter->size || parameter->size > most)
		return 0;
	barrier_var(size);
	if (size > most || bpf_probe_read_user(to, size, (void *)parameter->data))
		return 0;
	return size;
}

static __always_inline bool wanted_label(const struct record_tls_secret *record)
{
	u64 begin = *(const u64 *)record->label;

	if (record->label_length == EXPANSION)
		return begin == LABEL_EXPANSION && record->data_length == 2 * RANDOM;
	begin &= ~0xffull;
	return record->label_length == 12 && (begin == LABEL_HS || begin == LABEL_AP) && record->data_length;
}

/* A server takes early data, or a client sends it. */
static __always_inline bool early_label(const struct record_tls_secret *record)
{
	return record->label_length == 11 && *(const u64 *)record->label == LABEL_EARLY;
}

SEC("uprobe")
int tls_secret(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct record_tls_secret *record;
	struct parameter parameter;
	u64 cookie, at, name, stack, length;

	KEEP_THREAD_STACK(ctx, after_probe);
	cookie = bpf_get_attach_cookie(ctx);
	if (!whole_target(task)) {
		count_others(cookie);
		return 0;
	}
	at = REGISTER(ctx, C_3);
	length = REGISTER(ctx, C_2);
	stack = REGISTER(ctx, STACK_POINTER);
	record = reserve(sizeof(*record), RECORD_TLS_SECRET, NULL);
	if (!record)
		return 0;
	__builtin_memset(record, 0, sizeof(*record));
	fill_head(&record->h, task, RECORD_TLS_SECRET, bpf_ktime_get_ns());
	for (u32 i = 0; i < PARAMETERS_MAX; i++) {
		if (bpf_probe_read_user(&parameter, sizeof(parameter), (void *)(at + i * sizeof(parameter))) ||
		    !parameter.name)
			break;
		name = 0;
		if (bpf_probe_read_user_str(&name, NAME_MAX, (void *)parameter.name) < 0)
			break;
		if (name == NAME_KEY || name == NAME_SECRET)
			record->secret_length = take(record->secret, TLS_SECRET_MAX, &parameter);
		else if (name == NAME_LABEL)
			record->label_length = take(record->label, sizeof(record->label), &parameter);
		else if (name == NAME_DATA)
			record->data_length = take(record->data, TLS_SECRET_MAX, &parameter);
		else if (name == NAME_SEED && !record->seeds++)
			record->label_length = take(record->label, sizeof(record->label), &parameter);
		else if (name == NAME_SEED && record->seeds == 2)
			record->data_length = take(record->data, RANDOM, &parameter);
		else if (name == NAME_SEED && record->seeds == 3 && record->data_length == RANDOM)
			record->data_length = RANDOM + take(record->data + RANDOM, RANDOM, &parameter);
	}
	record->library = TLS_OPENSSL;
	if (record->secret_length && wanted_label(record)) {
		if (tls_auto)
			record->session = session_deriving(stack, record->label_length == EXPANSION ? length : 0);
		bpf_ringbuf_submit(record, wake_flag(record->h.time));
	} else {
		if (tls_auto && early_label(record))
			session_deriving(stack, KEYS_OF_EARLY_DATA);
		__builtin_memset(record->secret, 0, sizeof(record->secret));
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
	}
	return 0;
}
