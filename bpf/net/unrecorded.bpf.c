// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "bpf/net/unrecorded.bpf.h"

#define UNRECORDED_MAX 4096 /* processes and kinds; a process usually has two at most */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, UNRECORDED_MAX);
	__type(key, struct unrecorded_key);
	__type(value, struct unrecorded_count);
} unrecorded SEC(".maps");

struct unrecorded_sockets unrecorded_sockets SEC(".maps");

__noinline int count_unrecorded(u32 pid, u32 kind, u32 bytes, u32 first)
{
	struct unrecorded_key key = {.pid = pid, .kind = kind};
	struct unrecorded_count *count = bpf_map_lookup_elem(&unrecorded, &key);

	if (!count) {
		struct unrecorded_count none = {};

		bpf_map_update_elem(&unrecorded, &key, &none, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&unrecorded, &key);
	}
	if (!count) {
		count_loss(LOSS_SOCKET_TABLE, RECORD_UNRECORDED);
		return 0;
	}
	__sync_fetch_and_add(&count->calls, 1);
	__sync_fetch_and_add(&count->bytes, bytes);
	if (first)
		__sync_fetch_and_add(&count->sockets, 1);
	return 0;
}
