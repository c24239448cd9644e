/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The ids of a request, which ground/http/request_ids.h makes in the same way, and the lines that say them.
 */
#ifndef TAILCAP_BPF_INJECT_IDS_H
#define TAILCAP_BPF_INJECT_IDS_H

#include "bpf/inject/state.bpf.h"

extern const volatile __u64 machine_salt; /* of this boot of the machine */
extern const volatile __u8 trace_flags;

static __always_inline u64 mixed(u64 h, u64 x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15ULL;
	h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93ULL;
	return h ^ (h >> 29);
}

struct ids {
	u64 high, low, span;
};

static __always_inline void make_ids(struct ids *out, u64 cookie, u32 number)
{
	u64 seed = mixed(mixed(mixed(0x77697265, machine_salt), cookie), number);

	out->high = mixed(seed, 1) | 1;
	out->low = mixed(seed, 2) | 1;
	out->span = mixed(seed, 3) | 1;
}

static __always_inline u8 digit_of(u64 n, u32 at)
{
	u8 digit = n >> at & 15;

	return digit < 10 ? '0' + digit : 'a' + digit - 10;
}

static __always_inline void write_digits(u8 *out, u64 n)
{
#pragma unroll
	for (int i = 0; i < 16; i++)
		out[i] = digit_of(n, 60 - 4 * i);
}

/* out: room for ADDED_BYTES. */
static __always_inline void write_lines(u8 *out, const struct ids *ids)
{
	__builtin_memcpy(out, ADDED_TRACE, 16);
	write_digits(out + 16, ids->high);
	write_digits(out + 32, ids->low);
	out[48] = '-';
	write_digits(out + 49, ids->span);
	out[65] = '-';
	out[66] = '0';
	out[67] = '0' + (trace_flags & 1);
	out[68] = '\r';
	out[69] = '\n';
	__builtin_memcpy(out + 70, ADDED_REQUEST, 14);
	write_digits(out + 84, ids->high);
	write_digits(out + 100, ids->low);
	out[116] = '\r';
	out[117] = '\n';
}

#endif
