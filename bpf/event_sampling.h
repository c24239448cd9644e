/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The rule by which connections are sampled: a part of bpf/event.h.
 *
 * A number follows from both addresses, both ports and the seed, whichever end asks. Connections whose number is below
 * a limit are recorded, so those of a smaller share are among those of a larger one.
 */
#ifndef TAILCAP_BPF_EVENT_SAMPLING_H
#define TAILCAP_BPF_EVENT_SAMPLING_H

#define SAMPLED_OF_MAX 65536

/* One end. An IPv4 address is that of IPv6 that stands for it (::ffff:a.b.c.d). */
struct connection_end {
	__u64 high, low; /* the address: its bytes as they are on the wire, read as numbers of the host */
	__u32 port;
};

/* SplitMix64's finalizer: each bit of the result depends on all of the argument's. */
static inline __u64 sampling_mix(__u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static inline __u64 end_number(__u64 seed, const struct connection_end *end)
{
	__u64 x = sampling_mix(seed + 0x9e3779b97f4a7c15ull);

	x = sampling_mix(x ^ end->high);
	x = sampling_mix(x ^ end->low);
	return sampling_mix(x ^ end->port);
}

/* The sum has no order of its parts: both ends see the same. */
static inline __u32 connection_number(__u64 seed, const struct connection_end *one, const struct connection_end *other)
{
	return sampling_mix(end_number(seed, one) + end_number(seed, other)) >> 32;
}

/* The number of a connection that has no addresses. */
static inline __u32 lone_number(__u64 seed, __u64 id)
{
	return sampling_mix(sampling_mix(seed + 0x9e3779b97f4a7c15ull) ^ id) >> 32;
}

/* The state that a connection enters which was recorded and is left out from then on: none of TCP's. */
#define STATE_LEFT_OUT 14

/* Numbers below it are those of one connection in `of`; 0: of none. */
static inline __u64 sampling_limit_for(__u32 of)
{
	return of ? (1ull << 32) / of : 0;
}

#endif
