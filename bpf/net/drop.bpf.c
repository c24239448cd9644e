// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Packets that the kernel drops, counted by second, reason and destination. Nothing but a comparison is done for what
 * is freed without a reason. The program is loaded where the tracepoint tells the reason: since 5.17.
 */
#include "bpf/core/program.bpf.h"
#include "bpf/core/record.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

const volatile __u32 drop_reasons_from = 0; /* the kernel's first number that is a reason to drop a packet */
/* What is left in the queues of a socket that closes, its FIN at least, is freed with this reason; 0: with none. */
const volatile __u32 drop_reason_closing = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DROP_DESTINATIONS);
	__type(key, struct drop_key);
	__type(value, u64);
} drops SEC(".maps");

/* Drops whose destinations found no room, by second and reason. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DROP_REASONS);
	__type(key, struct drop_key);
	__type(value, u64);
} further_drops SEC(".maps");

#define SECOND 1000000000ull
#define ETHERNET_IP 0x0800
#define ETHERNET_IP6 0x86dd
#define FRAGMENT_OFFSET 0x1fff
#define LEAST_HEADER 20
#define HEADER6 40

/* False: there is no room. */
static __always_inline bool count_drop(void *counts, const struct drop_key *key)
{
	u64 *count = bpf_map_lookup_elem(counts, key), none = 0;

	if (!count) {
		bpf_map_update_elem(counts, key, &none, BPF_NOEXIST);
		count = bpf_map_lookup_elem(counts, key);
	}
	if (!count)
		return false;
	__sync_fetch_and_add(count, 1);
	return true;
}

static __always_inline void read_port(struct drop_key *key, const unsigned char *transport)
{
	u16 port;

	if ((key->protocol == IPPROTO_TCP || key->protocol == IPPROTO_UDP) &&
	    !bpf_probe_read_kernel(&port, sizeof(port), transport + 2))
		key->port = bpf_ntohs(port);
}

static __always_inline void read_destination(struct drop_key *key, const unsigned char *network)
{
	u8 header[LEAST_HEADER];
	u32 length;

	if (bpf_probe_read_kernel(header, sizeof(header), network) || header[0] >> 4 != 4)
		return;
	length = (header[0] & 15) * 4;
	if (length < LEAST_HEADER)
		return;
	key->family = AF_INET;
	key->protocol = header[9];
	__builtin_memcpy(key->address, &header[16], 4);
	if (!(((header[6] << 8) | header[7]) & FRAGMENT_OFFSET))
		read_port(key, network + length);
}

static __always_inline void read_destination6(struct drop_key *key, const unsigned char *network)
{
	u8 header[HEADER6];

	if (bpf_probe_read_kernel(header, sizeof(header), network) || header[0] >> 4 != 6)
		return;
	key->family = AF_INET6;
	key->protocol = header[6];
	__builtin_memcpy(key->address, &header[24], 16);
	read_port(key, network + HEADER6);
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(packet_dropped, struct sk_buff *skb, void *location, u32 reason)
{
	struct drop_key key = {};
	const unsigned char *network;
	u16 protocol;

	if (reason < drop_reasons_from || reason == drop_reason_closing)
		return 0;
	key.second = bpf_ktime_get_ns() / SECOND;
	key.reason = reason;
	/* 0: no layer has found its header. */
	if (skb->network_header) {
		protocol = bpf_ntohs(skb->protocol);
		network = POINTER_IN(struct sk_buff, skb, head) + skb->network_header;
		if (protocol == ETHERNET_IP)
			read_destination(&key, network);
		else if (protocol == ETHERNET_IP6)
			read_destination6(&key, network);
	}
	if (count_drop(&drops, &key))
		return 0;
	key = (struct drop_key){.second = key.second, .reason = reason};
	if (!count_drop(&further_drops, &key))
		count_loss(LOSS_SOCKET_TABLE, RECORD_PACKET_DROPS);
	return 0;
}
